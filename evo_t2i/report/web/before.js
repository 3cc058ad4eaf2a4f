// Where the search began: a plain sample and the best of generation 0, beside what was evolved.

/** How far two balanced values lie apart before scores can tell: evo_t2i/picking/start.py. */
const NOISE = 0.25;

function makeBefore(store) {
  const { front } = store;
  const root = byId("before");
  if (!front.before) return {};
  const { plain: sample, best } = front.before;
  const said = element("p", { class: "muted" });
  root.hidden = false;
  root.append(
    element("h2", {}, "Generation 0"),
    element(
      "div",
      { class: "pictures" },
      figure(sample, "A plain sample: its first picture", "plain.png"),
      figure(best, "Its best", "start.png"),
    ),
    said,
  );

  function figure({ picture, id }, text, file) {
    const image = element("img", { src: picture, alt: `Picture ${id} of generation 0 for: ${store.caption}` });
    return element("figure", {}, image, element("figcaption", {}, text, ` (${file})`));
  }

  /** The balanced value of z's row by the weights that are set, as `balanced` in formulas.js. */
  function value(z) {
    return weightedSum([z.map((each) => Math.min(each, Z_CAP))], store.ranking.shares)[0];
  }

  function point() {
    const { selected } = store.state;
    if (selected === null) return;
    const [z] = standardised([best.scores], front.centre, front.scale);
    const gain = value(front.z[selected]) - value(z);
    const over = `The selected picture’s balanced value is ${signed(gain, 2)} over its best`;
    said.textContent =
      gain > NOISE
        ? `${over}.`
        : `${over}: no more than the scores can tell, so look at both before you take it.`;
  }

  return { draw: point, point };
}
