// Parallel coordinates: an axis a score, a line a picture. The lines are painted on a canvas, since a
// front may have a thousand; the axes and the lines that are pointed at lie over it.

const REACH = 14;
const KEY_STEPS = 50;
const DRAG_FROM = 4;

function makeParallel(store, peek) {
  const { front } = store;
  const { names } = front;
  const root = byId("parallel");
  const spans = names.map((_, j) => extent(front.scores.map((row) => row[j])));
  const lines = painting(paint);
  const pointed = Object.fromEntries(
    ["hovered", "compared", "selected"].map((kind) => [kind, [line(`halo ${kind}`), line(kind)]]),
  );
  const chart = drawing(...Object.values(pointed).flat());
  chart.setAttribute("class", "lines");
  lines.canvas.setAttribute("class", "lines");
  const axes = names.map((_, j) => makeAxis(j));
  root.append(lines.canvas, chart, ...axes.map((axis) => axis.root));
  root.style.setProperty("--axes", names.length);

  root.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons) return;
    const row = nearest(event);
    if (row !== store.state.hovered) store.change({ hovered: row });
    peek.show(row, event);
  });
  root.addEventListener("pointerleave", () => {
    store.change({ hovered: null });
    peek.hide();
  });
  root.addEventListener("click", (event) => {
    if (event.target.closest("button, .bar")) return;
    const row = nearest(event);
    if (row !== null) store.change({ selected: row });
  });

  /** Where a score lies on its axis, from 0 at the top to 100. */
  function down(j, score) {
    const share = 100 * fraction(score, spans[j]);
    return store.state.inverted.has(j) ? share : 100 - share;
  }

  function scoreAt(j, share) {
    const [low, high] = spans[j];
    const up = store.state.inverted.has(j) ? share : 1 - share;
    return low + (high - low) * Math.min(1, Math.max(0, up));
  }

  function across(place) {
    return (100 * (place + 0.5)) / names.length;
  }

  function points(row) {
    const { axes: order } = store.state;
    const at = order.map((j, place) => [across(place), down(j, front.scores[row][j])]);
    return at.length > 1 ? at : [[across(0) - 8, at[0][1]], [across(0) + 8, at[0][1]]];
  }

  /** The visible line nearest to the pointer, within reach. */
  function nearest(event) {
    const box = chart.getBoundingClientRect();
    const x = (100 * (event.clientX - box.left)) / box.width;
    const y = (100 * (event.clientY - box.top)) / box.height;
    let best = null;
    let distance = (100 * REACH) / box.height;
    for (const row of store.shown) {
      const at = points(row);
      const after = Math.max(1, at.findIndex(([px]) => px >= x));
      const [[x0, y0], [x1, y1]] = [at[after - 1], at[after]];
      const share = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
      const off = Math.abs(y0 + (y1 - y0) * share - y);
      if (off < distance) [best, distance] = [row, off];
    }
    return best;
  }

  function makeAxis(j) {
    const head = element(
      "button",
      { type: "button", class: "axis-head", title: "Turn over; drag, or press ← and →, to move" },
      element("span", {}, title(names[j])),
    );
    const top = element("span", { class: "end top muted" });
    const bottom = element("span", { class: "end bottom muted" });
    const range = element("div", { class: "range" });
    const handles = ["low", "high"].map((end) => makeHandle(j, end));
    const bar = element("div", { class: "bar" }, range, ...handles);
    const axis = element("div", { class: "axis", "data-score": names[j] }, head, top, bar, bottom);
    brushable(bar, j);
    movable(head, j);
    return { root: axis, head, top, bottom, range, handles };
  }

  function setBrush(j, brush) {
    store.change({ brushes: store.state.brushes.with(j, brush) });
  }

  function brushable(bar, j) {
    bar.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      bar.setPointerCapture(event.pointerId);
      const box = bar.getBoundingClientRect();
      const share = (e) => (e.clientY - box.top) / box.height;
      const handle = event.target.closest(".handle");
      const brush = store.state.brushes[j] ?? spans[j];
      const fixed = handle ? brush[handle.dataset.end === "low" ? 1 : 0] : scoreAt(j, share(event));
      let dragged = false;
      const move = (e) => {
        if (!dragged && Math.abs(e.clientY - event.clientY) < DRAG_FROM) return;
        dragged = true;
        const score = scoreAt(j, share(e));
        setBrush(j, [Math.min(fixed, score), Math.max(fixed, score)]);
      };
      const end = () => {
        bar.removeEventListener("pointermove", move);
        if (dragged) {
          const [low, high] = store.state.brushes[j];
          if (low <= spans[j][0] && high >= spans[j][1]) setBrush(j, null);
        } else if (!handle) {
          setBrush(j, null);
        }
        handle?.focus();
      };
      bar.addEventListener("pointermove", move);
      bar.addEventListener("pointerup", end, { once: true });
      bar.addEventListener("pointercancel", end, { once: true });
    });
  }

  /** An end of the range that is kept, for the keyboard and for dragging. */
  function makeHandle(j, end) {
    const handle = element("div", {
      class: "handle",
      role: "slider",
      tabindex: 0,
      "data-end": end,
      "aria-orientation": "vertical",
      "aria-label": `${end === "low" ? "lowest" : "highest"} ${title(names[j])} shown`,
      "aria-valuemin": spans[j][0],
      "aria-valuemax": spans[j][1],
    });
    handle.addEventListener("keydown", (event) => {
      const [low, high] = spans[j];
      const brush = store.state.brushes[j] ?? spans[j];
      const now = brush[end === "low" ? 0 : 1];
      const step = (high - low) / KEY_STEPS;
      const targets = {
        ArrowUp: now + step,
        ArrowRight: now + step,
        ArrowDown: now - step,
        ArrowLeft: now - step,
        PageUp: now + 10 * step,
        PageDown: now - 10 * step,
        Home: low,
        End: high,
      };
      if (!(event.key in targets)) return;
      event.preventDefault();
      event.stopPropagation();
      const score = Math.min(high, Math.max(low, targets[event.key]));
      const next = end === "low" ? [Math.min(score, brush[1]), brush[1]] : [brush[0], Math.max(score, brush[0])];
      setBrush(j, next[0] <= low && next[1] >= high ? null : next);
    });
    return handle;
  }

  /** Its heading turns an axis over by a click and moves it by dragging or by the arrows. */
  function movable(head, j) {
    let moved = false;
    const place = () => store.state.axes.indexOf(j);
    const moveTo = (target) => {
      const order = store.state.axes.filter((other) => other !== j);
      order.splice(Math.min(names.length - 1, Math.max(0, target)), 0, j);
      store.change({ axes: order });
    };
    head.addEventListener("pointerdown", (event) => {
      moved = false;
      head.setPointerCapture(event.pointerId);
      const move = (e) => {
        if (!moved && Math.abs(e.clientX - event.clientX) < DRAG_FROM) return;
        moved = true;
        const box = root.getBoundingClientRect();
        const target = Math.floor((names.length * (e.clientX - box.left)) / box.width);
        if (target !== place()) moveTo(target);
      };
      head.addEventListener("pointermove", move);
      const end = () => head.removeEventListener("pointermove", move);
      head.addEventListener("pointerup", end, { once: true });
      head.addEventListener("pointercancel", end, { once: true });
    });
    head.addEventListener("click", () => {
      if (moved) return;
      const inverted = new Set(store.state.inverted);
      inverted.delete(j) || inverted.add(j);
      store.change({ inverted });
    });
    head.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      moveTo(place() + step);
    });
  }

  /** The worst first and faintest, so that the best lie on top; then the starred, then the picked. */
  function paint(context, width, height) {
    const { state, shown, place, ranking } = store;
    const picked = new Set(state.picked);
    const marked = (row) => picked.has(row) || state.starred.has(row);
    const faintest = Math.min(0.25, 40 / ranking.order.length);
    const draw = (row) => {
      context.beginPath();
      points(row).forEach(([x, y], i) => {
        if (i) context.lineTo((x / 100) * width, (y / 100) * height);
        else context.moveTo((x / 100) * width, (y / 100) * height);
      });
      context.stroke();
    };
    context.lineJoin = "round";
    context.lineWidth = 1;
    context.strokeStyle = colour("line");
    for (const row of shown.filter((row) => !marked(row)).reverse()) {
      const behind = (place.get(row) - 1) / ranking.order.length;
      context.globalAlpha = 0.85 - (0.85 - faintest) * Math.sqrt(behind);
      draw(row);
    }
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeStyle = colour("gold");
    shown.filter((row) => marked(row) && !picked.has(row)).forEach(draw);
    context.lineWidth = 2.4;
    context.strokeStyle = colour("green");
    shown.filter((row) => picked.has(row)).forEach(draw);
  }

  function draw() {
    const { state } = store;
    lines.repaint();
    axes.forEach((axis, j) => {
      const turned = state.inverted.has(j);
      axis.root.style.left = `${across(state.axes.indexOf(j))}%`;
      axis.head.setAttribute("aria-pressed", String(turned));
      axis.head.classList.toggle("turned", turned);
      const digits = decimals(spans[j]);
      axis.top.textContent = plain(spans[j][turned ? 0 : 1], digits);
      axis.bottom.textContent = plain(spans[j][turned ? 1 : 0], digits);
      const brush = state.brushes[j];
      const ends = (brush ?? spans[j]).map((score) => down(j, score));
      if (spans[j][0] === spans[j][1]) [ends[0], ends[1]] = [100, 0];
      axis.root.classList.toggle("brushed", brush !== null);
      axis.range.style.top = `${Math.min(...ends)}%`;
      axis.range.style.bottom = `${100 - Math.max(...ends)}%`;
      axis.handles.forEach((handle, i) => {
        const score = (brush ?? spans[j])[i];
        handle.style.top = `${ends[i]}%`;
        handle.classList.toggle("upper", ends[i] < ends[1 - i]);
        handle.setAttribute("aria-valuenow", score);
        handle.setAttribute("aria-valuetext", plain(score, digits));
      });
    });
  }

  function point() {
    for (const [kind, row] of store.pointed()) {
      const data = row === null ? "" : polyline(points(row));
      pointed[kind].forEach((path) => path.setAttribute("d", data));
    }
  }
  return { draw, point };
}
