// The state in the page's address, so that a reload, a bookmark or a message keeps it.

function writtenState({ state, front, shown }) {
  const parameters = new URLSearchParams();
  const put = (key, text) => text && parameters.set(key, text);
  const list = (values) => (values.some((value) => value !== "") ? values.join(",") : "");
  put("m", state.method === "balanced" ? "" : state.method);
  put("w", state.weights.some((weight) => weight !== 1) ? state.weights.join(",") : "");
  put("f", list(state.floors.map((floor) => floor ?? "")));
  put("n", state.count === 1 ? "" : String(state.count));
  put("l", state.order.some((score, place) => score !== place) ? state.order.join(",") : "");
  put("t", state.tolerance === 0.5 ? "" : String(state.tolerance));
  put("b", list(state.brushes.map((brush) => (brush ? brush.join("~") : ""))));
  put("o", state.axes.some((axis, place) => axis !== place) ? state.axes.join(",") : "");
  put("i", [...state.inverted].join(","));
  const marked = (rows, kind) => [...rows].map((row) => front.id[row]).concat(state.unshown?.[kind] ?? []);
  put("star", marked(state.starred, "star").join(","));
  put("pick", marked(state.picked, "pick").join(","));
  put("q", state.query);
  put("k", state.stacked ? "" : "all");
  put("c", state.compared === null ? "" : String(front.id[state.compared]));
  const follows = state.selected === null || (front.live && state.selected === shown[0]);
  put("s", follows ? "" : String(front.id[state.selected]));
  return parameters.toString().replaceAll("%2C", ",").replaceAll("%7E", "~");
}

/** The state that a text describes; whatever does not fit this run is left as it is by default. */
function readState(text, front) {
  const { names, id, rowOf } = front;
  const state = freshState(names);
  const parameters = new URLSearchParams(text);
  const parts = (key) => (parameters.get(key) ?? "").split(",").filter((part) => part !== "");
  const aligned = (key, read) => {
    const values = (parameters.get(key) ?? "").split(",");
    return values.length === names.length ? values.map(read) : null;
  };
  const number = (part) => (part !== "" && Number.isFinite(Number(part)) ? Number(part) : null);
  const rows = (key) => [
    ...new Set(parts(key).map((part) => rowOf.get(Number(part))).filter((row) => row !== undefined)),
  ];

  if (Object.hasOwn(METHODS, parameters.get("m") ?? "")) state.method = parameters.get("m");
  const weights = aligned("w", number);
  if (weights?.every((weight) => weight !== null && weight >= 0)) state.weights = weights;
  state.floors = aligned("f", number) ?? state.floors;
  state.brushes =
    aligned("b", (part) => {
      const [low, high] = part.split("~").map(number);
      return low !== null && high !== null && low <= high ? [low, high] : null;
    }) ?? state.brushes;
  const permutation = (key) => {
    const places = parts(key).map(Number);
    return places.length === names.length && names.every((_, j) => places.includes(j)) ? places : null;
  };
  state.axes = permutation("o") ?? state.axes;
  state.order = permutation("l") ?? state.order;
  const tolerance = number(parameters.get("t") ?? "");
  if (tolerance !== null && tolerance >= 0) state.tolerance = tolerance;
  const count = number(parameters.get("n") ?? "");
  if (Number.isInteger(count) && count >= 1 && count <= id.length) state.count = count;
  state.inverted = new Set(parts("i").map(Number).filter((j) => j in names));
  state.starred = new Set(rows("star"));
  state.picked = rows("pick");
  if (front.live) {
    // a live page shows some of the front; a mark on another picture is kept until it is shown
    const unshown = (key) => parts(key).map(Number).filter((id) => Number.isInteger(id) && !rowOf.has(id));
    state.unshown = { star: unshown("star"), pick: unshown("pick") };
  }
  state.query = (parameters.get("q") ?? "").slice(0, 200);
  state.stacked = parameters.get("k") !== "all";
  state.selected = id.length ? rows("s")[0] ?? null : null;
  state.compared = rows("c")[0] ?? null;
  return state;
}

/** Follow the store into the address, and the address (a bookmark, a pasted one) into the store. */
function makeAddress(store) {
  let timer = 0;
  let written = "";
  const write = () => {
    written = writtenState(store);
    history.replaceState(history.state, "", `#${written}`);
  };
  store.changed = (changes) => {
    if (Object.keys(changes).every((key) => key === "hovered")) return;
    clearTimeout(timer);
    timer = setTimeout(write, 150);
  };
  addEventListener("pagehide", () => {
    clearTimeout(timer);
    write();
  });
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) !== written) {
      store.change(readState(location.hash.slice(1), store.front));
    }
  });
}
