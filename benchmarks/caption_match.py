"""How often does a picture show everything that its caption names?

For each of N captions of fresh scenes: a plain sample (averaged over generation 0), the balanced
pick of generation 0 (best of 100 random images) and the balanced pick of the evolved front. An
independent judge answers: another architecture than the scorers, trained on renders, never part of
a search. Results are appended to --out as they come, and a second call goes on from there. With
--detail it also compares the ways to pick on the same fronts, and says what each miss looked like.

    python benchmarks/caption_match.py --captions 100 --generations 50 --workers 2
"""

import argparse
import json
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo_t2i.config import RunConfig
from evo_t2i.evaluate.models import load
from evo_t2i.picking.methods import pick, robust_scale
from evo_t2i.picking.taste import Taste
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.training.builtin.export import load_judge
from evo_t2i.training.builtin.judge import evaluate, read
from evo_t2i.training.builtin.pool import load_pool
from evo_t2i.world import Caption, captions, holds, sample_scene, truth_of

CAPTION_SEED, JUDGE_SEED = 3, 5
WAYS: dict[str, dict[str, Any]] = {
    "`balanced`": {},
    "`balanced`, text_image weighted 4": {"weights": {"text_image": 4.0}},
    "`asf`": {"method": "asf"},
    "`rank`": {"method": "rank"},
    "`topsis`": {"method": "topsis"},
    "`weighted`": {"method": "weighted"},
}
_MODELS: dict[str, Any] = {}


def fresh_caption(index: int) -> Caption:
    """One caption of a scene that no training has seen."""
    rng = np.random.default_rng([CAPTION_SEED, index])
    return captions(sample_scene(rng), rng, 1)[0]


def load_models(config: RunConfig, threads: int, detail: Path | None) -> None:
    """Once per process."""
    torch.set_num_threads(threads)
    _MODELS["models"] = load(config)
    _MODELS["judge"] = load_judge()
    _MODELS["config"], _MODELS["detail"] = config, detail


def measure(index: int) -> dict[str, Any]:
    """The three answers for one caption."""
    models, judge, config = _MODELS["models"], _MODELS["judge"], _MODELS["config"]
    caption = fresh_caption(index)
    evaluator = models.for_caption(caption.text)
    search = Nsga2(
        sample=models.prior,
        dimensions=models.dimensions,
        objectives=len(config.scores),
        config=config,
        options=Nsga2.Options(keep="front"),
    )
    named = truth_of([caption])
    latents = first = search.ask()
    scores = start = evaluator.score_latents(first)
    search.tell(first, start)
    while search.generation <= config.generations:
        latents = search.ask()
        scores = evaluator.score_latents(latents)
        search.tell(latents, scores)
    plain = holds(read(judge, evaluator.render(first)), named)[:, 0]
    best = pick(start, start, config.scores).chosen[0]
    archive = search.archive
    chosen = pick(archive.scores, start, config.scores).chosen[0]
    shown = holds(read(judge, evaluator.render(archive.latents)), named)[:, 0]
    if _MODELS["detail"]:
        np.savez(
            _MODELS["detail"] / f"{index:04d}.npz",
            generation0=start,
            generation0_shown=plain,
            front=archive.scores,
            front_shown=shown,
        )
    return {
        "index": index,
        "caption": caption.text,
        "plain": float(plain.mean()),
        "best_of_generation_0": bool(plain[best]),
        "evolved": bool(shown[chosen]),
        "front_shows": float(shown.mean()),
        "front": len(archive),
    }


def print_ways(rows: list[dict[str, Any]], names: tuple[str, ...], detail: Path) -> None:
    """The rate of each way to pick, then the scores around each miss of the default one."""
    fronts = {row["index"]: np.load(detail / f"{row['index']:04d}.npz") for row in rows}
    print("\n| way to pick | of generation 0 | of the evolved front |\n|---|---|---|")
    for name, options in WAYS.items():
        hits = [
            [
                front[f"{which}_shown"][
                    pick(front[which], front["generation0"], names, Taste(**options)).chosen[0]
                ]
                for which in ("generation0", "front")
            ]
            for front in fronts.values()
        ]
        first, last = np.mean(hits, axis=0)
        print(f"| {name} | {first:.0%} | {last:.0%} |")
    for row in rows:
        if row["evolved"]:
            continue
        front = fronts[row["index"]]
        centre, scale = robust_scale(front["generation0"])
        moved = ", ".join(
            f"{name} {middle:.4f} ± {spread:.4f} → {top:.4f}"
            for name, middle, spread, top in zip(
                names, centre, scale, front["front"].max(axis=0), strict=True
            )
        )
        print(f"missed: {row['caption']} (plain {row['plain']:.0%}); {moved}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=100)
    parser.add_argument("--population", type=int, default=100)
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scores", default=",".join(RunConfig(caption="x", seed=0).scores))
    parser.add_argument("--workers", type=int, default=1, help="processes, one thread each")
    parser.add_argument(
        "--detail", type=Path, help="folder for the scores and answers of every front image"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/caption_match.jsonl"))
    arguments = parser.parse_args()
    config = RunConfig(
        caption="x",
        seed=arguments.seed,
        population=arguments.population,
        offspring=arguments.population,
        generations=arguments.generations,
        scores=tuple(arguments.scores.split(",")),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    if arguments.detail:
        arguments.detail.mkdir(parents=True, exist_ok=True)
    lines = arguments.out.read_text("utf-8").splitlines() if arguments.out.exists() else []
    rows = {row["index"]: row for row in map(json.loads, lines)}
    missing = [index for index in range(arguments.captions) if index not in rows]
    start = time.monotonic()
    threads = 1 if arguments.workers > 1 else torch.get_num_threads()
    context = multiprocessing.get_context("spawn")
    given = (config, threads, arguments.detail)
    with context.Pool(arguments.workers, load_models, given) as processes:
        for row in processes.imap_unordered(measure, missing):
            rows[row["index"]] = row
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            seconds = time.monotonic() - start
            print(f"{len(rows)}/{arguments.captions} {seconds:.0f}s {row}", file=sys.stderr)
    judged = evaluate(load_judge(), load_pool(arguments.out.parent, 2_000, JUDGE_SEED))
    measured = list(rows.values())
    best, evolved = (
        np.mean([row[key] for row in measured]) for key in ("best_of_generation_0", "evolved")
    )
    print(f"| shows everything that the caption names, {len(measured)} captions | rate |")
    print("|---|---|")
    print(f"| a plain sample | {np.mean([row['plain'] for row in measured]):.1%} |")
    print(f"| the pick of {arguments.population} random images | {best:.1%} |")
    print(f"| the pick after {arguments.generations} generations | {evolved:.1%} |")
    shown = np.mean([row["front_shows"] for row in measured])
    print(f"| an image of that front | {shown:.1%} |")
    print(f"| the judge itself, on 2,000 fresh renders | {judged['caption_agreement']:.1%} |")
    if arguments.detail:
        print_ways(measured, config.scores, arguments.detail)


if __name__ == "__main__":
    main()
