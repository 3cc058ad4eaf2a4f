// What leaves the page: pick.json for `evo-t2i pick RUN --from`, and the shown rows as CSV.

function exportedPick(store, run, picked) {
  const { front, state } = store;
  const named = (values) =>
    Object.fromEntries(
      front.names.map((name, j) => [name, values[j]]).filter(([, value]) => value !== null),
    );
  const weights = state.method === "extremes" ? {} : named(countedWeights(state));
  const lexicographic = {
    order: state.order.map((j) => front.names[j]),
    tolerance: state.tolerance,
  };
  return {
    kind: "evo-t2i pick",
    format: 1,
    run: run.digest,
    caption: run.caption,
    seed: run.seed,
    method: state.method,
    weights,
    floors: named(state.floors),
    ...(state.method === "lexicographic" ? lexicographic : {}),
    picked: picked.map((row) => front.id[row]),
    starred: [...state.starred].map((row) => front.id[row]),
  };
}

function exportedTable(store) {
  const { front, state, ranking, place, shown } = store;
  const quoted = (cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : String(cell));
  const head = ["place", "file", "id", "generation", "parent", "parent", "value"];
  const marks = ["starred", "picked"];
  const lines = [[...head, ...front.names, ...front.names.map((name) => `${name} z`), ...marks]];
  for (const row of shown) {
    lines.push([
      place.get(row),
      front.file[row],
      front.id[row],
      front.generation[row],
      ...front.parents[row].map((parent) => (parent < 0 ? "" : parent)),
      ranking.value[row],
      ...front.scores[row],
      ...front.z[row],
      state.starred.has(row) ? 1 : 0,
      state.picked.includes(row) ? 1 : 0,
    ]);
  }
  return lines.map((cells) => cells.map(quoted).join(",")).join("\n") + "\n";
}

function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** The folder of the run for a command line, where the page still lies in it. */
function runFolder() {
  const folder = /^(\/.+)\/report\.html$/.exec(decodeURIComponent(location.pathname))?.[1];
  if (location.protocol !== "file:" || !folder || /^\/[A-Za-z]:/.test(folder)) return "RUN";
  return /^[\w./~+-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`;
}

function makeExports(store, run) {
  const saved = byId("saved");
  let savedMarks = "";

  /** Save the picks, or the stars where there are none; with neither, the best. */
  function pick() {
    const { state, ranking, front } = store;
    const none = !state.picked.length && !state.starred.size;
    const picked = none ? ranking.chosen : state.picked;
    const rows = picked.length ? picked : [...state.starred];
    savedMarks = marks();
    saved.hidden = false;
    if (!rows.length) {
      saved.textContent = `Nothing was saved: ${ranking.problem ?? "there is no picture to pick."}`;
      return;
    }
    const text = JSON.stringify(exportedPick(store, run, picked), null, 2) + "\n";
    download("pick.json", "application/json", text);
    const files = rows.length > 3 ? plural(rows.length, "picture") : rows.map((row) => front.file[row]).join(", ");
    saved.replaceChildren(
      `Saved pick.json with ${files}${none ? ", the best, as none is picked" : ""}. `,
      "Next, to copy it into the run’s folder: ",
      element("code", {}, `evo-t2i pick ${runFolder()} --from ~/Downloads/pick.json`),
      " (or wherever your browser saves files)",
    );
  }

  function marks() {
    return [...store.state.picked, "", ...store.state.starred].join();
  }

  if (store.front.live) {
    // the pictures have no files yet, and what is marked stays in the address until they have
    for (const id of ["export-pick", "export-csv", "keys-save"]) byId(id).hidden = true;
    return { pick: () => {} };
  }
  byId("export-pick").addEventListener("click", pick);
  byId("export-csv").addEventListener("click", () =>
    download("front.csv", "text/csv", exportedTable(store)),
  );
  return {
    pick,
    draw() {
      if (marks() !== savedMarks) saved.hidden = true;
    },
  };
}
