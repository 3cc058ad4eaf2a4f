// One state for every view. A change of taste or filter draws the views; one of the selected or
// the hovered picture only points. However many changes a frame brings, all is ranked and drawn once.

const POINTING = new Set(["selected", "hovered", "compared"]);

function freshState(names) {
  return {
    method: "balanced",
    weights: names.map(() => 1),
    floors: names.map(() => null),
    count: 1,
    order: names.map((_, j) => j),
    tolerance: 0.5,
    brushes: names.map(() => null),
    axes: names.map((_, j) => j),
    inverted: new Set(),
    starred: new Set(),
    picked: [],
    query: "",
    stacked: true,
    selected: null,
    hovered: null,
    compared: null,
  };
}

/**
 * The state and what follows from it: `ranking`, `place` (row → 1 for the best), `visible`
 * (row → whether it passes floors, brushes and filter), `shown` (those rows, best first), `listed`
 * (those of them that the gallery lists: of each look the best, where looks are stacked), `stack`
 * (row → how many of `shown` have its look, where they are stacked).
 */
function makeStore(front) {
  const store = { front, state: freshState(front.names), views: [], version: 0 };
  let waiting = null;
  let derived = null;

  function derive() {
    const { state } = store;
    store.version += 1;
    const ranking = ranked(front, state);
    const place = new Map(ranking.order.map((row, i) => [row, i + 1]));
    const numbers = (row, name) => {
      if (name === "id") return front.id[row];
      if (name === "generation") return front.generation[row];
      if (name === "place") return place.get(row) ?? Infinity;
      if (name === "value") return ranking.value[row];
      if (name === "look") return front.look[row];
      return front.scores[row][front.names.indexOf(name)];
    };
    const has = {
      starred: (row) => state.starred.has(row),
      picked: (row) => state.picked.includes(row),
      different: (row) => !front.different.size || front.different.has(row),
    };
    const query = parsedQuery(state.query, front.names, {
      field: numbers,
      marked: (row, mark) => has[mark](row),
    });
    const visible = front.scores.map(() => false);
    const shown = ranking.order.filter((row) => withinBrushes(row) && query.test(row));
    for (const row of shown) visible[row] = true;
    if (state.selected === null && shown.length) state.selected = shown[0];
    return { ranking, place, visible, shown, ...stacks(shown), queryProblem: query.problem };
  }

  /** Of each look the best one, unless all that is shown has one look. */
  function stacks(shown) {
    const covers = new Map();
    const stack = new Map();
    for (const row of shown) {
      const look = front.look[row];
      if (!covers.has(look)) covers.set(look, row);
      stack.set(covers.get(look), (stack.get(covers.get(look)) ?? 0) + 1);
    }
    if (!store.state.stacked || covers.size < 2) return { listed: shown, stack: new Map(), cover: (row) => row };
    return { listed: [...covers.values()], stack, cover: (row) => covers.get(front.look[row]) };
  }

  for (const name of ["ranking", "place", "visible", "shown", "listed", "stack", "cover", "queryProblem"]) {
    Object.defineProperty(store, name, { get: () => (derived ??= derive())[name] });
  }

  function withinBrushes(row) {
    return store.state.brushes.every((brush, j) => {
      const score = front.scores[row][j];
      return brush === null || (score >= brush[0] && score <= brush[1]);
    });
  }

  function draw() {
    const kind = waiting;
    waiting = null;
    derived ??= derive();
    for (const view of store.views) {
      if (kind === "draw") view.draw?.();
      view.point?.();
    }
  }

  /** Take over some of the state and let the views follow before the next frame. */
  store.change = (changes) => {
    Object.assign(store.state, changes);
    const pointing = Object.keys(changes).every((key) => POINTING.has(key));
    if (!pointing) derived = null;
    if (waiting === null) requestAnimationFrame(draw);
    waiting = pointing ? waiting ?? "point" : "draw";
    store.changed?.(changes);
  };

  store.toggleStar = (row) => {
    const starred = new Set(store.state.starred);
    starred.delete(row) || starred.add(row);
    store.change({ starred });
  };

  store.togglePick = (row) => {
    const { picked } = store.state;
    store.change({
      picked: picked.includes(row) ? picked.filter((other) => other !== row) : [...picked, row],
    });
  };

  /** Rows that views point at, in one order: hovered, compared, selected on top. */
  store.pointed = () =>
    ["hovered", "compared", "selected"].map((kind) => {
      const row = store.state[kind];
      return [kind, row !== null && store.visible[row] ? row : null];
    });

  return store;
}
