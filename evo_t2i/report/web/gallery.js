// The pictures, best first.

function makeGallery(store) {
  const { front } = store;
  const root = byId("gallery");
  const nothing = byId("nothing");
  root.style.setProperty("--ratio", front.size[0] / front.size[1]);
  const tiles = front.id.map((id, row) => {
    const place = element("span", { class: "place" });
    const marks = element("span", { class: "marks" });
    const tile = element(
      "div",
      { role: "option", class: "tile", id: `tile-${id}`, "data-id": id },
      element("img", { src: front.thumbnail[row], alt: "", draggable: "false", decoding: "async" }),
      place,
      marks,
    );
    tile.addEventListener("click", () => {
      store.change({ selected: row });
      root.focus({ preventScroll: true });
    });
    tile.addEventListener("dblclick", () => enlarge(store));
    tile.addEventListener("pointerenter", () => store.change({ hovered: row }));
    tile.addEventListener("pointerleave", () => store.change({ hovered: null }));
    return { tile, place, marks };
  });
  root.append(...tiles.map(({ tile }) => tile));
  let drawnSelection = null;
  let drawnOrder = "";

  function draw() {
    const { state, place, ranking, shown, visible } = store;
    const several = ranking.chosen.length > 1;
    const order = shown.join();
    if (order !== drawnOrder) root.append(...shown.map((row) => tiles[row].tile));
    drawnOrder = order;
    tiles.forEach(({ tile, place: label, marks }, row) => {
      tile.hidden = !visible[row];
      if (!visible[row]) return;
      const starred = state.starred.has(row);
      const picked = state.picked.indexOf(row);
      label.textContent = place.get(row);
      marks.textContent = `${starred ? "★" : ""}${picked >= 0 ? "✓" : ""}`;
      tile.classList.toggle("starred", starred);
      tile.classList.toggle("picked", picked >= 0);
      const chosen = several && place.get(row) <= ranking.chosen.length;
      tile.classList.toggle("chosen", chosen);
      const said = [`Place ${place.get(row)}`, `picture ${front.id[row]}`];
      if (chosen) said.push(`one of the ${ranking.chosen.length} chosen`);
      if (starred) said.push("starred");
      if (picked >= 0) said.push("picked");
      tile.setAttribute("aria-label", said.join(", "));
    });
    nothing.hidden = shown.length > 0;
    nothing.textContent = front.id.length
      ? store.ranking.problem ?? "No picture is left; press Esc to show everything again."
      : "This run's front has no picture.";
  }

  function point() {
    const { selected } = store.state;
    for (const kind of ["selected", "hovered", "compared"]) {
      root.querySelector(`.tile.${kind}`)?.classList.remove(kind);
      const row = store.state[kind];
      if (row !== null) tiles[row].tile.classList.add(kind);
    }
    root.querySelector("[aria-selected=true]")?.removeAttribute("aria-selected");
    if (selected === null) {
      root.removeAttribute("aria-activedescendant");
      return;
    }
    const { tile } = tiles[selected];
    tile.setAttribute("aria-selected", "true");
    root.setAttribute("aria-activedescendant", tile.id);
    if (selected !== drawnSelection && store.visible[selected]) reveal(tile);
    drawnSelection = selected;
  }

  /** Scroll the gallery alone, never the page, until the tile is in it. */
  function reveal(tile) {
    const margin = 8;
    const box = root.getBoundingClientRect();
    const mine = tile.getBoundingClientRect();
    if (mine.top < box.top) root.scrollTop -= box.top - mine.top + margin;
    if (mine.bottom > box.bottom) root.scrollTop += mine.bottom - box.bottom + margin;
    if (mine.left < box.left) root.scrollLeft -= box.left - mine.left + margin;
    if (mine.right > box.right) root.scrollLeft += mine.right - box.right + margin;
  }

  /** How many tiles lie in a row, for the arrows up and down. */
  function columns() {
    const { shown } = store;
    const top = (row) => tiles[row].tile.offsetTop;
    const next = shown.findIndex((row) => top(row) > top(shown[0]));
    return next < 0 ? Math.max(1, shown.length) : next;
  }

  return { draw, point, columns, focus: () => root.focus({ preventScroll: true }) };
}
