"""What each step of a LAFITE training reads: pictures, captions, and features computed once."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evo_t2i.training.data import Pictures
from evo_t2i.training.frozen import FrozenClip, Teachers, label_similarities
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.processes import Processes
from evo_t2i.training.supervised import to_batch
from evo_t2i.training.terms import objective


@dataclass(frozen=True)
class TrainingData:
    """All that steps draw from."""

    pictures: Pictures
    rows: np.ndarray
    """Training pictures."""
    texts: Tensor
    """(m, d), or (m, 1 + t, d) with words: every caption of every picture."""
    first: np.ndarray
    """(n + 1,) where each picture's captions begin."""
    image_features: Tensor
    """(n, d) CLIP's, of every picture."""
    similarities: Tensor
    """(m, labels), or (m, 0)."""


@dataclass(frozen=True)
class Batch:
    real: Tensor
    text: Tensor
    image_features: Tensor
    similarities: Tensor


def gather(
    pictures: Pictures,
    rows: np.ndarray,
    teachers: Teachers,
    settings: LafiteSettings,
    device: torch.device,
) -> TrainingData:
    captions, first = listed_captions(pictures)
    needs = objective(settings.objective, settings.images, settings.batch).needs
    words = settings.architecture.attentive or "words" in needs
    texts = teachers.clip.remembered(captions, pictures.folder, words=words)
    labels = teachers.classifier.labels if teachers.classifier is not None else ()
    similar = torch.zeros(len(captions), 0)
    if "label_similarities" in needs and captions:
        similar = label_similarities(teachers.clip, labels, texts[:, 0] if words else texts)
    return TrainingData(
        pictures,
        rows,
        texts.to(device),
        first,
        _image_features(pictures, teachers.clip, device),
        similar.to(device),
    )


def listed_captions(pictures: Pictures) -> tuple[list[str], np.ndarray]:
    """All captions of all pictures, and (n + 1,) where each picture's begin."""
    captions = [caption for each in pictures.captions for caption in each]
    return captions, np.concatenate([[0], np.cumsum([len(each) for each in pictures.captions])])


@torch.no_grad()
def _image_features(pictures: Pictures, clip: FrozenClip, device: torch.device) -> Tensor:
    """CLIP's (n, d) of every picture; kept beside the pictures."""
    path = pictures.folder / f"clip-{clip.digest[:16]}.npy"
    if not path.is_file():
        parts = []
        for start in range(0, len(pictures), 64):
            images = to_batch(pictures.images[start : start + 64], device) * 2 - 1
            parts.append(clip.images(images).cpu())
        partial = path.with_suffix(".part.npy")
        np.save(partial, torch.cat(parts).numpy())
        partial.rename(path)
    return torch.from_numpy(np.load(path)).to(device)


class Prefetch:
    """Gets the next batch ready while the networks work on this one."""

    def __init__(
        self,
        data: TrainingData,
        settings: LafiteSettings,
        device: torch.device,
        processes: Processes,
    ) -> None:
        self._data, self._settings, self._device = data, settings, device
        self._part = slice(processes.rank, None, processes.count)
        self._thread = ThreadPoolExecutor(1)
        self._coming: dict[int, Future[Batch]] = {}
        self.waited = 0.0
        """Seconds for which steps waited for their batch."""

    def __enter__(self) -> "Prefetch":
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def begin(self, step: int) -> None:
        """Start to read the batch of a step."""
        self._coming[step] = self._thread.submit(
            _read, step, self._data, self._settings, self._device, self._part
        )

    def get(self, step: int) -> Batch:
        """The batch of a step."""
        if step not in self._coming:
            self.begin(step)
        started = time.perf_counter()
        batch = self._coming.pop(step).result()
        self.waited += time.perf_counter() - started
        return batch


def _read(
    step: int, data: TrainingData, settings: LafiteSettings, device: torch.device, part: slice
) -> Batch:
    """A process's part of the pictures of a step, which (seed, step) alone decide."""
    rng = np.random.default_rng([settings.seed, step])
    found = distinct_captions(rng, data.rows, data.pictures.captions, data.first, settings.batch)
    rows, said = (each[part] for each in found)
    real = torch.from_numpy(np.array(data.pictures.images[rows])).permute(0, 3, 1, 2)
    if device.type == "cuda":
        real = real.pin_memory().to(device, non_blocking=True)
    real = real.to(device).float().div_(127.5).sub_(1)
    spoken = torch.from_numpy(said).to(device)
    return Batch(
        real.contiguous(memory_format=torch.channels_last),
        _taken(data.texts, spoken, data.image_features.shape[1]),
        data.image_features[torch.from_numpy(rows).to(device)],
        _taken(data.similarities, spoken, data.similarities.shape[1]),
    )


def _taken(table: Tensor, rows: Tensor, width: int) -> Tensor:
    """Rows of a table, zeros where a row is -1."""
    if not len(table):
        return torch.zeros(len(rows), width, device=rows.device)
    taken = table[rows.clamp(min=0)]
    return taken * (rows >= 0).view(-1, *[1] * (taken.ndim - 1))


def distinct_captions(
    rng: np.random.Generator,
    rows: np.ndarray,
    captions: Sequence[Sequence[str]],
    first: np.ndarray,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """``count`` of the pictures ``rows`` and, for each, one of its captions; -1 where it has none.

    ``first`` (n + 1,) tells where each picture's captions begin among all. Equal captions in a
    batch would be false negatives of the contrastive terms, so they are avoided as far as a few
    more candidates go.
    """
    candidates = rng.permutation(rows)[: 4 * count]
    if len(candidates) < count:
        candidates = np.concatenate([candidates, rng.choice(rows, count - len(candidates))])
    share = rng.random(len(candidates))
    amounts = first[candidates + 1] - first[candidates]
    said = np.where(amounts, first[candidates] + (share * amounts).astype(np.int64), -1)
    taken: set[str] = set()
    chosen: list[int] = []
    spare: list[int] = []
    for index, row in enumerate(said):
        caption = captions[candidates[index]]
        text = caption[row - first[candidates[index]]] if row >= 0 else f"{index}"
        (spare if text in taken else chosen).append(index)
        taken.add(text)
    order = np.array([*chosen, *spare][:count])
    return candidates[order], said[order]
