"""Which patch embeddings make region_word tell true captions from false ones, words or phrases?

    python benchmarks/dense_features.py --pictures 8000

For renders of fresh scenes and one caption each: the share of (true, false) image pairs that a
caption's region_word ranks rightly (AUC, averaged over captions). For the pairs of
`clip_binding.py` in which two things' colours are exchanged: the share of captions that have the
larger region_word with their own picture, a half by chance; 95 % bootstraps over pairs.
"""

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from bootstrap import with_interval
from clip_binding import SEED, kinds_of_pairs

from evo_t2i import builtin_clip
from evo_t2i.features.clip import DENSE_FORMS, OpenClipFeatures
from evo_t2i.scores.base import Score
from evo_t2i.scores.region_word import TEXTS, RegionWord
from evo_t2i.scores.text_image import TextImage
from evo_t2i.training.builtin.pool import Pool, load_pool
from evo_t2i.training.supervised import to_batch
from evo_t2i.world import captions, holds, render, sample_scene, truth_of

CPU = torch.device("cpu")
COUNTS = (2, 3)
"""Things of a picture in which two exchange colours."""


def auc(values: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(values[truth][:, None] > values[~truth][None]))


@cache
def in_form(dense: str) -> OpenClipFeatures:
    """The built-in CLIP's features with another form of patch embeddings."""
    clip = builtin_clip.load()
    mean, std = clip.config["mean"], clip.config["std"]
    return OpenClipFeatures(
        model=clip.model, tokenize=clip.tokenize, mean=mean, std=std, digest="", device=CPU,
        dense=dense,
    )  # fmt: skip


class Scenes:
    """Fresh scenes with a caption each, and which captions are true of which."""

    def __init__(self, count: int) -> None:
        scenes = [sample_scene(np.random.default_rng([31, i])) for i in range(count)]
        said = [captions(s, np.random.default_rng([32, i]), 1)[0] for i, s in enumerate(scenes)]
        self.truth = holds(truth_of(scenes), truth_of(said))
        self.texts = [caption.text for caption in said]
        self.pixels = np.stack([render(scene, 128).image for scene in scenes])

    def told(self, features: OpenClipFeatures, score: Score) -> float:
        """The mean AUC of the captions."""
        seen = features.images(to_batch(self.pixels, CPU), {})
        return float(
            np.mean(
                [
                    auc(score(seen | features.text(text)).numpy(), self.truth[:, row])
                    for row, text in enumerate(self.texts)
                ]
            )
        )


def bound(features: OpenClipFeatures, score: Score, pool: Pool, rows: Sequence[int]) -> np.ndarray:
    """(n,) whether each picture's first caption scores higher with it than with the next one."""
    hits = []
    for row in rows:
        seen = features.images(to_batch(pool.images[row : row + 2], CPU), {})
        ours, theirs = score(seen | features.text(pool.texts[pool.caption_rows[row, 0]])).tolist()
        hits.append(ours > theirs)
    return np.array(hits)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--pictures", type=int, default=8000, help="of all pairs")
    parser.add_argument("--most", type=int, default=200, help="pairs of a column")
    parser.add_argument("--out", type=Path, default=Path("training-runs"))
    given = parser.parse_args()
    pool = load_pool(given.out, given.pictures, SEED, kind="swaps", workers=2)
    pairs = kinds_of_pairs(pool)
    exchanged = [pairs["two colours exchanged", count][: given.most] for count in COUNTS]
    scenes = Scenes(given.scenes)
    headings = [f"colours of {count} things exchanged" for count in COUNTS]
    print(f"| patch embeddings, text | fresh scenes, AUC | {' | '.join(headings)} |")
    print("|---|---|" + "---|" * len(COUNTS))
    rows: list[tuple[str, str, Score]] = [
        (f"`{dense}`, {text}", dense, RegionWord(options=RegionWord.Options(text=text)))
        for dense in DENSE_FORMS
        for text in TEXTS
    ]
    for name, dense, score in (*rows, ("(`text_image`)", DENSE_FORMS[0], TextImage())):
        features = in_form(dense)
        cells = [f"{scenes.told(features, score):.3f}"]
        cells += [with_interval(bound(features, score, pool, some)) for some in exchanged]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
