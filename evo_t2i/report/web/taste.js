// Method, weights, floors and the like: they re-rank at once, by the command line's formulas.

const MOST_WEIGHT = 4;
const FLOOR_STEPS = 200;
const MOST_TOLERANCE = 3;

function makeTaste(store, ask) {
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
    slider(`weight-${j}`, title(name), `weight of ${title(name)}`, { min: 0, max: MOST_WEIGHT, step: 0.05 }, (value) =>
      store.change({ weights: store.state.weights.with(j, value) }),
    ),
  );
  const question = element("button", { type: "button", id: "ask-open" }, "Find them by questions …");
  question.addEventListener("click", ask.start);
  const sequence = makeSequence(store);
  const tolerance = slider("tolerance", "tolerance", "tolerance", { min: 0, max: MOST_TOLERANCE, step: 0.05 }, (value) =>
    store.change({ tolerance: value }),
  );
  const spans = front.names.map((_, j) => extent(front.scores.map((row) => row[j])));
  const floors = front.names.map((name, j) =>
    slider(`floor-${j}`, title(name), `floor of ${title(name)}`, { min: 0, max: FLOOR_STEPS, step: 1 }, (step) =>
      store.change({ floors: store.state.floors.with(j, floorAt(spans[j], step)) }),
    ),
  );
  const count = element("input", { id: "count", type: "number", min: 1, max: Math.max(1, front.id.length), step: 1 });
  count.addEventListener("change", () => {
    const asked = Math.round(count.valueAsNumber) || 1;
    store.change({ count: Math.min(Math.max(asked, 1), Math.max(1, front.id.length)) });
  });
  const take = element("button", { type: "button", id: "take" });
  take.addEventListener("click", () => store.change({ picked: [...store.ranking.chosen] }));
  const reset = element("button", { type: "button", id: "reset" }, "Start over");
  reset.addEventListener("click", () => {
    const { method, weights, floors, count, order, tolerance } = freshState(front.names);
    store.change({ method, weights, floors, count, order, tolerance });
  });
  const notes = element("ul", { class: "notes muted" });
  const parts = {
    weights: part("What each score is worth", ...weights.map((control) => control.root), question),
    sequence: part("What counts", sequence.root, tolerance.root),
    floors: part("The least it may be", ...floors.map((control) => control.root)),
    count: part(
      "How many",
      element("label", { for: "count", class: "hint muted" }, "The others differ from the best."),
      count,
    ),
  };
  byId("taste").append(
    element("h2", {}, "Your taste"),
    element("label", { for: "method" }, "Method"),
    method,
    meaning,
    ...Object.values(parts),
    notes,
    element("div", { class: "actions" }, take, reset),
  );

  function part(heading, ...controls) {
    return element("div", { role: "group", "aria-label": heading }, element("h3", {}, heading), ...controls);
  }

  function draw() {
    const { state, ranking } = store;
    const extremes = state.method === "extremes";
    method.value = state.method;
    meaning.textContent = METHODS[state.method].meaning;
    parts.weights.hidden = !METHODS[state.method].weights;
    parts.sequence.hidden = METHODS[state.method].weights || extremes;
    parts.count.hidden = extremes;
    tolerance.root.hidden = state.method !== "lexicographic";
    weights.forEach((control, j) => {
      const share = `${Math.round(100 * ranking.shares[j])} %`;
      control.show(state.weights[j], `${state.weights[j]} · ${share}`);
    });
    sequence.draw();
    tolerance.show(state.tolerance, `${state.tolerance} sd`);
    floors.forEach((control, j) => {
      const floor = state.floors[j];
      const step = floor === null ? 0 : Math.round(FLOOR_STEPS * fraction(floor, spans[j]));
      const digits = decimals(spans[j], 3);
      control.show(step, floor === null ? "none" : `≥ ${plain(floor, digits)}`);
    });
    if (document.activeElement !== count) count.value = state.count;
    const many = ranking.chosen.length;
    take.textContent = many > 1 ? `Pick these ${many}` : "Pick the best";
    take.disabled = !many;
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

function slider(id, text, name, range, onInput) {
  const input = element("input", { id, type: "range", "aria-label": name, ...range });
  const output = element("output", { for: id, class: "muted" });
  input.addEventListener("input", () => onInput(Number(input.value)));
  return {
    root: element("div", { class: "control" }, element("label", { for: id }, text), output, input),
    show(value, shown) {
      input.value = value;
      input.setAttribute("aria-valuetext", shown);
      output.textContent = shown;
    },
  };
}
