"""What does adding a score change in the final distribution?

For each caption of the design notes three runs, from the same generation 0: with text_image and
image_real, with region_word added, and with word_label added. The images of every front are then
scored with all four, also those that their search did not see, and read as z against generation 0.
A fourth row repeats the selection of the run with four scores without word_label, as
`evo-t2i compare RUN --drop-score word_label` does. Prints a table of medians over the fronts with
the balanced picks, and draws a figure.

    python benchmarks/score_ablation.py --out docs/images/score_ablation.png

Runs are kept in --runs, and a second call goes on from there.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes

from evo_t2i import sampler
from evo_t2i.compare import drop_scores
from evo_t2i.config import DEFAULT_SCORES, RunConfig
from evo_t2i.evaluate.evaluator import Evaluator
from evo_t2i.evaluate.models import load
from evo_t2i.picking.methods import robust_scale, standardise
from evo_t2i.report import style
from evo_t2i.report.comparison_figure import spreads
from evo_t2i.report.figure import head, lettered, new_figure, panel_at, saved
from evo_t2i.run import Run
from evo_t2i.runs.atomic import write_bytes

CAPTIONS = {
    "skyline": "skyline at sunset.",
    "cat": "a cat is lay on the table.",
    "bus": "a street scene with a double-decker bus on the road.",
    "bird": "A bird that is on a tree",
    "dog": "A dog with goggles staring at the camera.",
}
DROPPED = "word_label"
COLOURS = (*style.SERIES[:3], style.GENERATION_0)


@dataclass(frozen=True)
class Front:
    """A front in all four scores: ``z`` (n, 4) against generation 0, and its balanced pick."""

    title: str
    z: np.ndarray
    picked: int
    image: np.ndarray


def finished_run(path: Path, config: RunConfig) -> Run:
    """The run at ``path``, begun, gone on with, or read back."""
    if path.exists():
        return sampler.resume(path)
    options = {name: getattr(config, name) for name in ("population", "offspring", "generations")}
    return sampler.sample(
        config.caption, out=path, seed=config.seed, scores=config.scores, **options
    )


def fronts_of(caption: str, folder: Path, arguments: argparse.Namespace) -> list[Front]:
    """The fronts with two, three and four scores, and the last one's without ``DROPPED``."""
    runs = []
    for count in (2, 3, 4):
        config = RunConfig(
            caption=caption,
            seed=arguments.seed,
            population=arguments.population,
            offspring=arguments.population,
            generations=arguments.generations,
            scores=DEFAULT_SCORES[:count],
        )
        runs.append(finished_run(folder / f"{count}-scores", config))
        print(f"{caption} with {count} scores: {len(runs[-1].arrays)}", file=sys.stderr)
    full = runs[-1]
    evaluator = load(full.config).for_caption(caption)
    centre, scale = robust_scale(full.arrays.generation0_scores)
    fronts = []
    for count, run in zip((2, 3, 4), runs, strict=True):
        z = standardise(_all_scores(evaluator, run), centre, scale)
        picked = run.rank().chosen[0]
        fronts.append(Front(f"{count} scores", z, picked, run.arrays.image(picked)))
    without = drop_scores(full, [DROPPED]).entrants[1]
    place = int(np.flatnonzero(without.rows == without.picked)[0])
    image = full.arrays.image(without.picked)
    fronts.append(Front(f"4, {DROPPED} dropped", fronts[2].z[without.rows], place, image))
    return fronts


def _all_scores(evaluator: Evaluator, run: Run) -> np.ndarray:
    """(n, 4) of the front's latents."""
    scores = evaluator.score_latents(run.arrays.latents)
    measured = scores[:, : len(run.config.scores)]
    np.testing.assert_allclose(measured, run.arrays.scores, atol=1e-4)
    return scores


def print_table(measured: dict[str, list[Front]]) -> None:
    """Median of every front in z, and its pick's z in parentheses."""
    print(f"| caption | selected by | front | {' | '.join(DEFAULT_SCORES)} |")
    print("|---|---|---|" + "---|" * len(DEFAULT_SCORES))
    for name, fronts in measured.items():
        for front in fronts:
            cells = [
                f"{middle:+.1f} ({best:+.1f})"
                for middle, best in zip(
                    np.median(front.z, axis=0), front.z[front.picked], strict=True
                )
            ]
            print(f"| {name} | {front.title} | {len(front.z)} | {' | '.join(cells)} |")


def figure(measured: dict[str, list[Front]]) -> bytes:
    """A row a caption: the picks, then the spread of every score on every front."""
    titles = [style.score_title(name) for name in DEFAULT_SCORES]
    picture, wide, tall, gap, left, top = 0.82, 1.85, 1.0, 0.62, 0.4, 1.4
    start = left + 4 * (picture + 0.06) + 0.35
    width = start + len(titles) * (wide + 0.15) + 0.25
    height = top + len(measured) * (tall + gap) + 0.15
    with lettered():
        page = new_figure(width, height)
        for row, (name, fronts) in enumerate(measured.items()):
            y = height - top - row * (tall + gap) - tall
            for place, front in enumerate(fronts):
                axes = panel_at(
                    page, left + place * (picture + 0.06), y + tall - picture, picture, picture
                )
                axes.imshow(front.image, interpolation="lanczos", aspect="equal")
                axes.set(xticks=[], yticks=[])
                for spine in axes.spines.values():
                    spine.set(color=COLOURS[place], linewidth=2)
                axes.set_xlabel(front.title.replace(" dropped", "\ndropped"), fontsize=6.5)
            page.text(
                left / width,
                (y + tall + 0.08) / height,
                CAPTIONS[name],
                fontsize=9,
                fontweight="bold",
                color=style.INK,
            )
            for column, title in enumerate(titles):
                axes = panel_at(page, start + column * (wide + 0.15), y, wide, tall)
                _spread(axes, fronts, column)
                if row == 0:
                    axes.set_title(title, fontsize=9, fontweight="bold", color=style.INK, pad=14)
        facts = [
            "z against generation 0 (dashed: 0)",
            "line: all of the front, bar: middle 80 %, tick: median, star: pick",
        ]
        head(page, "What adding a score changes", facts, left / width, top, [])
        return saved(page, "png")


def _spread(axes: Axes, fronts: list[Front], column: int) -> None:
    spreads(
        axes,
        [front.z[:, column] for front in fronts],
        [float(front.z[front.picked, column]) for front in fronts],
        [{"color": colour} for colour in COLOURS],
    )
    axes.axvline(0, color=style.GENERATION_0, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    if np.abs(axes.get_xlim()).max() > 30:
        axes.set_xscale("symlog", linthresh=3)
        ends = axes.get_xlim()
        ticks = [tick for tick in (-100, -10, 0, 10, 100, 1_000) if ends[0] < tick < ends[1]]
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(CAPTIONS))
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--population", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=Path, default=Path("runs/score_ablation"))
    parser.add_argument("--out", type=Path, help="figure, a PNG")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    measured = {
        name: fronts_of(CAPTIONS[name], arguments.runs / name, arguments)
        for name in arguments.names
    }
    print_table(measured)
    if arguments.out:
        write_bytes(arguments.out, figure(measured))


if __name__ == "__main__":
    main()
