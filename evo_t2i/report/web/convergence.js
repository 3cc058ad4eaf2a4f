// How the run went: hypervolume, and the best of each score, by generation.

function makeConvergence(store, { hypervolume, best }) {
  const { front } = store;
  const root = byId("convergence");
  const last = Math.max(1, store.generations);
  const across = (generation) => (100 * generation) / last;
  const series = [
    ...(hypervolume.length ? [["hypervolume", hypervolume]] : []),
    ...front.names.map((name, j) => [`best ${title(name)}`, best[j]]),
  ];
  const markers = series.map(([name, values]) => {
    const known = values.map((value, generation) => [generation, value]).filter(([, value]) => value !== null);
    const span = padded(extent(values), 0.1);
    const path = line("trend");
    const at = ([generation, value]) => [across(generation), 100 - 100 * fraction(value, span)];
    path.setAttribute("d", known.length > 1 ? polyline(known.map(at)) : dots(known.map(at)));
    const marker = line("marker");
    const digits = decimals(extent(values));
    const [from, to] = [known.at(0)?.[1], known.at(-1)?.[1]];
    const change = known.length ? `${plain(from, digits)} → ${plain(to, digits)}` : "nothing finite";
    root.append(
      element(
        "figure",
        { class: "trend" },
        element("figcaption", {}, element("span", {}, name), element("span", { class: "muted" }, change)),
        drawing(marker, path),
      ),
    );
    return marker;
  });

  function point() {
    const row = store.state.hovered ?? store.state.selected;
    const data = row === null ? "" : `M${across(front.generation[row]).toFixed(2)} 0V100`;
    markers.forEach((marker) => marker.setAttribute("d", data));
  }
  return { point };
}
