// The order that `evo-t2i pick` gives: the formulas, ties and rounding of
// evo_t2i/picking/methods.py, operation by operation in double precision.

const Z_CAP = 3;
const TIE_SCALE = 1e9;
const HALF_TIE = 0.5e-9;

const METHODS = {
  balanced: "the mean of z against generation 0, each up to +3; no score below its median",
  weighted: "the weighted mean of the scores, scaled to the front",
  asf: "the worst shortfall counts",
  topsis: "near the best of everything and far from the worst",
  rank: "the mean place over the scores; sizes do not count",
};

const VALUES = {
  balanced: (z, shares) => weightedMean(z.map((row) => row.map((v) => Math.min(v, Z_CAP))), shares),
  weighted: (unit, shares) => weightedMean(unit, shares),
  asf: maximin,
  topsis,
  rank: meanRank,
};

/** z of rows of scores against generation 0; 0 where a score has no spread there. */
function standardised(scores, centre, scale) {
  return scores.map((row) => row.map((s, j) => (scale[j] > 0 ? (s - centre[j]) / scale[j] : 0)));
}

/**
 * Order of a front by a taste {method, weights, floors}; a floor is null where there is none.
 *
 * order: the rows that reach every floor, best first. value: of every row, higher is better.
 * shares: the weights, summing to 1. notes: what a person should know. problem: a sentence when
 * the taste cannot be followed; order then holds the rows that reach the floors, in their own
 * order.
 */
function ranked(front, taste) {
  const { names, scores, z, scale } = front;
  const rows = [...scores.keys()];
  const allowed = rows.filter((row) =>
    taste.floors.every((floor, j) => floor === null || scores[row][j] >= floor),
  );
  const failed = (problem) => ({
    order: allowed,
    value: rows.map(() => 0),
    shares: taste.weights.map(() => 0),
    notes: [],
    problem,
  });
  if (!rows.length) return failed("The front is empty.");
  if (!allowed.length) return failed("No picture reaches every floor; lower one.");
  if (!taste.weights.some((weight) => weight > 0)) {
    return failed("Every weight is 0; give at least one score a weight.");
  }
  const balanced = taste.method === "balanced";
  const { unit, spans } = scaledToFront(scores, allowed);
  const varies = (balanced ? scale : spans).map((spread) => spread > 0);
  const asked = normalised(taste.weights);
  const notes = names
    .filter((_, j) => asked[j] > 0 && !varies[j])
    .map((name) => {
      const where = balanced ? "in generation 0" : "on the front";
      return `${title(name)} does not vary ${where} and was left out.`;
    });
  const shares = normalised(asked.map((share, j) => (varies[j] ? share : 0)));
  const used = names.map((_, j) => j).filter((j) => shares[j] > 0);

  const columns = balanced ? z : unit;
  const value = VALUES[taste.method](columns, shares);
  const smallest = columns.map((row) => (used.length ? Math.min(...used.map((j) => row[j])) : 0));
  const mean = weightedMean(columns, shares);
  const below = smallest.map((least) => balanced && least < -HALF_TIE);
  const keys = new Map();
  const dominators = dominatorCounts(scores, allowed);
  allowed.forEach((row, i) =>
    keys.set(row, [
      below[row] ? 1 : 0,
      -rounded(value[row]),
      -rounded(smallest[row]),
      -rounded(mean[row]),
      dominators[i],
      row,
    ]),
  );
  const order = [...allowed].sort((a, b) => {
    const first = keys.get(a);
    const second = keys.get(b);
    const differing = first.findIndex((key, i) => key !== second[i]);
    return differing < 0 ? 0 : first[differing] - second[differing];
  });
  if (below[order[0]]) {
    notes.push("No picture is at least as good as generation 0's median in every score.");
  }
  if (order.length > 1 && value[order[0]] - value[order[1]] < -HALF_TIE) {
    notes.push(
      "The second has a larger value but is worse than generation 0's median in a score.",
    );
  }
  return { order, value, shares, notes, problem: null };
}

/** Nine decimals; a half goes to the even neighbour, as in numpy. */
function rounded(value) {
  const scaled = value * TIE_SCALE;
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  if (rest === 0.5) return (whole % 2 === 0 ? whole : whole + 1) / TIE_SCALE;
  return (rest < 0.5 ? whole : whole + 1) / TIE_SCALE;
}

function normalised(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? weights.map((weight) => weight / total) : weights;
}

function weightedMean(columns, shares) {
  return columns.map((row) =>
    shares.reduce((sum, share, j) => (share > 0 ? sum + share * row[j] : sum), 0),
  );
}

function maximin(unit, shares) {
  const used = [...shares.keys()].filter((j) => shares[j] > 0);
  if (!used.length) return unit.map(() => 0);
  const weight = used.map((j) => shares.length * shares[j]);
  return unit.map((row) => -Math.max(...used.map((j, i) => weight[i] * (1 - row[j]))));
}

function topsis(unit, shares) {
  const squares = shares.map((share) => share * share);
  const distance = (rows) => weightedMean(rows, squares).map(Math.sqrt);
  const toWorst = distance(unit.map((row) => row.map((u) => u * u)));
  const toBest = distance(unit.map((row) => row.map((u) => (1 - u) * (1 - u))));
  return toWorst.map((worst, i) => 1 / (1 + (worst > 0 ? toBest[i] / worst : Infinity)));
}

function meanRank(unit, shares) {
  const ranks = unit.map((row) => row.map(() => 0));
  shares.forEach((_, j) => {
    const descending = unit.map((row) => row[j]).sort((a, b) => b - a);
    const better = new Map();
    descending.forEach((u, i) => better.has(u) || better.set(u, i));
    unit.forEach((row, i) => (ranks[i][j] = better.get(row[j])));
  });
  return weightedMean(ranks, shares).map((mean) => -mean);
}

/** Scores scaled to [0, 1] by the allowed rows, and the spans before. */
function scaledToFront(scores, allowed) {
  const count = scores[0].length;
  const lowest = Array(count).fill(Infinity);
  const highest = Array(count).fill(-Infinity);
  for (const row of allowed) {
    scores[row].forEach((s, j) => {
      lowest[j] = Math.min(lowest[j], s);
      highest[j] = Math.max(highest[j], s);
    });
  }
  const spans = highest.map((high, j) => high - lowest[j]);
  const unit = scores.map((row) =>
    row.map((s, j) => (spans[j] > 0 ? (s - lowest[j]) / spans[j] : 1)),
  );
  return { unit, spans };
}

/** For each allowed row, how many other allowed rows dominate it. */
function dominatorCounts(scores, allowed) {
  return allowed.map((row) => {
    const mine = scores[row];
    let count = 0;
    for (const other of allowed) {
      const theirs = scores[other];
      let better = false;
      let asGood = true;
      for (let j = 0; j < mine.length; j += 1) {
        if (theirs[j] < mine[j]) {
          asGood = false;
          break;
        }
        if (theirs[j] > mine[j]) better = true;
      }
      if (asGood && better) count += 1;
    }
    return count;
  });
}
