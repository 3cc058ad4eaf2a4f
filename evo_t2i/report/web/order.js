// Ties, dominance, and a choice that differs: evo_t2i/picking/order.py.

const TIE_SCALE = 1e9;
const HALF_TIE = 0.5e-9;

/** Nine decimals; a half goes to the even neighbour, as in numpy. */
function rounded(value) {
  const scaled = value * TIE_SCALE;
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  if (rest === 0.5) return (whole % 2 === 0 ? whole : whole + 1) / TIE_SCALE;
  return (rest < 0.5 ? whole : whole + 1) / TIE_SCALE;
}

/**
 * The allowed rows, best first: by `keys` (a number for each row, smaller is better, the first key
 * counts most), then by the number of allowed rows that dominate them, then by the row.
 */
function bestFirst(scores, keys, allowed) {
  const near = keys.map((key) => Float64Array.from(key, rounded));
  const counted = new Map();
  const dominators = (row) => {
    if (!counted.has(row)) counted.set(row, dominatorCount(scores, allowed, row));
    return counted.get(row);
  };
  return [...allowed].sort((a, b) => {
    for (const key of near) {
      if (key[a] !== key[b]) return key[a] - key[b];
    }
    return dominators(a) - dominators(b) || a - b;
  });
}

/** How many of the `allowed` rows dominate `row`: nowhere lower, somewhere higher. */
function dominatorCount(scores, allowed, row) {
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
}

/**
 * At most `count` rows of `order`, kept in that order: the first, then one by one the row of
 * `points` that is farthest from those taken.
 */
function spreadOut(points, order, count) {
  const pool = order.map((row) => points[row]);
  const away = (from) => pool.map((point) => distanceBetween(point, pool[from]));
  const taken = [0];
  let distance = away(0);
  while (taken.length < Math.min(count, pool.length)) {
    taken.forEach((place) => (distance[place] = -1));
    const farthest = largestPlace(distance.map(rounded));
    taken.push(farthest);
    const fromThere = away(farthest);
    distance = distance.map((old, place) => Math.min(old, fromThere[place]));
  }
  return taken.sort((a, b) => a - b).map((place) => order[place]);
}

function distanceBetween(a, b) {
  return Math.sqrt(a.reduce((sum, value, j) => sum + (value - b[j]) * (value - b[j]), 0));
}

/** Where the largest value stands; the first of equal ones. */
function largestPlace(values) {
  return values.reduce((best, value, place) => (value > values[best] ? place : best), 0);
}
