// The pictures, best first. Only the tiles in view, and some around, are in the document: a front may
// have a thousand, and each move of a slider orders them anew.

const SPARE_LINES = 2;

function makeGallery(store) {
  const { front } = store;
  const root = byId("gallery");
  const nothing = byId("nothing");
  const spacers = [element("div", { class: "spacer" }), element("div", { class: "spacer" })];
  const tiles = new Map();
  let drawnSelection = null;
  let drawnRows = "";
  let drawnCount = 0;
  let waiting = false;
  document.documentElement.style.setProperty("--ratio", front.size[0] / front.size[1]);
  root.addEventListener("scroll", later);
  new ResizeObserver(later).observe(root);

  function later() {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  }

  function tileOf(row) {
    if (!tiles.has(row)) tiles.set(row, makeTile(row));
    return tiles.get(row);
  }

  function makeTile(row) {
    const id = front.id[row];
    const place = element("span", { class: "place" });
    const marks = element("span", { class: "marks" });
    const size = element("span", { class: "size", "aria-hidden": "true" });
    const decoding = front.live ? "sync" : "async"; // no flash each time that a live page is reloaded
    const image = element("img", { src: front.thumbnail[row], alt: "", draggable: "false", decoding });
    const tile = element(
      "div",
      { role: "option", class: "tile", id: `tile-${id}`, "data-id": id },
      image,
      place,
      marks,
      size,
    );
    tile.addEventListener("click", () => {
      store.change({ selected: row });
      root.focus({ preventScroll: true });
    });
    tile.addEventListener("dblclick", () => enlarge(store));
    tile.addEventListener("pointerenter", () => store.change({ hovered: row }));
    tile.addEventListener("pointerleave", () => store.change({ hovered: null }));
    return { tile, place, marks, size };
  }

  /**
   * How the tiles lie: in lines of `across`, each `step` pixels from the next, downwards; or to the
   * right where the window is narrow. The size of a tile is that of one that is there.
   */
  function layout() {
    const style = getComputedStyle(root);
    const sideways = style.gridAutoFlow === "column";
    const tracks = sideways ? style.gridTemplateRows : style.gridTemplateColumns;
    const across = Math.max(1, tracks.split(" ").length);
    const gap = parseFloat(sideways ? style.columnGap : style.rowGap);
    const one = root.querySelector(".tile")?.getBoundingClientRect();
    const step = (one ? (sideways ? one.width : one.height) : 100) + gap;
    return { sideways, across, gap, step };
  }

  /** The places [from, to) in `shown` whose tiles are in view, with some to spare. */
  function inView({ sideways, across, step }) {
    const offset = sideways ? root.scrollLeft : root.scrollTop;
    const size = sideways ? root.clientWidth : root.clientHeight;
    const first = Math.max(0, Math.floor(offset / step) - SPARE_LINES);
    const last = Math.ceil((offset + size) / step) + SPARE_LINES;
    return [first * across, Math.min(store.listed.length, last * across)];
  }

  function draw() {
    waiting = false;
    const { listed: shown } = store;
    if (shown.length && !root.querySelector(".tile")) root.append(tileOf(shown[0]).tile);
    const lines = layout();
    const [from, to] = inView(lines);
    const rows = shown.slice(Math.min(from, Math.max(0, shown.length - 1)), to);
    const key = rows.join();
    const skipped = [Math.ceil(from / lines.across), Math.ceil((shown.length - to) / lines.across)];
    spacers.forEach((spacer, i) => {
      const size = Math.max(0, skipped[i]) * lines.step - lines.gap;
      spacer.hidden = size <= 0;
      spacer.style[lines.sideways ? "width" : "height"] = `${size}px`;
      spacer.style[lines.sideways ? "height" : "width"] = "auto";
    });
    if (key !== drawnRows) root.replaceChildren(spacers[0], ...rows.map((row) => tileOf(row).tile), spacers[1]);
    drawnRows = key;
    rows.forEach((row, i) => label(row, from + i));
    if (shown.length !== drawnCount && store.visible[store.state.selected]) {
      drawnCount = shown.length;
      reveal(store.state.selected);
    }
    drawnCount = shown.length;
    nothing.hidden = shown.length > 0;
    nothing.textContent = front.id.length
      ? store.ranking.problem ?? "No picture is left; press Esc to show everything again."
      : "This run's front has no picture.";
    mark();
  }

  function label(row, position) {
    const { state, place, ranking, listed, stack } = store;
    const { tile, place: placeLabel, marks, size } = tileOf(row);
    const alike = stack.get(row) ?? 1;
    const starred = state.starred.has(row);
    const picked = state.picked.includes(row);
    const chosen = ranking.chosen.length > 1 && place.get(row) <= ranking.chosen.length;
    placeLabel.textContent = place.get(row);
    marks.textContent = `${starred ? "★" : ""}${picked ? "✓" : ""}`;
    size.textContent = alike > 1 ? alike.toLocaleString("en") : "";
    tile.classList.toggle("stack", alike > 1);
    tile.classList.toggle("starred", starred);
    tile.classList.toggle("picked", picked);
    tile.classList.toggle("chosen", chosen);
    const said = [`Place ${place.get(row)}`, `picture ${front.id[row]}`];
    if (alike > 1) said.push(`the best of ${alike} that look alike`);
    if (chosen) said.push(`one of the ${ranking.chosen.length} chosen`);
    if (starred) said.push("starred");
    if (picked) said.push("picked");
    tile.setAttribute("aria-label", said.join(", "));
    tile.setAttribute("aria-posinset", position + 1);
    tile.setAttribute("aria-setsize", listed.length);
  }

  /** Show which of the tiles that are there is selected, hovered or compared. */
  function mark() {
    for (const kind of ["selected", "hovered", "compared"]) {
      root.querySelector(`.tile.${kind}`)?.classList.remove(kind);
      const row = store.state[kind];
      if (row !== null) tiles.get(store.cover(row))?.tile.classList.add(kind);
    }
    root.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    root.removeAttribute("aria-activedescendant");
    const { tile } = tiles.get(store.cover(store.state.selected)) ?? {};
    if (!tile?.isConnected) return;
    tile.setAttribute("aria-selected", "true");
    root.setAttribute("aria-activedescendant", tile.id);
  }

  function point() {
    const { selected } = store.state;
    if (selected !== drawnSelection && selected !== null && store.visible[selected]) reveal(selected);
    drawnSelection = selected;
    mark();
  }

  /** Scroll the gallery alone, never the page, until the picture is in it. */
  function reveal(row) {
    const { sideways, across, step, gap } = layout();
    const start = Math.floor(store.listed.indexOf(store.cover(row)) / across) * step;
    const side = sideways ? "scrollLeft" : "scrollTop";
    const size = sideways ? root.clientWidth : root.clientHeight;
    const end = start + step + gap;
    const before = root[side];
    if (start < before) root[side] = start;
    else if (end > before + size) root[side] = end - size;
    if (root[side] !== before) draw();
  }

  return {
    draw,
    point,
    /** How many pictures an arrow up or down goes past. */
    columns: () => {
      const { sideways, across } = layout();
      return sideways ? 1 : across;
    },
    focus: () => root.focus({ preventScroll: true }),
  };
}
