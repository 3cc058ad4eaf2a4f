"""How often does a picture show everything that its caption names?

For each of N captions of fresh scenes: a plain sample (averaged over generation 0), the balanced
pick of generation 0 (best of 100 random images) and the balanced pick of the evolved front. An
independent judge answers: another architecture than the scorers, trained on renders, never part of
a search. Results are appended to --out as they come, and a second call goes on from there.

    python benchmarks/caption_match.py --captions 100 --generations 50
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from evo_t2i.config import RunConfig
from evo_t2i.picking.methods import pick
from evo_t2i.sampler import build
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.training.export import load_judge
from evo_t2i.training.judge import evaluate, read
from evo_t2i.training.pool import holds, load_pool, truth_of
from evo_t2i.world import Caption, captions, sample_scene

CAPTION_SEED, JUDGE_SEED = 3, 5


def fresh_captions(count: int) -> list[Caption]:
    """One caption of each of ``count`` scenes that no training has seen."""
    result = []
    for index in range(count):
        rng = np.random.default_rng([CAPTION_SEED, index])
        result.append(captions(sample_scene(rng), rng, 1)[0])
    return result


def measure(caption: Caption, evaluator, config: RunConfig, judge) -> dict:
    """The three answers for one caption."""
    evaluator.prepare(caption.text)
    search = Nsga2(
        sample=evaluator.generator.sample,
        dimensions=evaluator.generator.latent_shape[0],
        objectives=len(config.scores),
        config=config,
    )
    named = truth_of([caption])
    first = None
    while search.generation <= config.generations:
        latents = search.ask()
        scores = evaluator.score_latents(latents)
        if first is None:
            first = (latents, scores)
        search.tell(latents, scores)
    latents, scores = first
    plain = holds(read(judge, evaluator.render(latents)), named)[:, 0]
    best = pick(scores, scores, config.scores).chosen[0]
    archive = search.archive
    chosen = pick(archive.scores, scores, config.scores).chosen[0]
    evolved = holds(read(judge, evaluator.render(archive.latents[[chosen]])), named)[0, 0]
    return {
        "caption": caption.text,
        "plain": float(plain.mean()),
        "best_of_generation_0": bool(plain[best]),
        "evolved": bool(evolved),
        "front": len(archive),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=100)
    parser.add_argument("--population", type=int, default=100)
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scores", default=",".join(RunConfig(caption="x", seed=0).scores))
    parser.add_argument("--out", type=Path, default=Path("runs/caption_match.jsonl"))
    arguments = parser.parse_args()
    torch.manual_seed(0)
    judge = load_judge()
    config = RunConfig(
        caption="x",
        seed=arguments.seed,
        population=arguments.population,
        offspring=arguments.population,
        generations=arguments.generations,
        scores=tuple(arguments.scores.split(",")),
    )
    evaluator, _ = build(config)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    lines = arguments.out.read_text("utf-8").splitlines() if arguments.out.exists() else []
    rows = [json.loads(line) for line in lines]
    start = time.monotonic()
    for index, caption in enumerate(fresh_captions(arguments.captions)):
        if index < len(rows):
            continue
        rows.append(measure(caption, evaluator, config, judge))
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1], ensure_ascii=False) + "\n")
        print(
            f"{index + 1}/{arguments.captions} {time.monotonic() - start:.0f}s {rows[-1]}",
            file=sys.stderr,
        )
    renders = load_pool(arguments.out.parent, 2_000, JUDGE_SEED)
    certainty = evaluate(judge, renders)
    print("| shows everything that the caption names | rate |")
    print("|---|---|")
    print(f"| a plain sample | {np.mean([row['plain'] for row in rows]):.1%} |")
    best = np.mean([row["best_of_generation_0"] for row in rows])
    print(f"| the pick of {arguments.population} random images | {best:.1%} |")
    evolved = np.mean([row["evolved"] for row in rows])
    print(f"| the pick after {arguments.generations} generations | {evolved:.1%} |")
    print(f"| the judge itself, on fresh renders | {certainty['caption_agreement']:.1%} |")


if __name__ == "__main__":
    main()
