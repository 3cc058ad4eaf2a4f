// The two scales of evo_t2i/picking/scale.py: z against generation 0, u between the front's ends.

/** z of rows of scores against generation 0; 0 where a score has no spread there. */
function standardised(scores, centre, scale) {
  return scores.map((row) => row.map((s, j) => (scale[j] > 0 ? (s - centre[j]) / scale[j] : 0)));
}

/** Scores scaled to [0, 1] by the allowed rows, 1 without a span; and the spans before. */
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
