// What a picture of a front is worth: evo_t2i/picking/formulas.py, operation by operation in double
// precision.

const Z_CAP = 3;
const WORST_CONDITION = 1e6;

/**
 * value(columns, wish): the value of every row; columns are z or u, wish is {shares, allowed, order,
 * tolerance}. weights: whether weights other than 0 and 1 make a difference. monotone: whether a
 * picture never has less value than one that it dominates.
 */
const METHODS = {
  balanced: {
    value: (z, { shares }) => weightedSum(z.map((row) => row.map((v) => Math.min(v, Z_CAP))), shares),
    usesZ: true,
    weights: true,
    monotone: true,
    meaning: "The mean of z against generation 0, each up to +3; no score below its median.",
  },
  weighted: {
    value: (unit, { shares }) => weightedSum(unit, shares),
    weights: true,
    monotone: true,
    meaning: "The weighted mean of the scores, scaled to the front.",
  },
  asf: {
    value: maximin,
    weights: true,
    monotone: true,
    meaning: "The worst shortfall counts.",
  },
  topsis: {
    value: topsis,
    weights: true,
    monotone: true,
    meaning: "Near the best of everything and far from the worst.",
  },
  rank: {
    value: meanRank,
    weights: true,
    monotone: true,
    meaning: "The mean place over the scores; sizes do not count.",
  },
  "pseudo-weights": {
    value: pseudoWeights,
    weights: true,
    monotone: false,
    meaning: "Strengths in this mixture, wherever on the front.",
  },
  knee: {
    value: knee,
    weights: false,
    monotone: true,
    meaning: "Where the front bulges most: gives up least of everything.",
  },
  lexicographic: {
    value: lexicographic,
    usesZ: true,
    weights: false,
    monotone: true,
    meaning: "Score after score; each keeps what is nearly its best.",
  },
  extremes: {
    value: (unit, { shares }) => weightedSum(unit, shares),
    weights: false,
    monotone: true,
    meaning: "The best picture of each score, then the others by their mean.",
  },
};

function positive(shares) {
  return [...shares.keys()].filter((j) => shares[j] > 0);
}

/** Of each row the sum of its values times the weights; columns of weight 0 are not looked at. */
function weightedSum(columns, weights) {
  const used = positive(weights);
  return columns.map((row) => {
    let total = 0;
    for (const j of used) total += weights[j] * row[j];
    return total;
  });
}

function maximin(unit, { shares }) {
  const used = positive(shares);
  if (!used.length) return unit.map(() => 0);
  const weight = used.map((j) => shares.length * shares[j]);
  return unit.map((row) => -Math.max(...used.map((j, i) => weight[i] * (1 - row[j]))));
}

function topsis(unit, { shares }) {
  const squares = shares.map((share) => share * share);
  const distance = (rows) => weightedSum(rows, squares).map(Math.sqrt);
  const toWorst = distance(unit.map((row) => row.map((u) => u * u)));
  const toBest = distance(unit.map((row) => row.map((u) => (1 - u) * (1 - u))));
  return toWorst.map((worst, i) => 1 / (1 + (worst > 0 ? toBest[i] / worst : Infinity)));
}

function meanRank(unit, { shares }) {
  const ranks = unit.map((row) => row.map(() => 0));
  shares.forEach((_, j) => {
    const descending = unit.map((row) => row[j]).sort((a, b) => b - a);
    const better = new Map();
    descending.forEach((u, i) => better.has(u) || better.set(u, i));
    unit.forEach((row, i) => (ranks[i][j] = better.get(row[j])));
  });
  return weightedSum(ranks, shares).map((mean) => -mean);
}

function pseudoWeights(unit, { shares }) {
  const used = positive(shares);
  if (!used.length) return unit.map(() => 0);
  const ones = shares.map((share) => (share > 0 ? 1 : 0));
  const total = weightedSum(unit, ones);
  const off = unit.map((row, i) =>
    row.map((u, j) => Math.abs((total[i] > 0 ? u / total[i] : 0) - shares[j])),
  );
  return weightedSum(off, ones).map((distance, i) => -(total[i] > 0 ? distance : 2));
}

function knee(unit, { shares, allowed }) {
  const used = positive(shares);
  if (!used.length) return unit.map(() => 0);
  const candidates = allowed.map((row) => used.map((j) => unit[row][j]));
  const extremes = used.map((_, k) => extremeOf(candidates, k));
  const normal = shares.map((share) => (share > 0 ? 1 : 0));
  const inverse = inverted(extremes);
  const through = inverse.map((row) => row.reduce((sum, value) => sum + value, 0));
  const spans = norm(extremes) * norm(inverse) < WORST_CONDITION;
  if (spans && through.every((weight) => weight > 1 / WORST_CONDITION)) {
    used.forEach((j, k) => (normal[j] = through[k]));
  }
  const length = Math.sqrt(normal.reduce((sum, weight) => sum + weight * weight, 0));
  return weightedSum(unit, normal).map((sum) => (sum - 1) / length);
}

/** The best of the candidates in score k; equal ones by their sum, then by their scores. */
function extremeOf(candidates, k) {
  const keys = (row) => [row[k], rounded(row.reduce((sum, u) => sum + u, 0)), ...row.toReversed()];
  return candidates.reduce((best, row) => {
    const [mine, theirs] = [keys(row), keys(best)];
    const differing = mine.findIndex((key, i) => key !== theirs[i]);
    return differing >= 0 && mine[differing] > theirs[differing] ? row : best;
  });
}

/** By Gauss-Jordan elimination with the largest pivot of each column; not finite where singular. */
function inverted(matrix) {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < size; k += 1) {
    const pivot = k + largestPlace(rows.slice(k).map((row) => Math.abs(row[k])));
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    rows[k] = rows[k].map((value) => value / rows[k][k]);
    for (let i = 0; i < size; i += 1) {
      if (i === k) continue;
      const factor = rows[i][k];
      rows[i] = rows[i].map((value, j) => value - factor * rows[k][j]);
    }
  }
  return rows.map((row) => row.slice(size));
}

/** The 1-norm: the largest sum of a column's absolute values. */
function norm(matrix) {
  return Math.max(...matrix[0].map((_, j) => matrix.reduce((sum, row) => sum + Math.abs(row[j]), 0)));
}

function lexicographic(z, { shares, allowed, order, tolerance }) {
  const columns = order.filter((j) => shares[j] > 0);
  const mayBeTaken = new Set(allowed);
  const value = z.map(() => 0);
  let left = [...z.keys()];
  columns.forEach((j, passed) => {
    const score = z.map((row) => rounded(row[j]));
    let ends = left;
    if (passed < columns.length - 1) {
      const best = left.reduce((most, row) => (mayBeTaken.has(row) ? Math.max(most, score[row]) : most), -Infinity);
      ends = left.filter((row) => rounded(best - score[row]) > tolerance);
    }
    const equals = ends.filter((row) => mayBeTaken.has(row)).map((row) => score[row]);
    for (const row of ends) {
      const beaten = equals.reduce((count, other) => (other < score[row] ? count + 1 : count), 0);
      value[row] = passed + beaten / Math.max(equals.length, 1);
    }
    const gone = new Set(ends);
    left = left.filter((row) => !gone.has(row));
  });
  return value;
}
