// What stands beside the pointer and above the views: a small picture, and the state in words.

const BESIDE = 16;

/** A small picture beside the pointer, over charts that have none. */
function makePeek(store) {
  const { front } = store;
  const root = byId("peek");
  const image = element("img", { alt: "" });
  const label = element("span");
  let drawn = "";
  root.append(image, label);
  return {
    show(row, event) {
      root.hidden = row === null;
      if (row === null) return;
      const key = `${store.version} ${row}`;
      if (key !== drawn) {
        drawn = key;
        image.setAttribute("src", front.thumbnail[row]);
        label.textContent = `place ${store.place.get(row)} · picture ${front.id[row]}`;
      }
      const { width, height } = root.getBoundingClientRect();
      const right = event.clientX + BESIDE + width < innerWidth;
      const below = event.clientY + BESIDE + height < innerHeight;
      root.style.left = `${right ? event.clientX + BESIDE : event.clientX - BESIDE - width}px`;
      root.style.top = `${below ? event.clientY + BESIDE : event.clientY - BESIDE - height}px`;
    },
    hide() {
      root.hidden = true;
    },
  };
}

/** One line for everybody, which a screen reader says when it changes. */
function makeStatus(store) {
  const root = byId("status");
  return {
    draw() {
      const { front, ranking, shown, state } = store;
      const said = [];
      if (ranking.problem) {
        said.push(ranking.problem);
      } else {
        const [best, second] = ranking.ranking;
        const value = plain(ranking.value[best]);
        if (state.method === "extremes") {
          said.push(`Best of each score: ${ranking.chosen.map((row) => front.file[row]).join(", ")}`);
        } else {
          said.push(`Best by ${state.method}: ${front.file[best]}, ${value}`);
        }
        if (second !== undefined && state.method !== "extremes") {
          const ahead = ranking.value[best] - ranking.value[second];
          const level = Math.abs(ahead) < HALF_TIE;
          said.push(
            level
              ? `equal in value to ${front.file[second]}; such a tie goes to the larger smallest z, then the larger mean`
              : `ahead of ${front.file[second]} by ${plain(ahead)}`,
          );
        }
      }
      if (shown.length < front.id.length) said.push(`${shown.length} of ${front.id.length} shown`);
      if (state.starred.size) said.push(`${state.starred.size} starred`);
      if (state.picked.length) said.push(`${state.picked.length} picked`);
      if (store.queryProblem) said.push(store.queryProblem);
      const text = said.join(" · ");
      if (root.textContent !== text) root.textContent = text;
    },
  };
}
