// The page of a run that goes on: what it shows, when it was written, and a reload for the next one.

const IDLE_SECONDS = 4;
const LONGEST_WAIT = 60;
const SILENCE = { least: 30, intervals: 6 };

/** Wait for the next page, unless somebody is using this one. Does nothing on a finished page. */
function makeLive(live) {
  if (!live) return;
  const root = byId("live");
  const started = performance.now() / 1000;
  let touched = -Infinity;
  let held = false;
  root.hidden = false;

  const now = () => performance.now() / 1000;
  const age = () => Math.max(0, Date.now() / 1000 - live.written);
  const silent = () => age() > Math.max(SILENCE.least, SILENCE.intervals * live.interval);

  function say() {
    const time = new Date(1000 * live.written).toLocaleTimeString();
    const done = live.generation === live.generations;
    const said = [
      `Generation ${live.generation} of ${live.generations}`,
      live.shown < live.front ? `${live.shown} of ${live.front.toLocaleString("en")} pictures of the front` : null,
      `written at ${time}`,
    ];
    if (live.ended) {
      said.push(live.ended);
    } else if (silent()) {
      said.push(
        `nothing new for ${span(age())}: the run is busy or has ended without a word; evo-t2i resume RUN goes on with one that ended`,
      );
    } else {
      said.push(done ? "the run is being finished" : "the run goes on, and this page follows it");
    }
    root.textContent = said.filter(Boolean).join(" · ");
    root.classList.toggle("silent", Boolean(live.ended) || silent());
  }

  /** Seconds from the page's opening until it is worth looking for the next one. */
  function wait() {
    const expected = live.written + live.interval + 0.5 - Date.now() / 1000 + (now() - started);
    const again = Math.min(LONGEST_WAIT, Math.max(2, live.interval / 2, age() / 10));
    return Math.max(1, Math.min(LONGEST_WAIT, expected > 0 ? expected : again));
  }

  function busy() {
    return held || document.hidden || now() - touched < IDLE_SECONDS || document.querySelector("dialog[open]");
  }

  for (const kind of ["pointerdown", "keydown", "wheel", "input", "touchmove"]) {
    addEventListener(kind, () => (touched = now()), { capture: true, passive: true });
  }
  addEventListener("pointerdown", () => (held = true), true);
  for (const kind of ["pointerup", "pointercancel", "blur"]) addEventListener(kind, () => (held = false), true);

  say();
  restore();
  setInterval(say, 1000);
  if (live.ended) return;
  const due = wait();
  setInterval(() => {
    if (now() - started < due || busy()) return;
    keep();
    location.reload();
  }, 250);
}

function span(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

const focusable = () => [...document.querySelectorAll("a, button, input, select, summary, [tabindex]")];
const scrolled = () => [byId("gallery"), byId("taste"), document.querySelector(".detail")];

/** Keep what the address does not hold, the focus and how far things are scrolled, over a reload. */
function keep() {
  const places = scrolled().map((node) => [node.scrollLeft, node.scrollTop]);
  const focused = focusable().indexOf(document.activeElement);
  history.replaceState({ places, focused, count: focusable().length, x: scrollX, y: scrollY }, "");
}

function restore() {
  const kept = history.state;
  if (!kept?.places) return;
  history.replaceState(null, "");
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      scrolled().forEach((node, i) => node.scrollTo(...kept.places[i]));
      scrollTo(kept.x, kept.y);
      if (kept.count === focusable().length) focusable()[kept.focused]?.focus({ preventScroll: true });
    }),
  );
}
