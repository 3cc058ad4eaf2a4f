"""`evo-t2i classify`: which of any labels a picture shows, without training."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo_t2i.cli.picture_files import PictureFiles, of_each, raise_for_failures
from evo_t2i.cli.terminal.output import print_json, print_table, say
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.config import BUILTIN_MODELS, ScorerModels, require

if TYPE_CHECKING:
    import numpy as np

    from evo_t2i.features.zero_shot import ZeroShotClassifier


@dataclass(frozen=True)
class _Answer:
    """One label of a picture."""

    label: str
    probability: float
    similarity: float


def classify(
    images: PictureFiles,
    labels: Annotated[
        str,
        typer.Option(metavar="A,B,C|FILE", help="What to choose from; in a file, one a line."),
    ],
    templates: Annotated[
        list[str] | None,
        typer.Option(
            "--template",
            help="A text with {} for the label; repeatable, the mean of all is taken.",
            show_default="seven such as 'a photo of a {}.'",
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="Labels to show of each picture.")] = 5,
    clip: Annotated[
        str, typer.Option(help=ScorerModels.__dataclass_fields__["clip"].metadata["help"])
    ] = BUILTIN_MODELS.clip,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Say which of any labels picture files show, by CLIP and without training.

    \b
    evo-t2i classify photo.jpg drawing.png --labels cat,dog,skyline
    evo-t2i classify photo.jpg --labels animals.txt --clip ViT-B-32:laion2b_s34b_b79k
    evo-t2i classify photo.jpg --labels cat,dog --template "a photo of a {}." --template "{}."

    The probabilities of one picture are shared between the labels and add up to 1: that of the
    best one says nothing where none is right. A file that cannot be classified is named, the others
    are, and the exit code is 1.
    """
    from evo_t2i.features.labels import TEMPLATES, checked_templates, labels_of

    require(top >= 1, "top", top, "1 or more")
    names = labels_of(labels)
    chosen = checked_templates(templates or TEMPLATES)

    @cache
    def classifier() -> "ZeroShotClassifier":
        """Loaded once there is a picture to be classified."""
        if not quiet:
            say("Loading models…")
        return _loaded(names, chosen, clip, device)

    results = of_each(images, lambda pixels: _answers(pixels, classifier(), device)[:top])
    if json_output:
        print_json(
            {
                "clip": clip,
                "labels": list(names),
                "templates": list(chosen),
                "images": [result.as_json(_as_json) for result in results],
            }
        )
    else:
        rows = [
            [str(each.file), *_cells(answer)] for each in results for answer in each.value or ()
        ]
        print_table(["file", "label", "probability", "similarity"], rows)
    raise_for_failures(results, "classified")


def _loaded(
    labels: Sequence[str], templates: Sequence[str], clip: str, device: str
) -> "ZeroShotClassifier":
    with libraries_silenced():
        from evo_t2i.features.clip import ClipFeatures
        from evo_t2i.features.zero_shot import ZeroShotClassifier
        from evo_t2i.models.device import choose_device

        features = ClipFeatures(device=choose_device(device), models=ScorerModels(clip=clip))
        return ZeroShotClassifier(features, labels, templates)


def _answers(pixels: "np.ndarray", classifier: "ZeroShotClassifier", device: str) -> list[_Answer]:
    """All labels of a picture (h, w, 3) uint8, the most probable first."""
    with libraries_silenced():
        import torch

        from evo_t2i.models.device import choose_device

        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255.0  # (1, 3, h, w)
        similarities, probabilities = classifier(image.to(choose_device(device)))
        values = zip(
            classifier.labels, probabilities[0].tolist(), similarities[0].tolist(), strict=True
        )
    return sorted((_Answer(*each) for each in values), key=lambda answer: -answer.probability)


def _as_json(answers: Sequence[_Answer]) -> dict[str, Any]:
    return {
        "labels": [
            {
                "label": answer.label,
                "probability": answer.probability,
                "similarity": answer.similarity,
            }
            for answer in answers
        ]
    }


def _cells(answer: _Answer) -> list[str]:
    return [answer.label, f"{answer.probability:.4f}", f"{answer.similarity:.4f}"]
