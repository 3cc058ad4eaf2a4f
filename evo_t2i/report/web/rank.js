// The choice of `evo-t2i pick`: evo_t2i/picking/methods.py.

const WORSE = -1;

/**
 * What a taste {method, weights, floors, count, order, tolerance} makes of a front; a floor is null
 * where there is none, `order` holds places in `names`, the most important first.
 *
 * ranking: the rows that reach every floor, best first. chosen: the `count` rows that the command
 * takes, best first (of `extremes` the best of each score). order: the chosen rows, then the others of
 * the ranking. value: of every row, higher is better. shares: the weights, summing to 1. notes: what a
 * person should know. problem: a sentence when the taste cannot be followed; the order then holds the
 * rows that reach the floors, in their own order.
 */
function ranked(front, taste) {
  const { names, scores, z, scale } = front;
  const method = METHODS[taste.method];
  const rows = [...scores.keys()];
  const allowed = rows.filter((row) =>
    taste.floors.every((floor, j) => floor === null || scores[row][j] >= floor),
  );
  const weights = countedWeights(taste);
  const failed = (problem) => ({
    order: allowed,
    ranking: allowed,
    chosen: [],
    value: rows.map(() => 0),
    shares: weights.map(() => 0),
    notes: [],
    problem,
  });
  if (!rows.length) return failed("The front is empty.");
  if (!allowed.length) return failed("No picture reaches every floor; lower one.");
  if (!weights.some((weight) => weight > 0)) {
    return failed("Every weight is 0; give at least one score a weight.");
  }
  const { unit, spans } = scaledToFront(scores, allowed);
  const varies = (method.usesZ ? scale : spans).map((spread) => spread > 0);
  const asked = normalised(weights);
  const notes = names
    .filter((_, j) => asked[j] > 0 && !varies[j])
    .map((name) => {
      const where = method.usesZ ? "in generation 0" : "on the front";
      return `${title(name)} does not vary ${where} and was left out.`;
    });
  const shares = normalised(asked.map((share, j) => (varies[j] ? share : 0)));
  const used = positive(shares);

  const columns = method.usesZ ? z : unit;
  const { order: sequence, tolerance } = taste;
  const value = method.value(columns, { shares, allowed, order: sequence, tolerance });
  const smallest = columns.map((row) => (used.length ? Math.min(...used.map((j) => row[j])) : 0));
  const mean = weightedSum(columns, shares);
  const last = comesLast(taste.method, scores, used, smallest, allowed);
  const ranking = bestFirst(
    scores,
    [last, ...[value, smallest, mean].map((key) => key.map((number) => -number))],
    allowed,
  );
  const better = ranking.slice(0, Math.max(taste.count, Math.ceil(ranking.length / 2)));
  const inUse = (row) => used.map((j) => z[row][j]);
  const chosen =
    taste.method === "extremes"
      ? [...new Set(names.map((_, j) => ranking[largestPlace(ranking.map((row) => scores[row][j]))]))]
      : spreadOut(rows.map(inUse), better, taste.count);

  if (taste.method !== "extremes" && chosen.length < taste.count) {
    notes.push(`Only ${plural(chosen.length, "picture")} can be picked; ${taste.count} were asked for.`);
  }
  if (taste.method === "balanced" && last[ranking[0]]) {
    notes.push("No picture is at least as good as generation 0's median in every score.");
  }
  const capped = ranking.filter((row) => value[row] >= Z_CAP - HALF_TIE).length;
  if (taste.method === "balanced" && capped > 1) {
    notes.push(
      `${capped} pictures reach the cap of +${Z_CAP} in every score, so weights do not tell them apart; ` +
        "look at them, or give a score that may be fooled the weight 0.",
    );
  }
  if (taste.method !== "balanced" && taste.method !== "extremes") {
    const worse = used.filter((j) => z[ranking[0]][j] < WORSE).map((j) => title(names[j]));
    if (worse.length) {
      notes.push(
        `The best by ${taste.method} is more than one standard deviation below generation 0's ` +
          `median in ${worse.join(" and ")}; balanced puts such pictures last.`,
      );
    }
  }
  const behind = ranking.length > 1 ? value[ranking[0]] - value[ranking[1]] : 0;
  if (taste.method !== "extremes" && behind < -HALF_TIE) {
    notes.push(
      taste.method === "balanced"
        ? "The second has a larger value but is worse than generation 0's median in a score."
        : "The second has a larger value but is dominated.",
    );
  }
  const taken = new Set(chosen);
  const order = [...chosen, ...ranking.filter((row) => !taken.has(row))];
  return { order, ranking, chosen, value, shares, notes, problem: null };
}

/** The weights as the method takes them: 0 or 1 where it weighs alike, all 1 for `extremes`. */
function countedWeights({ method, weights }) {
  if (method === "extremes") return weights.map(() => 1);
  return METHODS[method].weights ? weights : weights.map((weight) => (weight > 0 ? 1 : 0));
}

/** 1 for the rows that come after all others, whatever their value. */
function comesLast(method, scores, used, smallest, allowed) {
  if (method === "balanced") return smallest.map((least) => (least < -HALF_TIE ? 1 : 0));
  const last = scores.map(() => 0);
  if (!METHODS[method].monotone) {
    const inUse = scores.map((row) => used.map((j) => row[j]));
    for (const row of allowed) last[row] = dominatorCount(inUse, allowed, row) > 0 ? 1 : 0;
  }
  return last;
}

function normalised(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? weights.map((weight) => weight / total) : weights;
}
