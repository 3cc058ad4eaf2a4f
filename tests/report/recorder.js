// What the page draws, for the tests: what is painted on its canvases, and its whole gallery.
(() => {
  // What each canvas shows: the lines and the dots since it was last cleared.
  const canvases = new Map();
  const record = context => canvases.get(context.canvas);
  const watch = (name, note) => {
    const original = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...values) {
      note(this, values);
      return original.apply(this, values);
    };
  };
  watch('clearRect', context => canvases.set(context.canvas, {lines: [], dots: [], path: null}));
  watch('beginPath', context => (record(context).path = []));
  watch('moveTo', (context, at) => record(context).path.push(at));
  watch('lineTo', (context, at) => record(context).path.push(at));
  watch('arc', (context, at) => (record(context).path = at));
  watch('stroke', context => record(context).lines.push(record(context).path));
  watch('fill', context => record(context).dots.push(record(context).path));

  const front = () => JSON.parse(document.getElementById('data').textContent).front;
  const extents = columns => columns.map(c => [Math.min(...c), Math.max(...c)]);
  const column = (rows, j) => rows.map(row => row[j]);
  const fraction = (value, [low, high]) => (high > low ? (value - low) / (high - low) : 0.5);
  const unit = () => {
    const {scores} = front();
    const spans = extents((scores[0] ?? []).map((_, j) => column(scores, j)));
    return scores.map(row => row.map((s, j) => fraction(s, spans[j])));
  };
  const folded = heights => heights.map(y => Math.min(y, 1 - y)).sort((a, b) => a - b);
  // The place of the candidate nearest to a point; -1 when that one is not there either.
  const nearest = (candidates, point, reach) => {
    const off = candidates.map(one => Math.max(...one.map((value, i) => Math.abs(value - point[i]))));
    const least = Math.min(...off);
    return least < reach ? off.indexOf(least) : -1;
  };
  const lines = () => {
    const canvas = document.querySelector('#parallel canvas');
    const {height} = canvas.getBoundingClientRect();
    return (canvases.get(canvas)?.lines ?? []).map(line => line.map(([, y]) => y / height));
  };
  const dotsOf = panel => {
    const canvas = panel.querySelector('canvas');
    const {width, height} = canvas.getBoundingClientRect();
    return (canvases.get(canvas)?.dots ?? [])
      .filter(([, , radius]) => radius > 2)
      .map(([x, y]) => [100 * x / width, 100 * y / height]);
  };
  // A line is its picture's whatever the order of the axes and whichever of them are turned over.
  window.heightsOf = id => {
    const mine = folded(unit()[front().id.indexOf(id)]);
    const all = lines();
    return all[nearest(all.map(folded), mine, 2e-4)].map(y => 100 * y);
  };
  window.dotOf = (panel, id) => {
    const data = JSON.parse(document.getElementById('data').textContent);
    const [x, y] = panel;
    const row = data.front.scores[data.front.id.indexOf(id)];
    return [[x, 0], [y, 1]].map(([j, up]) => {
      const values = [...column(data.front.scores, j), ...column(data.generation0, j)];
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const margin = 0.05 * (high - low) || 0.5;
      const share = 100 * (row[j] - low + margin) / (high - low + 2 * margin);
      return up ? 100 - share : share;
    });
  };
  window.scrolledThrough = async () => {
    const gallery = document.getElementById('gallery');
    const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const before = gallery.scrollTop;
    const ids = [];
    for (let top = 0; ; top += gallery.clientHeight) {
      gallery.scrollTop = top;
      await frame();
      for (const tile of gallery.querySelectorAll('.tile')) {
        ids[Number(tile.getAttribute('aria-posinset')) - 1] = Number(tile.dataset.id);
      }
      if (top + gallery.clientHeight >= gallery.scrollHeight) break;
    }
    gallery.scrollTop = before;
    await frame();
    return ids;
  };
  window.painted = () => {
    const {id} = front();
    const rows = unit();
    const parallel = lines().map(heights =>
      rows[0].length === 1
        ? id[nearest(rows, [1 - heights[0]], 2e-4)]
        : id[nearest(rows.map(folded), folded(heights), 2e-4)]);
    const panels = [...document.querySelectorAll('.panel')].map(panel => {
      const names = JSON.parse(document.getElementById('data').textContent).names;
      const [y, x] = panel.getAttribute('aria-label').split(' over ');
      const at = [x, y].map(title => names.findIndex(name => name.replaceAll('_', ' ') === title));
      const places = id.map(one => window.dotOf(at, one));
      return dotsOf(panel).map(dot => id[nearest(places, dot, 0.02)]);
    });
    return [parallel, ...panels];
  };
})();
