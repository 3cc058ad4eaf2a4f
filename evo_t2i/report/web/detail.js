// The selected picture, large, with its scores; beside it the one that it is compared with.

const BAR_END = 3;

function makeDetail(store) {
  const { front } = store;
  const stage = byId("stage");
  const about = byId("about");
  const buttons = {
    star: button("Star", "Star this picture (.)", () => store.toggleStar(store.state.selected)),
    pick: button("Pick", "Pick this picture (p)", () => store.togglePick(store.state.selected)),
    compare: button("Compare", "Compare with the next one you select (c)", () => toggleCompare(store)),
  };
  const file = element("a", { target: "_blank", rel: "noopener", class: "muted" });
  const pictures = element("div", { class: "pictures" });
  const bar = element("div", { class: "actions" }, ...Object.values(buttons));
  const name = element("p", { class: "name" });
  const lineage = makeLineage(store);
  const sheet = element("div", { class: "sheet" });
  let drawn = "";
  let drawnPictures = "";
  stage.append(pictures, name, bar);
  about.append(sheet, lineage.root);

  function button(text, label, onClick) {
    const node = element("button", { type: "button", title: label, "aria-pressed": "false" }, text);
    node.addEventListener("click", onClick);
    return node;
  }

  function press(node, pressed, text) {
    node.setAttribute("aria-pressed", String(pressed));
    node.textContent = text;
  }

  function point() {
    const { selected, compared, starred, picked } = store.state;
    const key = [store.version, selected, compared].join();
    if (key === drawn) return;
    drawn = key;
    stage.hidden = about.hidden = selected === null;
    if (selected === null) return;
    const both = compared !== null && compared !== selected ? [compared, selected] : [selected];
    const marks = [...both, compared, ...both.map((row) => picked.includes(row))].join();
    if (marks !== drawnPictures) {
      pictures.replaceChildren(...both.map((row) => largePicture(store, row)));
      pictures.classList.toggle("two", both.length === 2);
      if (byId("enlarged").open) drawEnlarged(store);
    }
    drawnPictures = marks;
    const place = store.place.get(selected);
    file.textContent = front.file[selected];
    file.setAttribute("href", front.file[selected]);
    name.replaceChildren(
      element("strong", {}, place ? `Place ${place}` : "Below a floor"),
      ` of ${store.ranking.order.length} · picture ${front.id[selected]} · generation ${front.generation[selected]}`,
      ...(front.live ? [] : [" · ", file]),
    );
    press(buttons.star, starred.has(selected), starred.has(selected) ? "★ Starred" : "☆ Star");
    const chosen = picked.indexOf(selected);
    press(buttons.pick, chosen >= 0, chosen < 0 ? "Pick" : `✓ Picked${picked.length > 1 ? ` ${chosen + 1}` : ""}`);
    press(buttons.compare, compared !== null, compared === null ? "Compare" : "End comparison");
    sheet.replaceChildren(both.length === 2 ? comparison(...both) : scores(selected));
    lineage.point();
  }

  function scores(row) {
    const heads = ["score", "value", "gain", "z"].map((text) => element("th", { scope: "col" }, text));
    const rows = front.names.map((name, j) => {
      const z = front.z[row][j];
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, title(name)),
        element("td", {}, plain(front.scores[row][j])),
        element("td", {}, signed(front.scores[row][j] - front.centre[j], 4)),
        element("td", { class: "z" }, zBar(z), front.scale[j] > 0 ? shownZ(z) : "–"),
      );
    });
    const value = store.place.has(row) ? plain(store.ranking.value[row]) : "–";
    return element(
      "div",
      {},
      element(
        "table",
        {},
        element("caption", { class: "muted" }, "Gain: over generation 0’s median; z: that gain in standard deviations of generation 0."),
        element("thead", {}, element("tr", {}, ...heads)),
        element("tbody", {}, ...rows),
      ),
      element("p", { class: "muted value" }, `${store.state.method} value ${value}`),
    );
  }

  function comparison(first, second) {
    const label = (row) => front.file[row];
    const heads = ["score", label(first), label(second), "difference"];
    const rows = front.names.map((name, j) => {
      const difference = front.scores[second][j] - front.scores[first][j];
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, title(name)),
        element("td", { class: difference < 0 ? "better" : null }, plain(front.scores[first][j])),
        element("td", { class: difference > 0 ? "better" : null }, plain(front.scores[second][j])),
        element("td", {}, signed(difference, 4)),
      );
    });
    return element(
      "table",
      {},
      element("caption", { class: "muted" }, "The better score of the two is underlined."),
      element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows),
    );
  }

  return { point };
}

/** z from −3 to +3 as a bar from the middle. */
function zBar(z) {
  const end = Math.max(-BAR_END, Math.min(BAR_END, z));
  const bar = shape("rect", {
    x: 50 + (end < 0 ? (50 * end) / BAR_END : 0),
    width: (50 * Math.abs(end)) / BAR_END,
    y: 25,
    height: 50,
    class: z < 0 ? "worse" : "gained",
  });
  const middle = shape("path", { d: "M50 0V100", class: "zero", "vector-effect": "non-scaling-stroke" });
  return drawing(bar, middle);
}

/**
 * A picture as large as there is room. The embedded one is shown at once; where the file is larger
 * and lies beside the page, it takes its place.
 */
function largePicture(store, row) {
  const { front } = store;
  const marks = store.state.picked.includes(row) ? "picked" : null;
  const image = element("img", {
    src: front.thumbnail[row],
    alt: `Picture ${front.id[row]} for: ${store.caption}`,
    width: front.size[0],
    height: front.size[1],
  });
  if (Math.max(...front.size) > front.embeddedSide) {
    const full = new Image();
    full.addEventListener("load", () => (image.src = full.src));
    full.src = front.file[row];
  }
  const figure = element("figure", { class: marks }, image);
  figure.addEventListener("dblclick", () => enlarge(store));
  if (store.state.compared !== null) {
    figure.append(element("figcaption", {}, front.file[row]));
  }
  return figure;
}

function toggleCompare(store) {
  const { compared, selected } = store.state;
  store.change({ compared: compared === null ? selected : null });
}

/** Show the selected picture (or the two compared) over the whole page, or stop showing it. */
function enlarge(store) {
  const dialog = byId("enlarged");
  if (dialog.open) {
    dialog.close();
    return;
  }
  if (store.state.selected === null) return;
  drawEnlarged(store);
  dialog.showModal();
}

function drawEnlarged(store) {
  const { selected, compared } = store.state;
  const rows = compared !== null && compared !== selected ? [compared, selected] : [selected];
  const dialog = byId("enlarged");
  dialog.replaceChildren(...rows.map((row) => largePicture(store, row)));
  dialog.classList.toggle("two", rows.length === 2);
}
