"""Does a search pay? On captions that plain samples seldom get right, by judges it never saw.

    python benchmarks/hard_captions.py --captions 25 --out runs/hard

For each of GenEval's kinds of caption, for words that no training ever used, and for the rest
(`other`, mostly three things), captions are sought of which the generator decides on all that is
named with 4 to 60 % of latents that are not used again. From the same generation 0 every arm
evaluates 500 pictures, some 2,500, and the balanced pick of what it found is judged: the
probability that it shows all that the caption names, a mean of both judges' (`weights/judge`,
`weights/second-judge`; of different architecture and training), and whether both say so. The oracle
is the best judged picture of what an arm's archive holds, so what is missing to it is lost in
picking, and what it misses itself is lost in searching.

`--rates 0.01 0.03 --tried 2000` takes captions that are rarer still: a hundred samples hold one to
three, so that drawing at random may miss them.

`--before runs/earlier` compares with another --out, of earlier models or scores, on the captions
that both have; several --out are one table with `--table`.

A caption a line in --out, so that the command can be given again until it is through. Prints
Markdown: means with 95 % intervals of paired differences, a bootstrap over captions.
"""

import argparse
import itertools
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bootstrap import with_interval

from evo_t2i.config import RunConfig
from evo_t2i.evaluate.evaluator import Evaluator
from evo_t2i.evaluate.models import Models, load
from evo_t2i.models.judge import Judge
from evo_t2i.models.layout_generator import LayoutGenerator
from evo_t2i.picking.formulas import Z_CAP
from evo_t2i.picking.methods import Pick, pick
from evo_t2i.picking.scale import rank_correlation, robust_scale, standardise
from evo_t2i.picking.taste import Taste
from evo_t2i.points import Points
from evo_t2i.sampler import search_of, told
from evo_t2i.search.hypervolume import Box
from evo_t2i.training.builtin import export, judgement
from evo_t2i.training.builtin.judge import believed
from evo_t2i.world import (
    CAPTION_KINDS,
    LATENT_SIZE,
    Caption,
    captions,
    kind_of_caption,
    sample_scene,
    shows_own,
    truth_of,
)
from evo_t2i.world.synonyms import HELD_OUT, reword

UNSEEN = "unseen words"
KINDS = (*CAPTION_KINDS[:-1], UNSEEN, CAPTION_KINDS[-1])
CAPTION_SEED, SCREEN_SEED, RUN_SEED = 41_000, 41_001, 41_002
SCREENED = 100
"""Plain samples by which a caption is chosen."""
HARD = (0.04, 0.60)
"""How often a plain sample of a hard caption is right, by what the generator decides."""
TRIED = 400
"""Captions of a kind that are looked at, at most, unless told otherwise."""
WEIGHTS = (2, 4, 100)
"""Of text_image, the others' being 1: other picks of the same archive."""
SMOOTHED = "judged, smoothed"
AROUND_FIRST, STEPS, STEP = 10, 8, 0.1
"""Of how many pictures' neighbours, how many of each, and how far they are (as pCN's β)."""
BATCH = 100
"""Pictures of a generation."""


@dataclass(frozen=True)
class Arm:
    """A sampler with options, and after how many pictures its pick is judged."""

    sampler: str
    options: Mapping[str, Any] = field(default_factory=dict)
    budgets: tuple[int, ...] = (500,)


ARMS = {
    "random": Arm("random", budgets=(100, 500)),
    "nsga2": Arm("nsga2"),
    "nsga2, no floor": Arm("nsga2", {"floor": 0.0}),
    "nsga2, capped and rounded": Arm("nsga2", {"cap": 3.0, "round": 0.25}),
    "nsga2, guarded": Arm("nsga2", {"guard": True}),
    "nsga2, capped, rounded, guarded": Arm("nsga2", {"cap": 3.0, "round": 0.25, "guard": True}),
    "nsga2, niches of looks": Arm("nsga2", {"niche": "look"}),
    **{
        name: Arm(name)
        for name in ("best-of-n", "clip-glass", "evosearch", "zero-order", "trust-regions")
    },
    "spectral-cem": Arm("spectral-cem", {"band": "all"}),
    "weighted-ga": Arm("weighted-ga"),
    "random long": Arm("random", budgets=(2500,)),
    "nsga2 long": Arm("nsga2", budgets=(2500,)),
}
USUAL = ("random", "nsga2", "nsga2, no floor", "nsga2, capped and rounded")


