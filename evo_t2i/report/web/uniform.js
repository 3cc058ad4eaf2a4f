// The random numbers of evo_t2i/picking/uniform.py: pcg3d, a hash of (seed, stream, place).

function uniform(seed, stream, count) {
  const spread = (word) => (Math.imul(word, 1664525) + 1013904223) | 0;
  const numbers = new Float64Array(count);
  for (let place = 0; place < count; place += 1) {
    let [x, y, z] = [spread(seed), spread(stream), spread(place)];
    for (let turn = 0; turn < 2; turn += 1) {
      x = (x + Math.imul(y, z)) | 0;
      y = (y + Math.imul(z, x)) | 0;
      z = (z + Math.imul(x, y)) | 0;
      x ^= x >>> 16;
      y ^= y >>> 16;
      z ^= z >>> 16;
    }
    numbers[place] = ((x >>> 5) * 2 ** 26 + (y >>> 6)) / 2 ** 53;
  }
  return numbers;
}
