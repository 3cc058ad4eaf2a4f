// Every pair of scores: the front before generation 0.

const NEAR = 12;

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
    const before = line("before");
    before.setAttribute("d", dots(store.generation0.map(at)));
    const pictures = front.scores.map((scores, row) => {
      const dot = line("picture");
      dot.setAttribute("data-id", front.id[row]);
      dot.setAttribute("d", dots([at(scores)]));
      return dot;
    });
    const pointed = Object.fromEntries(
      ["hovered", "compared", "selected"].map((kind) => [
        kind,
        ["ring", "gap", "core"].map((part) => line(`${kind} ${part}`)),
      ]),
    );
    const chart = drawing(before, ...pictures, ...Object.values(pointed).flat());
    const panel = element(
      "figure",
      { class: "panel", "aria-label": `${title(names[y])} over ${title(names[x])}` },
      element("span", { class: "y muted" }, title(names[y])),
      chart,
      element("figcaption", { class: "x muted" }, title(names[x])),
    );
    panel.style.gridColumn = x + 1;
    panel.style.gridRow = y;

    function nearest(event) {
      const box = chart.getBoundingClientRect();
      let best = null;
      let distance = NEAR;
      for (const row of store.shown) {
        const [px, py] = at(front.scores[row]);
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
    return { root: panel, pictures, pointed, at };
  }

  function draw() {
    const { state, visible } = store;
    for (const panel of panels) {
      panel.pictures.forEach((dot, row) => {
        dot.toggleAttribute("hidden", !visible[row]);
        dot.classList.toggle("starred", state.starred.has(row));
        dot.classList.toggle("picked", state.picked.includes(row));
      });
    }
  }

  function point() {
    for (const [kind, row] of store.pointed()) {
      for (const panel of panels) {
        const data = row === null ? "" : dots([panel.at(front.scores[row])]);
        panel.pointed[kind].forEach((part) => part.setAttribute("d", data));
      }
    }
  }
  return { draw, point };
}