@dataclass(frozen=True)
class Bench:
    """What all captions share."""

    models: Models
    generator: LayoutGenerator
    judges: Sequence[Judge]

    def judged(self, images: np.ndarray, caption: Caption) -> np.ndarray:
        """(judges, n) probabilities of pictures (n, h, w, 3)."""
        named = truth_of([caption])[np.zeros(len(images), np.int64)]
        return np.stack([believed(judge, images, named) for judge in self.judges])

    def decided(self, latents: np.ndarray, caption: Caption) -> np.ndarray:
        """(n,) bool: has the generator decided on all that is named?"""
        meaning = self.models.generator.condition(caption.text).expand(len(latents), -1)
        scenes = judgement.decided(self.generator, meaning, latents)
        named = truth_of([caption])[np.zeros(1, np.int64)]
        return np.array(
            [scene is not None and bool(shows_own(truth_of([scene]), named)[0]) for scene in scenes]
        )


def candidates(kind: str) -> Iterator[Caption]:
    """Captions of a kind without end; of unseen words each has at least one."""
    number = KINDS.index(kind)
    for index in range(10**9):
        rng = np.random.default_rng([CAPTION_SEED, number, index])
        caption = captions(sample_scene(rng), rng, 1)[0]
        if kind != UNSEEN:
            if kind_of_caption(caption) == kind:
                yield caption
            continue
        other = reword(caption, rng, 0.8, HELD_OUT)
        if other.text != caption.text:
            yield other


def hard(
    kind: str, bench: Bench, count: int, rates: Sequence[float] = HARD, tried: int = TRIED
) -> Iterator[tuple[Caption, float]]:
    """The first ``count`` of a kind whose plain rates are within ``rates``, with them.

    Of a kind that is nearly always right fewer may be found among those ``tried``.
    """
    rng = np.random.default_rng([SCREEN_SEED, KINDS.index(kind)])
    texts: set[str] = set()
    for caption in itertools.islice(candidates(kind), tried):
        latents = rng.standard_normal((SCREENED, LATENT_SIZE), dtype=np.float32)
        if caption.text in texts:
            continue
        rate = float(bench.decided(latents, caption).mean())
        if rates[0] <= rate <= rates[1]:
            texts.add(caption.text)
            yield caption, rate
            if len(texts) == count:
                return


def searched(caption: str, arm: Arm, models: Models) -> Iterator[tuple[int, Points, Points]]:
    """Generation 0 and the archive, whenever a budget of the arm is used up."""
    evaluator = models.for_caption(caption)
    config = RunConfig(
        caption=caption,
        seed=RUN_SEED,
        sampler=arm.sampler,
        population=BATCH,
        offspring=BATCH,
        generations=arm.budgets[-1] // BATCH - 1,
        options={arm.sampler: arm.options} if arm.options else {},
    )
    search = search_of(config, models)
    first: Points | None = None
    while search.generation <= config.generations:
        points = told(search, search.ask(), evaluator)
        first = points if first is None else first
        if search.generation * BATCH in arm.budgets:
            yield search.generation * BATCH, first, search.archive


def measured(caption: Caption, bench: Bench, names: Sequence[str]) -> dict[str, Any]:
    """Everything about one caption, as plain JSON values."""
    models = bench.models
    evaluator = models.for_caption(caption.text)
    found: dict[str, Any] = {}
    for name in names:
        start = time.perf_counter()
        for budget, first, archive in searched(caption.text, ARMS[name], models):
            if not found:
                found["generation 0"] = beginning(first, evaluator, bench, caption)
            found[f"{name} {budget}"] = outcome(archive, first, evaluator, bench, caption)
        found[f"{name} {budget}"]["seconds"] = time.perf_counter() - start
    return found


def beginning(
    first: Points, evaluator: Evaluator, bench: Bench, caption: Caption
) -> dict[str, Any]:
    """The plain samples, and how each score, and the balanced value, order them."""
    images, scores = evaluator.render_and_score(first.latents)
    judged = bench.judged(images, caption)
    return {
        "judged": float(judged.mean()),
        "agreed": float((judged > 0.5).all(axis=0).mean()),
        "oracle": float(judged.mean(axis=0).max()),
        "correlation": correlations(scores, scores, judged.mean(axis=0), evaluator.scorer.names),
    }


def outcome(
    archive: Points,
    first: Points,
    evaluator: Evaluator,
    bench: Bench,
    caption: Caption,
) -> dict[str, Any]:
    """The pick of what an arm keeps, and what it might have been."""
    names = evaluator.scorer.names
    images, scores = evaluator.render_and_score(archive.latents)
    best = pick(scores, first.scores, names)
    chosen = best.chosen[0]
    kept = bench.judged(images, caption)
    others = {
        weighted(weight): pick(scores, first.scores, names, Taste(weights={"text_image": weight}))
        for weight in WEIGHTS
    }
    return {
        "judged": float(kept[:, chosen].mean()),
        "agreed": float((kept[:, chosen] > 0.5).all()),
        "value": float(best.value[chosen]),
        "kept": len(archive),
        "oracle": float(kept.mean(axis=0).max()),
        "hypervolume": Box.around(first.scores).volume(archive.scores),
        "correlation": correlations(scores, first.scores, kept.mean(axis=0), names),
        SMOOTHED: float(kept[:, smoothed(archive, best, scores, first, evaluator)].mean()),
        **{key: float(kept[:, other.chosen[0]].mean()) for key, other in others.items()},
    }


