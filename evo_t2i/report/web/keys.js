// The keyboard. Fields and sliders keep their own keys; every button keeps Enter and space.

function makeKeys(store, gallery, exports) {
  const filter = byId("filter");
  const help = byId("help");
  filter.addEventListener("input", () => store.change({ query: filter.value }));
  const different = byId("different");
  different.addEventListener("change", () => {
    const others = filterWords().filter((word) => word !== "different");
    store.change({ query: [...others, ...(different.checked ? ["different"] : [])].join(" ") });
  });
  byId("different-label").hidden = !store.front.different.size;
  byId("different-label").lastElementChild.textContent =
    `only ${store.front.different.size} that look different`;
  const stacked = byId("stacked");
  stacked.addEventListener("change", () => store.change({ stacked: stacked.checked }));
  const looks = new Set(store.front.look).size;
  byId("stacked-label").hidden = looks < 2;
  byId("stacked-label").lastElementChild.textContent = `one of each of ${looks} looks`;
  byId("help-open").addEventListener("click", () => help.showModal());
  byId("help-close").addEventListener("click", () => help.close());
  byId("enlarged").addEventListener("click", () => byId("enlarged").close());

  function filterWords() {
    return store.state.query.toLowerCase().split(/\s+/).filter(Boolean);
  }

  function move(step) {
    const { listed, state } = store;
    if (!listed.length) return;
    const now = listed.indexOf(store.cover(state.selected));
    const next = now < 0 ? 0 : Math.min(listed.length - 1, Math.max(0, now + step));
    store.change({ selected: listed[next] });
  }

  /** One step back: the comparison, then what hides pictures. */
  function back() {
    const { state, front } = store;
    if (state.compared !== null) {
      store.change({ compared: null });
    } else if (state.query || state.brushes.some(Boolean)) {
      store.change({ query: "", brushes: front.names.map(() => null) });
    }
  }

  const withSelected = (act) => () => store.state.selected !== null && act(store.state.selected);
  const actions = {
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    ArrowUp: () => move(-gallery.columns()),
    ArrowDown: () => move(gallery.columns()),
    Home: () => move(-Infinity),
    End: () => move(Infinity),
    Enter: withSelected(() => enlarge(store)),
    ".": withSelected((row) => store.toggleStar(row)),
    p: withSelected((row) => store.togglePick(row)),
    s: () => store.change({ stacked: !store.state.stacked }),
    c: withSelected(() => toggleCompare(store)),
    e: () => exports.pick(),
    "/": () => filter.select(),
    "?": () => help.showModal(),
    Escape: back,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (help.open || byId("ask").open) return;
    const { target, key } = event;
    if (target === filter && (key === "Escape" || key === "Enter")) {
      if (key === "Escape") store.change({ query: "" });
      gallery.focus();
      event.preventDefault();
      return;
    }
    if (target.closest("input, select, textarea")) {
      if (key === "Escape") gallery.focus();
      const own = { range: /^(Arrow|Page|Home|End)/, checkbox: /^[ ]$/ }[target.type] ?? /./;
      if (own.test(key)) return;
    }
    if (key === "Escape" && byId("enlarged").open) return; // the dialog closes itself
    if (key === "Enter" && target.closest("button, a, summary")) return;
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  return {
    draw: () => {
      if (filter.value !== store.state.query) filter.value = store.state.query;
      stacked.checked = store.state.stacked;
      different.checked = filterWords().includes("different");
    },
  };
}
