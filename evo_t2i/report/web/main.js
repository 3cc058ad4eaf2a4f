// Read the data, make the views, draw.

const data = JSON.parse(byId("data").textContent);
const { run, names, centre, scale } = data;
const front = {
  names,
  centre,
  scale,
  ...data.front,
  different: new Set(data.front.different),
  look: data.front.look ?? data.front.id.map(() => 0),
  before: data.before ?? null,
  live: data.live ?? null,
  embeddedSide: data.front.embedded_side,
  z: standardised(data.front.scores, centre, scale),
  rowOf: new Map(data.front.id.map((id, row) => [id, row])),
};

document.title = `${run.caption} · evo-t2i`;
byId("caption").textContent = run.caption;
const beside = data.front.beside ?? 0;
byId("facts").textContent = [
  `${plural(front.live?.front ?? front.id.length - beside, "picture")} on the front`,
  ...(beside ? [`${beside} of other looks`] : []),
  `${run.evaluations.toLocaleString("en")} evaluated`,
  plural(run.generations, "generation"),
  ...(new Set(front.look).size > 1 ? [`${new Set(front.look).size} looks`] : []),
  `seed ${run.seed}`,
].join(" · ");
byId("doubts").textContent = run.doubts.join(" ");
byId("doubts").hidden = run.doubts.length === 0;

const store = makeStore(front);
Object.assign(store, {
  caption: run.caption,
  generations: run.generations,
  generation0: data.generation0,
  lineage: data.lineage,
});
const peek = makePeek(store);
const gallery = makeGallery(store);
const exporting = makeExports(store, run);
store.views = [
  makeTaste(store, makeAsk(store)),
  gallery,
  makeDetail(store),
  makeBefore(store),
  makeParallel(store, peek),
  makeScatter(store, peek),
  makeConvergence(store, data.convergence),
  makeKeys(store, gallery, exporting),
  makeStatus(store),
  exporting,
];
store.change(readState(location.hash.slice(1), front));
makeAddress(store);
gallery.focus();
makeLive(front.live);
requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("interactive")));
