// Many captions with their picks: search, order, and a way to each run's page.

const data = JSON.parse(byId("data").textContent);
const count = data.id.length;
const search = byId("search");
const order = byId("order");
const category = byId("category");
const list = byId("captions");

const haystacks = data.id.map((id, row) =>
  [id, data.caption[row], data.category[row]].join("\n").normalize("NFKC").toLowerCase(),
);
const tiles = data.id.map((_, row) => tile(row));
let shown = [];

function tile(row) {
  const scores = data.names
    .map((name, column) => [name, data.scores[row][column]])
    .filter(([, score]) => score !== null);
  const picture = element("img", {
    src: data.picture[row],
    alt: "",
    loading: "lazy",
    decoding: "async",
  });
  const told = scores.map(([name, score]) => `${title(name)} ${plain(score)}`).join("\n");
  const link = element(
    "a",
    { href: data.page[row], title: `${plural(data.front[row], "picture")} on the front\n${told}` },
    picture,
    element("span", { class: "caption", dir: "auto" }, data.caption[row]),
    element("span", { class: "muted about" }, about(row)),
  );
  return element("li", {}, link);
}

function about(row) {
  return data.category[row] ? `${data.category[row]} · ${data.id[row]}` : data.id[row];
}

function rowsInOrder() {
  const rows = [...tiles.keys()];
  if (order.value === "caption") {
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    return rows.sort((a, b) => compare(data.caption[a], data.caption[b]) || a - b);
  }
  if (order.value.startsWith("score ")) {
    const column = Number(order.value.slice(6));
    const value = (row) => data.scores[row][column] ?? -Infinity;
    return rows.sort((a, b) => (value(b) === value(a) ? a - b : value(b) > value(a) ? 1 : -1));
  }
  return rows;
}

function update() {
  const words = search.value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = category.value;
  shown = rowsInOrder().filter(
    (row) =>
      words.every((word) => haystacks[row].includes(word)) &&
      (!wanted || data.category[row] === wanted.slice(1)),
  );
  list.replaceChildren(...shown.map((row) => tiles[row]));
  byId("nothing").hidden = shown.length > 0;
  byId("status").textContent =
    shown.length === count
      ? plural(count, "caption")
      : `${shown.length.toLocaleString("en")} of ${plural(count, "caption")}`;
  remember();
}

/** The address holds what was set, so that a reload and the way back from a run's page keep it. */
function remember() {
  const state = new URLSearchParams();
  if (search.value) state.set("search", search.value);
  if (category.value) state.set("category", category.value.slice(1));
  if (order.value !== "file") state.set("order", order.value);
  const hash = state.toString();
  try {
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  } catch {
    // an address that may not be changed, as of a page inside another
  }
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  search.value = state.get("search") ?? "";
  for (const [field, value] of [
    [order, state.get("order")],
    [category, state.has("category") ? `=${state.get("category")}` : null],
  ]) {
    if (value !== null && [...field.options].some((option) => option.value === value)) {
      field.value = value;
    }
  }
}

function showAll() {
  search.value = "";
  category.value = "";
  update();
}

function columns() {
  const top = list.firstElementChild?.offsetTop;
  const tilesInRow = [...list.children].findIndex((each) => each.offsetTop !== top);
  return tilesInRow < 0 ? list.children.length : tilesInRow;
}

function go(event, from) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() };
  const ends = { Home: 0, End: shown.length - 1 };
  const to = event.key in ends ? ends[event.key] : from + (steps[event.key] ?? NaN);
  if (!(to >= 0 && to < shown.length)) return;
  event.preventDefault();
  tiles[shown[to]].firstElementChild.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const tileWithFocus = document.activeElement.closest?.("#captions li");
  if (event.key === "Escape") {
    showAll();
  } else if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (tileWithFocus) {
    go(event, [...list.children].indexOf(tileWithFocus));
  } else if (document.activeElement === search && event.key === "ArrowDown") {
    go(new KeyboardEvent("keydown", { key: "Home" }), 0);
    event.preventDefault();
  }
});

document.title = `${data.title} · evo-t2i`;
byId("title").textContent = data.title;
byId("facts").textContent = data.facts;
byId("notes").append(...data.notes.map((note) => element("p", {}, note)));
order.append(
  element("option", { value: "file" }, "as in the file"),
  element("option", { value: "caption" }, "caption"),
  ...data.names.map((name, column) =>
    element("option", { value: `score ${column}` }, `best ${title(name)} first`),
  ),
);
const categories = [...new Set(data.category)].filter(Boolean);
byId("category-label").hidden = categories.length === 0;
category.append(
  element("option", { value: "" }, "all"),
  ...categories.map((name) => element("option", { value: `=${name}` }, name)),
);
for (const field of [order, category]) field.addEventListener("change", update);
let typing = 0;
search.addEventListener("input", () => {
  cancelAnimationFrame(typing);
  typing = requestAnimationFrame(update);
});
addEventListener("hashchange", () => {
  recall();
  update();
});
recall();
update();
