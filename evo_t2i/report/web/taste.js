// Method, weights and floors: they re-rank at once, by the command line's formulas.

const MOST_WEIGHT = 4;
const FLOOR_STEPS = 200;

function makeTaste(store) {
  const { front } = store;
  const method = element(
    "select",
    { id: "method" },
    ...Object.keys(METHODS).map((name) => element("option", { value: name }, name)),
  );
  const meaning = element("p", { class: "muted hint", id: "method-meaning" });
  method.setAttribute("aria-describedby", "method-meaning");
  method.addEventListener("change", () => store.change({ method: method.value }));

  const weights = front.names.map((name, j) =>
    slider(`weight-${j}`, name, "weight of", { min: 0, max: MOST_WEIGHT, step: 0.05 }, (value) =>
      store.change({ weights: store.state.weights.with(j, value) }),
    ),
  );
  const spans = front.names.map((_, j) => extent(front.scores.map((row) => row[j])));
  const floors = front.names.map((name, j) =>
    slider(`floor-${j}`, name, "floor of", { min: 0, max: FLOOR_STEPS, step: 1 }, (step) =>
      store.change({ floors: store.state.floors.with(j, floorAt(spans[j], step)) }),
    ),
  );
  const reset = element("button", { type: "button", id: "reset" }, "Start over");
  reset.addEventListener("click", () => {
    const { method, weights, floors } = freshState(front.names);
    store.change({ method, weights, floors });
  });
  const notes = element("ul", { class: "notes muted" });
  byId("taste").append(
    element("h2", {}, "Your taste"),
    element("label", { for: "method" }, "Method"),
    method,
    meaning,
    element("h3", {}, "What each score is worth"),
    ...weights.map((control) => control.root),
    element("h3", {}, "The least it may be"),
    ...floors.map((control) => control.root),
    notes,
    reset,
  );

  function draw() {
    const { state, ranking } = store;
    method.value = state.method;
    meaning.textContent = METHODS[state.method];
    weights.forEach((control, j) => {
      const share = `${Math.round(100 * ranking.shares[j])} %`;
      control.show(state.weights[j], `${state.weights[j]} · ${share}`);
    });
    floors.forEach((control, j) => {
      const floor = state.floors[j];
      const step = floor === null ? 0 : Math.round(FLOOR_STEPS * fraction(floor, spans[j]));
      const digits = decimals(spans[j], 3);
      control.show(step, floor === null ? "none" : `≥ ${plain(floor, digits)}`);
    });
    notes.replaceChildren(...ranking.notes.map((note) => element("li", {}, note)));
  }
  return { draw };
}

/** The floor at a slider's step, in few decimals and never above the best; none at the first. */
function floorAt(span, step) {
  if (step === 0) return null;
  const [low, high] = span;
  const floor = Number((low + ((high - low) * step) / FLOOR_STEPS).toFixed(decimals(span, 3)));
  return Math.min(floor, high);
}

function slider(id, name, kind, range, onInput) {
  const input = element("input", { id, type: "range", "aria-label": `${kind} ${title(name)}`, ...range });
  const output = element("output", { for: id, class: "muted" });
  input.addEventListener("input", () => onInput(Number(input.value)));
  return {
    root: element(
      "div",
      { class: "control" },
      element("label", { for: id }, title(name)),
      output,
      input,
    ),
    show(value, text) {
      input.value = value;
      input.setAttribute("aria-valuetext", text);
      output.textContent = text;
    },
  };
}
