"""Can the CLIP tell? Of a hundred plain samples the one that text_image prefers, judged.

    python benchmarks/best_of_hundred.py --captions 44 --kinds "unseen words" "two things"

For each caption a hundred samples of the built-in generator: how many show all that the caption
names, by the judge, whether the one with the largest text_image does, and whether any does. The
second is to be compared with the first (nothing is gained) and with the last (all is gained).
Prints Markdown, with 95 % bootstrap intervals over captions.
"""

import argparse

import numpy as np
import torch
from bootstrap import with_interval

from evo_t2i.config import RunConfig
from evo_t2i.evaluate.models import load
from evo_t2i.training.builtin import export, judgement
from evo_t2i.training.builtin.judge import read
from evo_t2i.world import Caption, shows_own, truth_of

SAMPLES, LATENT_SEED = 100, 44


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=44, help="of each kind")
    parser.add_argument("--kinds", nargs="*", help="by default all")
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    models = load(RunConfig(caption="a cat", seed=0, scores=("text_image",)))
    judge = export.load_judge()

    def measured(index: int, caption: Caption) -> tuple[float, float, float]:
        evaluator = models.for_caption(caption.text)
        latents = models.prior(SAMPLES, np.random.default_rng([LATENT_SEED, index]))
        images, scores = evaluator.render_and_score(latents)
        named = truth_of([caption])[np.zeros(SAMPLES, np.int64)]
        right = shows_own(read(judge, images), named)
        return right.mean(), right[scores[:, 0].argmax()], right.any()

    print("| kind | captions | a plain sample | best of 100 by text_image | any of 100 |")
    print("|---|---|---|---|---|")
    for kind, items in judgement.fresh_captions(given.captions).items():
        if given.kinds and kind not in given.kinds:
            continue
        rows = np.array([measured(*item) for item in enumerate(items)], float)
        cells = [with_interval(column, ".2f", 4000) for column in rows.T]
        print(f"| {kind} | {len(rows)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
