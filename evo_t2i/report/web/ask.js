// "Which is the worst?": four pictures at a time, and weights that follow from the answers.

function makeAsk(store) {
  const { front } = store;
  const dialog = byId("ask");
  const progress = byId("ask-progress");
  const pictures = byId("ask-pictures");
  const actions = byId("ask-actions");
  let learner = null;
  let question = [];
  let before = null;

  const unsure = button("Cannot tell", "s", () => answer(null));
  const enough = button("Enough", "q", end);
  const done = button("Done", null, () => dialog.close());
  const undo = button("Put my weights back", null, () => {
    store.change(before);
    dialog.close();
  });

  function button(text, key, onClick) {
    const node = element("button", { type: "button", "aria-keyshortcuts": key }, text);
    if (key) node.append(" ", element("kbd", { "aria-hidden": "true" }, key));
    node.addEventListener("click", onClick);
    return node;
  }

  function start() {
    learner = makeLearner(front, store.state.floors);
    const { method, weights, count } = store.state;
    before = { method, weights, count };
    dialog.showModal();
    if (learner) {
      next();
    } else {
      say("There is nothing to ask", "Fewer than two pictures can be picked, or no score tells them apart.");
      show([], [done]);
      done.focus();
    }
  }

  function next() {
    question = learner.question();
    say("Which is the worst?", `Question ${learner.rounds() + 1} of at most ${MOST_ROUNDS}. Click or tap it, or press its number.`);
    show(
      question.map((row, place) => {
        const choice = element(
          "button",
          { type: "button", class: "choice", "data-id": front.id[row], "aria-label": `Picture ${place + 1} is the worst` },
          picture(row),
          element("kbd", { "aria-hidden": "true" }, String(place + 1)),
        );
        choice.addEventListener("click", () => answer(place));
        return choice;
      }),
      [unsure, enough],
    );
    pictures.firstElementChild.focus();
  }

  function answer(place) {
    learner.answer(question, place);
    if (learner.finished()) end();
    else next();
  }

  /** Let the sliders follow, in units in which the mean weight is 1, and show what comes of it. */
  function end() {
    const rounds = learner.rounds();
    if (!rounds) {
      learner = null;
      dialog.close();
      return;
    }
    const units = positive(ranked(front, { ...freshState(front.names), floors: store.state.floors }).shares);
    const learned = learner.learned();
    const weights = learned.map((weight) => Number((weight * units.length).toFixed(3)));
    store.change({ method: "balanced", weights, count: 1 });
    const best = store.ranking.order[0];
    store.change({ selected: best });
    const why = learner.settled() ? "; the last ones left the best picture as it was" : "";
    say("This is what you like", `Learned from ${plural(rounds, "answer")}${why}. The sliders stand so.`);
    const shares = front.names.map((name, j) =>
      element(
        "div",
        {},
        element("dt", {}, title(name)),
        element("dd", {}, `${Math.round(100 * store.ranking.shares[j])} %`),
      ),
    );
    show(
      [element("div", { class: "learned" }, picture(best), element("dl", {}, ...shares))],
      [done, undo],
    );
    learner = null;
    done.focus();
  }

  function picture(row) {
    return element("img", {
      src: front.thumbnail[row],
      alt: `Picture ${front.id[row]}`,
      width: front.size[0],
      height: front.size[1],
    });
  }

  function say(heading, text) {
    byId("ask-title").textContent = heading;
    progress.textContent = text;
  }

  function show(shown, buttons) {
    pictures.replaceChildren(...shown);
    actions.replaceChildren(...buttons);
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !learner) return;
    const place = Number(event.key) - 1;
    if (question[place] !== undefined) answer(place);
    else if (event.key.toLowerCase() === "s") answer(null);
    else if (event.key.toLowerCase() === "q" || event.key === "Escape") end();
    else return;
    event.preventDefault();
  });
  // A phone's back gesture closes a dialog without a key.
  dialog.addEventListener("close", () => {
    if (learner) end();
    pictures.replaceChildren();
  });
  return { start };
}
