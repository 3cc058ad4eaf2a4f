// Every pair of scores: the front before generation 0, painted; what is pointed at lies over it.

const NEAR = 12;
const RADIUS = { before: 1.5, picture: 3, starred: 4.5, picked: 5.5 };
const CROWD = 150;

function makeScatter(store, peek) {
  const { front } = store;
  const { names } = front;
  const root = byId("scatter");
  const spans = names.map((_, j) =>
    padded(extent([...front.scores, ...store.generation0].map((row) => row[j]))),
  );
  const panels = [];
  root.style.setProperty("--columns", Math.max(1, names.length - 1));
  for (let y = 1; y < names.length; y += 1) {
    for (let x = 0; x < y; x += 1) panels.push(makePanel(x, y));
  }
  root.append(...panels.map((panel) => panel.root));
  if (!panels.length) {
    root.append(element("p", { class: "muted" }, "This run has one score, so there are no pairs."));
  }

  function makePanel(x, y) {
    const at = (row) => [100 * fraction(row[x], spans[x]), 100 - 100 * fraction(row[y], spans[y])];
    const points = front.scores.map(at);
    const before = store.generation0.map(at);
    const dotted = painting(paint);
    const pointed = Object.fromEntries(
      ["hovered", "compared", "selected"].map((kind) => [
        kind,
        ["ring", "gap", "core"].map((part) => line(`${kind} ${part}`)),
      ]),
    );
    const chart = drawing(...Object.values(pointed).flat());
    const panel = element(
      "figure",
      { class: "panel", "aria-label": `${title(names[y])} over ${title(names[x])}` },
      element("span", { class: "y muted" }, title(names[y])),
      element("div", { class: "plot" }, dotted.canvas, chart),
      element("figcaption", { class: "x muted" }, title(names[x])),
    );
    panel.style.gridColumn = x + 1;
    panel.style.gridRow = y;

    function nearest(event) {
      const box = chart.getBoundingClientRect();
      let best = null;
      let distance = NEAR;
      for (const row of store.shown) {
        const [px, py] = points[row];
        const off = Math.hypot(
          box.left + (px / 100) * box.width - event.clientX,
          box.top + (py / 100) * box.height - event.clientY,
        );
        if (off < distance) [best, distance] = [row, off];
      }
      return best;
    }
    chart.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return;
      const row = nearest(event);
      if (row !== store.state.hovered) store.change({ hovered: row });
      peek.show(row, event);
    });
    chart.addEventListener("pointerleave", () => {
      store.change({ hovered: null });
      peek.hide();
    });
    chart.addEventListener("click", (event) => {
      const row = nearest(event);
      if (row !== null) store.change({ selected: row });
    });
    /** Generation 0, the front with the best on top, the starred, the picked. */
    function paint(context, width, height) {
      const { state, shown } = store;
      const picked = new Set(state.picked);
      const marked = (row) => picked.has(row) || state.starred.has(row);
      const draw = (centres, radius, name) => {
        context.fillStyle = colour(name);
        for (const [x, y] of centres) {
          context.beginPath();
          context.arc((x / 100) * width, (y / 100) * height, radius, 0, 2 * Math.PI);
          context.fill();
        }
      };
      const of = (wanted) => shown.filter(wanted).reverse().map((row) => points[row]);
      draw(before, RADIUS.before, "before");
      const crowding = Math.max(1, front.id.length / CROWD) ** 0.25;
      draw(of((row) => !marked(row)), Math.max(2.1, RADIUS.picture / crowding), "line");
      draw(of((row) => marked(row) && !picked.has(row)), RADIUS.starred, "gold");
      draw(of((row) => picked.has(row)), RADIUS.picked, "green");
    }
    return { root: panel, repaint: dotted.repaint, pointed, points };
  }

  function draw() {
    for (const panel of panels) panel.repaint();
  }

  function point() {
    for (const [kind, row] of store.pointed()) {
      for (const panel of panels) {
        const data = row === null ? "" : dots([panel.points[row]]);
        panel.pointed[kind].forEach((part) => part.setAttribute("d", data));
      }
    }
  }
  return { draw, point };
}
