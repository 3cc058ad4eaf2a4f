// Elements and numbers. Text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
  return document.getElementById(id);
}

function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** A drawing whose coordinates run from 0 to 100 both ways and stretch with its box. */
function drawing(...children) {
  return shape(
    "svg",
    { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...children,
  );
}

const NEAR_THE_WINDOW = "200px";
const OUT_OF_SIGHT_REST = 250;

/**
 * A canvas that fills its box. `paint(context, width, height)` gets a clean one in the page's pixels,
 * upon `repaint()` and whenever the box or the colour scheme changes; out of sight only when there
 * has been rest for a while.
 */
function painting(paint) {
  const canvas = element("canvas", { "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  let box = { width: 0, height: 0 };
  let near = true;
  let timer = 0;
  const repaint = () => {
    clearTimeout(timer);
    timer = 0;
    if (near) paintNow();
    else timer = setTimeout(paintNow, OUT_OF_SIGHT_REST);
  };
  const paintNow = () => {
    const { width, height } = box;
    if (!width || !height) return;
    const scale = devicePixelRatio;
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across;
      canvas.height = down;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context, width, height);
  };
  new ResizeObserver((entries) => {
    box = entries.at(-1).contentRect;
    repaint();
  }).observe(canvas);
  new IntersectionObserver(
    (entries) => {
      near = entries.at(-1).isIntersecting;
      if (near && timer) repaint();
    },
    { rootMargin: NEAR_THE_WINDOW },
  ).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  return { canvas, repaint };
}

/** One of the page's colours, as the present scheme has it. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
}

function line(className) {
  return shape("path", { class: className, "vector-effect": "non-scaling-stroke" });
}

/** Path data of dots: lines without length, which round caps make visible. */
function dots(points) {
  return points.map(([x, y]) => `M${x.toFixed(2)} ${y.toFixed(2)}h.001`).join("");
}

function polyline(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
}

function title(name) {
  return name.replaceAll("_", " ");
}

function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : `+${text}`;
}

function plain(value, digits = 4) {
  return value < 0 ? `−${Math.abs(value).toFixed(digits)}` : value.toFixed(digits);
}

/** A z as text; beyond ±99 only that, as the command line does. */
function shownZ(z) {
  if (Math.abs(z) <= 99) return signed(z, 1);
  return z > 0 ? "over +99" : "under −99";
}

/** From [low, high] to [0, 1]; the middle where there is no span. */
function fraction(value, [low, high]) {
  return high > low ? (value - low) / (high - low) : 0.5;
}

function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** Decimals that tell values within a span apart. */
function decimals([low, high], least = 2) {
  const wanted = high > low ? Math.ceil(-Math.log10(high - low)) + least : least;
  return Math.min(12, Math.max(least, wanted));
}

function padded([low, high], share = 0.05) {
  const margin = high > low ? (high - low) * share : 0.5;
  return [low - margin, high + margin];
}
