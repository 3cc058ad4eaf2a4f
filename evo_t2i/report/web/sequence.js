// For the methods without weights: which scores count and, for lexicographic, in which order.

function makeSequence(store) {
  const { names } = store.front;
  const root = element("ol", { class: "sequence" });
  const items = names.map((name, j) => {
    const counts = element("input", { type: "checkbox", id: `counts-${j}` });
    counts.addEventListener("change", () =>
      store.change({ weights: store.state.weights.with(j, counts.checked ? 1 : 0) }),
    );
    const earlier = mover(`${title(name)} earlier`, "↑", () => move(j, -1));
    const later = mover(`${title(name)} later`, "↓", () => move(j, 1));
    const label = element("label", { for: counts.id }, title(name));
    return { root: element("li", {}, counts, label, earlier, later), counts, earlier, later };
  });

  function mover(label, arrow, onClick) {
    const node = element("button", { type: "button", "aria-label": label }, arrow);
    node.addEventListener("click", onClick);
    return node;
  }

  function move(j, step) {
    const order = store.state.order.filter((other) => other !== j);
    order.splice(store.state.order.indexOf(j) + step, 0, j);
    store.change({ order });
  }

  function draw() {
    const { order, weights, method } = store.state;
    const ordered = method === "lexicographic";
    root.classList.toggle("ordered", ordered);
    const focused = document.activeElement;
    const shown = ordered ? order : names.map((_, j) => j);
    if (shown.some((j, place) => root.children[place] !== items[j].root)) {
      root.append(...shown.map((j) => items[j].root));
    }
    shown.forEach((j, place) => {
      const { counts, earlier, later } = items[j];
      counts.checked = weights[j] > 0;
      earlier.hidden = later.hidden = !ordered;
      earlier.disabled = place === 0;
      later.disabled = place === names.length - 1;
      if (focused === earlier) (earlier.disabled ? later : earlier).focus();
      if (focused === later) (later.disabled ? earlier : later).focus();
    });
  }
  return { root, draw };
}