def smoothed(
    archive: Points, best: Pick, scores: np.ndarray, first: Points, evaluator: Evaluator
) -> int:
    """The row whose balanced value is best on the mean of small steps of the latent around it.

    Of the first ten of a pick; a score that is fooled by one picture is not by its neighbours.
    """
    rows = np.array(best.ranking[:AROUND_FIRST])
    rng = np.random.default_rng(RUN_SEED)
    latents = archive.latents[rows].repeat(STEPS, axis=0)
    noise = rng.standard_normal(latents.shape, dtype=np.float32)
    around = math.sqrt(1 - STEP**2) * latents + STEP * noise
    others = evaluator.render_and_score(around)[1].reshape(len(rows), STEPS, -1)
    together = np.concatenate([others, scores[rows][:, None]], axis=1)
    value = balanced(together.reshape(-1, scores.shape[1]), first.scores)
    return int(rows[value.reshape(len(rows), -1).mean(axis=1).argmax()])


def weighted(weight: int) -> str:
    """The key of what is judged of the pick with this weight of text_image."""
    return f"judged, text_image {weight}"


def correlations(
    scores: np.ndarray, against: np.ndarray, judged: np.ndarray, names: Sequence[str]
) -> dict[str, float | None]:
    """Spearman's, of each score and of the balanced value; None where nothing varies."""
    columns = dict(zip(names, scores.T, strict=True)) | {"balanced": balanced(scores, against)}
    return {name: rank_correlation(column, judged) for name, column in columns.items()}


def balanced(scores: np.ndarray, against: np.ndarray) -> np.ndarray:
    """(n,) the mean z against generation 0, capped."""
    result: np.ndarray = np.minimum(standardise(scores, *robust_scale(against)), Z_CAP).mean(axis=1)
    return result


# the table


