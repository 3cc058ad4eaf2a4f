// Weights learned from "which of these is the worst?": evo_t2i/picking/ask.py, with the same
// questions and the same weights for the same answers.

const MOST_ROUNDS = 10;
const STEADY_ANSWERS = 3;
const SHOWN = 4;
const DRAWS = 20000;
const THOUGHTFUL = 300;
const DIFFERENT = 24;
const LEAST_CHANCE = 1e-300;

/**
 * Questions, answers and what follows from them, for `pick`'s balanced method with these floors;
 * null where there are fewer than two pictures to choose from or no score that varies.
 */
function makeLearner(front, floors, seed = 0) {
  const taste = { ...freshState(front.names), floors };
  const first = ranked(front, taste);
  const used = positive(first.shares);
  const rows = eligible();
  if (rows.length < 2 || !used.length) return null;

  const columns = rows.map((row) => used.map((j) => Math.min(front.z[row][j], Z_CAP)));
  const weights = simplex(seed, used.length);
  const logLikelihood = new Float64Array(DRAWS);
  const different = spreadOut(columns, [...rows.keys()], DIFFERENT);
  const noise = halfSpread();
  const picks = [first.order[0]];
  let rounds = 0;

  /** Rows that some weights would pick: those that lose nothing against generation 0, if any. */
  function eligible() {
    const good = first.order.filter((row) => used.every((j) => front.z[row][j] >= 0));
    return good.length > 1 ? good : first.order;
  }

  function halfSpread() {
    const spreads = weights.slice(0, THOUGHTFUL).map((draw) => {
      const values = columns.map((column) => product(draw, column));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    });
    const spread = spreads.reduce((sum, value) => sum + value, 0) / spreads.length;
    return spread > 0 ? 0.5 * spread : 1;
  }

  /** Probabilities of the draws, which sum to 1. */
  function posterior() {
    const largest = logLikelihood.reduce((most, value) => Math.max(most, value), -Infinity);
    const likelihood = logLikelihood.map((value) => Math.exp(value - largest));
    const total = likelihood.reduce((sum, value) => sum + value, 0);
    return likelihood.map((value) => value / total);
  }

  /** Up to four different rows of the front, in the order in which to show them. */
  function question() {
    const cumulative = posterior();
    for (let i = 1; i < DRAWS; i += 1) cumulative[i] += cumulative[i - 1];
    const spots = uniform(seed, 1 + 2 * rounds, THOUGHTFUL);
    const draws = [...spots].map((spot) => weights[placeAbove(cumulative, spot * cumulative.at(-1))]);
    const worth = draws.map((draw) => columns.map((column) => product(draw, column)));
    const winners = worth.map((values) => largestPlace(values.map(rounded)));
    const pool = [...new Set([...winners, ...different])].sort((a, b) => a - b);
    const shown = Math.min(SHOWN, pool.length);
    const choices = uniform(seed, 2 + 2 * rounds, THOUGHTFUL * shown);
    let best = null;
    let most = -Infinity;
    for (let i = 0; i < THOUGHTFUL; i += 1) {
      const places = subset(pool, choices.subarray(i * shown, (i + 1) * shown));
      const told = rounded(information(worth, [...places].sort((a, b) => a - b)));
      if (told > most) [best, most] = [places, told];
    }
    return best.map((place) => rows[place]);
  }

  /** The mutual information of the weights and the answer to a question, in nats. */
  function information(worth, places) {
    const mean = places.map(() => 0);
    let certain = 0;
    for (const values of worth) {
      const chance = chanceOfWorst(places.map((place) => values[place]));
      chance.forEach((share, i) => (mean[i] += share));
      certain += entropy(chance);
    }
    return entropy(mean.map((sum) => sum / worth.length)) - certain / worth.length;
  }

  function chanceOfWorst(values) {
    const least = Math.min(...values) / noise;
    const likelihood = values.map((value) => Math.exp(least - value / noise));
    const total = likelihood.reduce((sum, value) => sum + value, 0);
    return likelihood.map((value) => value / total);
  }

  /** `worst` is the place in `asked` of the worst picture, null for "cannot tell". */
  function answer(asked, worst) {
    rounds += 1;
    if (worst === null) return;
    const shown = asked.map((row) => columns[rows.indexOf(row)]);
    weights.forEach((draw, i) => {
      const chance = chanceOfWorst(shown.map((column) => product(draw, column)))[worst];
      logLikelihood[i] += Math.log(Math.max(chance, LEAST_CHANCE));
    });
    picks.push(ranked(front, { ...taste, weights: learned() }).order[0]);
  }

  /** What was learned, in three decimals; 0 for scores that do not vary. */
  function learned() {
    const mean = used.map(() => 0);
    posterior().forEach((probability, i) =>
      weights[i].forEach((weight, k) => (mean[k] += probability * weight)),
    );
    const values = front.names.map(() => 0);
    used.forEach((j, k) => (values[j] = Math.round(mean[k] * 1000) / 1000));
    return values;
  }

  function settled() {
    const newest = picks.slice(-1 - STEADY_ANSWERS);
    return newest.length > STEADY_ANSWERS && new Set(newest).size === 1;
  }

  return {
    question,
    answer,
    learned,
    rounds: () => rounds,
    settled,
    finished: () => rounds >= MOST_ROUNDS || settled(),
  };
}

/** Draws of weights, uniform among those that sum to 1: the gaps between uniform numbers. */
function simplex(seed, dimensions) {
  const numbers = uniform(seed, 0, DRAWS * (dimensions - 1));
  return Array.from({ length: DRAWS }, (_, i) => {
    const cuts = [...numbers.subarray(i * (dimensions - 1), (i + 1) * (dimensions - 1)).sort(), 1];
    return cuts.map((cut, k) => cut - (k ? cuts[k - 1] : 0));
  });
}

/** Different members of the pool: the first steps of a Fisher–Yates shuffle that `spots` steer. */
function subset(pool, spots) {
  const left = [...pool];
  spots.forEach((spot, step) => {
    const other = step + Math.floor(spot * (left.length - step));
    [left[step], left[other]] = [left[other], left[step]];
  });
  return left.slice(0, spots.length);
}

/** The first place of an ascending list whose value is above `value`. */
function placeAbove(ascending, value) {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function product(a, b) {
  return a.reduce((sum, value, k) => sum + value * b[k], 0);
}

function entropy(chance) {
  return -chance.reduce((sum, share) => sum + share * Math.log(Math.max(share, LEAST_CHANCE)), 0);
}
