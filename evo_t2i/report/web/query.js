// The filter: words that must all hold.

const COMPARISONS = {
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  "=": (a, b) => a === b,
};

const MARKS = ["starred", "picked", "different"];

/**
 * Read a filter. `field(row, name)` gives a number; `marked(row, mark)` answers for `MARKS`.
 * Returns {test(row), problem}; what is not understood is said and filters nothing.
 */
function parsedQuery(text, names, { field, marked }) {
  const tests = [];
  const unknown = [];
  for (const word of text.trim().toLowerCase().split(/\s+/).filter(Boolean)) {
    const comparison = /^([^<>=]+)(>=|<=|>|<|=)(-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?)$/.exec(word);
    if (MARKS.includes(word)) {
      tests.push((row) => marked(row, word));
    } else if (/^#?\d+$/.test(word)) {
      const number = Number(word.replace("#", ""));
      tests.push((row) => field(row, "id") === number || row === number);
    } else if (comparison && fieldNamed(comparison[1], names)) {
      const name = fieldNamed(comparison[1], names);
      const number = Number(comparison[3]);
      tests.push((row) => COMPARISONS[comparison[2]](field(row, name), number));
    } else {
      unknown.push(word);
    }
  }
  const problem = unknown.length
    ? `The filter does not know “${unknown[0]}”; try starred, place<=10 or ${names[0]}>0.5.`
    : null;
  return { test: (row) => tests.every((test) => test(row)), problem };
}

/** The field that a word names, in full or by its beginning when only one begins so. */
function fieldNamed(word, names) {
  const known = [...names, "id", "generation", "place", "value", "look"];
  const whole = known.find((name) => name.toLowerCase() === word);
  const beginning = known.filter((name) => name.toLowerCase().startsWith(word));
  return whole ?? (beginning.length === 1 ? beginning[0] : null);
}