def print_tables(lines: Sequence[Mapping[str, Any]]) -> None:
    """By arm: judged, agreed, against random with the same pictures, oracle, hypervolume."""
    arms = [
        name
        for name in lines[0]["found"]
        if name != "generation 0" and all(name in line["found"] for line in lines)
    ]
    plain = column(lines, "generation 0", "judged")
    print(f"{len(lines)} captions; plain sample judged {plain.mean():.3f}, agreed "
          f"{column(lines, 'generation 0', 'agreed').mean():.3f}\n")  # fmt: skip
    print("| arm | judged | agreed | − plain | − random | oracle | hypervolume | value | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for arm in arms:
        alike = [each for each in arms if each.split()[-1] == arm.split()[-1]]
        rival = next((each for each in alike if each.startswith("random")), None)
        mine = column(lines, arm, "judged")
        gained = mine - column(lines, rival, "judged") if rival not in (None, arm) else None
        cells = [arm, f"{mine.mean():.3f}", f"{column(lines, arm, 'agreed').mean():.3f}",
                 with_interval(mine - plain, "+.3f", 4000),
                 "–" if gained is None else with_interval(gained, "+.3f", 4000),
                 f"{column(lines, arm, 'oracle').mean():.3f}",
                 f"{np.median(column(lines, arm, 'hypervolume')):.3f}",
                 f"{column(lines, arm, 'value').mean():+.2f}",
                 f"{np.median(column(lines, arm, 'seconds')):.1f}"]  # fmt: skip
        print(f"| {' | '.join(cells)} |")
    print_against("nsga2 500", arms, lines)
    print(
        "\n| judged, text_image weighted | 1 | "
        + " | ".join(map(str, WEIGHTS))
        + " | 1, smoothed |"
    )
    print("|---|---|" + "---|" * (1 + len(WEIGHTS)))
    for arm in arms:
        mine = column(lines, arm, "judged")
        cells = [f"{mine.mean():.3f}"]
        for key in (*map(weighted, WEIGHTS), SMOOTHED):
            other = column(lines, arm, key)
            gained = with_interval(other - mine, "+.3f", 4000)
            cells.append(f"{other.mean():.3f} ({gained})")
        print(f"| {arm} | {' | '.join(cells)} |")
    print("\n| kind | captions | plain | " + " | ".join(arms) + " |")
    print("|---|---|---|" + "---|" * len(arms))
    for kind in dict.fromkeys(line["kind"] for line in lines):
        some = [line for line in lines if line["kind"] == kind]
        cells = [f"{column(some, arm, 'judged').mean():.2f}" for arm in ("generation 0", *arms)]
        print(f"| {kind} | {len(some)} | {' | '.join(cells)} |")
    print("\n| rank correlation with the judge | " + " | ".join(names_of(lines)) + " |")
    print("|---|" + "---|" * len(names_of(lines)))
    for where in ("generation 0", *arms):
        cells = []
        for name in names_of(lines):
            values = [line["found"][where]["correlation"][name] for line in lines]
            known = [value for value in values if value is not None]
            cells.append(f"{np.mean(known):.2f}" if known else "–")
        print(f"| {where} | {' | '.join(cells)} |")


def print_against(arm: str, arms: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> None:
    """An arm against each other one with as many pictures."""
    if arm not in arms:
        return
    judged, volume = column(lines, arm, "judged"), column(lines, arm, "hypervolume")
    print(f"\n| {arm} against | judged, less its | hypervolume over its, median | larger of "
          f"{len(lines)} |\n|---|---|---|---|")  # fmt: skip
    for other in arms:
        if other == arm or other.split()[-1] != arm.split()[-1]:
            continue
        gained = with_interval(judged - column(lines, other, "judged"), "+.3f", 4000)
        theirs = column(lines, other, "hypervolume")
        cells = [other, gained, f"{np.median(volume / theirs):.2f}", str((volume > theirs).sum())]
        print(f"| {' | '.join(cells)} |")


def print_compared(
    lines: Sequence[Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]]
) -> None:
    """What is judged of the picks here and there, by kind and arm, paired by caption."""
    there = {(line["kind"], line["caption"]): line["found"] for line in earlier}
    both = [line for line in lines if (line["kind"], line["caption"]) in there]
    print("\n| kind | captions | arm | before | now | now − before |\n|---|---|---|---|---|---|")
    kinds = list(dict.fromkeys(line["kind"] for line in both))
    for kinds_of_row in (*([kind] for kind in kinds), *([kinds] if len(kinds) > 1 else ())):
        some = [line for line in both if line["kind"] in kinds_of_row]
        pairs = [(line["found"], there[line["kind"], line["caption"]]) for line in some]
        for arm in (arm for arm in pairs[0][0] if all(arm in old for _, old in pairs)):
            judged = np.array([[each[arm]["judged"] for each in pair] for pair in pairs])
            now, before = judged.T
            cells = [", ".join(kinds_of_row), str(len(some)), arm, f"{before.mean():.3f}",
                     f"{now.mean():.3f}", with_interval(now - before, "+.3f", 4000)]  # fmt: skip
            print(f"| {' | '.join(cells)} |")


def names_of(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(lines[0]["found"]["generation 0"]["correlation"])


def column(lines: Sequence[Mapping[str, Any]], arm: str, key: str) -> np.ndarray:
    return np.array([line["found"][arm].get(key, np.nan) for line in lines])


def lines_of(folder: Path) -> list[dict[str, Any]]:
    path = folder / "captions.jsonl"
    return list(map(json.loads, path.read_text().splitlines())) if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=26, help="of each kind")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--arms", nargs="*", default=list(USUAL), choices=list(ARMS))
    parser.add_argument("--rates", nargs=2, type=float, default=HARD, help="of plain samples")
    parser.add_argument("--tried", type=int, default=TRIED, help="captions of each kind")
    parser.add_argument("--judges", nargs="*", default=list(export.JUDGES))
    parser.add_argument("--out", type=Path, nargs="+", default=[Path("runs/hard")])
    parser.add_argument("--before", type=Path, nargs="+", default=[], help="other --out")
    parser.add_argument("--table", action="store_true", help="run nothing")
    given = parser.parse_args()
    lines = [line for folder in given.out for line in lines_of(folder)]
    if not given.table:
        (folder,) = given.out
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "captions.jsonl"
        torch.set_grad_enabled(False)
        bench = Bench(
            load(RunConfig(caption="a cat", seed=0)),
            export.load_generator(),
            [export.load_judge(name=name) for name in given.judges],
        )
        done = {(line["kind"], line["caption"]) for line in lines}
        for kind in given.kinds:
            for caption, rate in hard(kind, bench, given.captions, given.rates, given.tried):
                if (kind, caption.text) in done:
                    continue
                found = measured(caption, bench, given.arms)
                line = {"kind": kind, "caption": caption.text, "screened": rate, "found": found}
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                lines.append(line)
                said = ", ".join(f"{arm} {each['judged']:.2f}" for arm, each in found.items())
                print(f"{len(lines)} {kind}: {caption.text} | {said}", flush=True)
    if lines := [line for line in lines if line["kind"] in given.kinds]:
        print()
        print_tables(lines)
        if given.before:
            print_compared(lines, [line for folder in given.before for line in lines_of(folder)])


if __name__ == "__main__":
    main()
