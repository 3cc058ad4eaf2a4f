// Where a picture comes from: its parents, and theirs, back to generation 0.

const LINE_SHOWN = 200;
const REST = 150;

function makeLineage(store) {
  const { front, lineage } = store;
  const parentsLine = element("p", { class: "parents" });
  const chart = drawing();
  const edges = line("edges");
  const others = line("ancestors");
  const main = line("main-line");
  const self = line("self");
  chart.append(edges, others, main, self);
  const summary = element("summary", {});
  const list = element("ol", { class: "line" });
  const chartFrame = element("div", { class: "lineage-chart" }, chart);
  const root = element(
    "div",
    { class: "lineage" },
    element("h3", {}, "Where it comes from"),
    parentsLine,
    chartFrame,
    element("details", {}, summary, list),
  );
  const rowOf = new Map(lineage.id.map((id, row) => [id, row]));
  const z = lineage.scores.map((scores) =>
    scores === null ? null : standardised([scores], front.centre, front.scale)[0],
  );
  let drawn = "";
  let drawnId = null;
  let timer = 0;

  /** The balanced value of an ancestor under the present weights. */
  function height(row) {
    if (z[row] === null) return null;
    const { shares } = store.ranking;
    return weightedSum([z[row].map((v) => Math.min(v, Z_CAP))], shares)[0];
  }

  function parentsOf(row) {
    return lineage.parents[row].map((id) => rowOf.get(id)).filter((parent) => parent !== undefined);
  }

  function ancestors(start) {
    const found = new Set([start]);
    for (const row of found) parentsOf(row).forEach((parent) => found.add(parent));
    return found;
  }

  /** From the picture back, always to the better parent. */
  function mainLine(start) {
    const rows = [start];
    while (rows.length < LINE_SHOWN) {
      const parents = parentsOf(rows.at(-1));
      if (!parents.length) break;
      rows.push(parents.reduce((a, b) => ((height(b) ?? -Infinity) > (height(a) ?? -Infinity) ? b : a)));
    }
    return rows;
  }

  /** Another picture's lineage at once; the same one's under other weights when they rest. */
  function point() {
    const { selected } = store.state;
    const id = selected === null ? null : front.id[selected];
    const key = `${id} ${store.ranking.shares.join()}`;
    if (id === null || key === drawn) return;
    drawn = key;
    clearTimeout(timer);
    if (id === drawnId) timer = setTimeout(redraw, REST);
    else redraw();
    drawnId = id;
  }

  function redraw() {
    const { selected } = store.state;
    const id = front.id[selected];
    const named = [...new Set(front.parents[selected].filter((parent) => parent >= 0))];
    parentsLine.replaceChildren(
      ...(named.length
        ? [named.length > 1 ? "Parents " : "Parent ", ...named.flatMap((parent, i) => [i ? " and " : "", parentLink(parent)])]
        : ["Drawn at random; it has no parents."]),
    );
    const start = rowOf.get(id);
    const family = start === undefined ? [] : [...ancestors(start)];
    root.classList.toggle("alone", family.length < 2);
    if (family.length < 2) return;
    drawFamily(family, start);
  }

  function drawFamily(family, start) {
    const heights = new Map(family.map((row) => [row, height(row)]));
    const across = [0, Math.max(1, lineage.generation[start])];
    const upwards = padded(extent([...heights.values()]), 0.08);
    const at = (row) => [
      2 + 96 * fraction(lineage.generation[row], across),
      100 - 100 * fraction(heights.get(row) ?? upwards[0], upwards),
    ];
    edges.setAttribute(
      "d",
      family.flatMap((row) => parentsOf(row).map((parent) => polyline([at(parent), at(row)]))).join(""),
    );
    const chain = mainLine(start);
    others.setAttribute("d", dots(family.map(at)));
    main.setAttribute("d", polyline(chain.map(at)));
    self.setAttribute("d", dots([at(start)]));
    const oldest = Math.min(...family.map((row) => lineage.generation[row]));
    summary.textContent = `${plural(family.length - 1, "ancestor")}, back to generation ${oldest}; the better parent each time`;
    list.replaceChildren(
      ...chain.map((row) => {
        const value = heights.get(row);
        const said = `generation ${lineage.generation[row]}, balanced ${value === null ? "–" : signed(value, 2)}`;
        return element("li", {}, parentLink(lineage.id[row]), ` ${said}`);
      }),
      ...(lineage.cut ? [element("li", { class: "muted" }, "Older ancestors are in the run’s gen folder.")] : []),
    );
  }

  /** An individual's number; a way to it when it is on the front. */
  function parentLink(id) {
    const row = front.rowOf.get(id);
    if (row === undefined) return `#${id}`;
    const link = element("button", { type: "button", class: "link", title: "on the front" }, `#${id}`);
    link.addEventListener("click", () => store.change({ selected: row }));
    return link;
  }

  return { root, point };
}
