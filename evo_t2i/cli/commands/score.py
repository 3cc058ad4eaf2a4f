"""`evo-t2i score`: score any pictures against a caption."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo_t2i.cli.arguments import PluginOptions, plugin_options, score_names
from evo_t2i.cli.commands.evolving import coverage_sentence, unread_sentences
from evo_t2i.cli.picture_files import PictureFiles, of_each, raise_for_failures
from evo_t2i.cli.scorers import (
    ClassifierOption,
    ClipOption,
    EmbedderOption,
    LabelsOption,
    PresetOption,
)
from evo_t2i.cli.terminal.output import print_json, print_table, say
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.config import DEFAULT_SCORES, ScorerModels, check_caption, checked_options
from evo_t2i.errors import UsageError
from evo_t2i.presets import BUILTIN, scorers

if TYPE_CHECKING:
    import numpy as np

    from evo_t2i.evaluate.scorer import Scorer


def score(
    images: PictureFiles,
    caption: Annotated[str, typer.Option(help="What the pictures ought to show.")],
    scores: Annotated[
        str, typer.Option(help="Which ones, separated by commas; see `list scores`.")
    ] = ",".join(DEFAULT_SCORES),
    preset: PresetOption = BUILTIN,
    clip: ClipOption = None,
    classifier: ClassifierOption = None,
    embedder: EmbedderOption = None,
    labels: LabelsOption = None,
    options: PluginOptions = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Score picture files for a caption; higher is better.

    \b
    evo-t2i score photo.jpg drawing.png --caption "a cat on a table"

    A file may be a pipe. One that cannot be scored is named, the others are scored, and the exit
    code is 1.
    """
    check_caption(caption)
    names = score_names(scores)
    if not names:
        raise UsageError("--scores is empty; give at least one, see `evo-t2i list scores`.")
    given = {"clip": clip, "classifier": classifier, "embedder": embedder, "labels": labels}
    models, chosen = scorers(
        preset,
        names,
        {name: value for name, value in given.items() if value is not None},
        plugin_options(options),
    )
    chosen = checked_options(chosen, names)

    @cache
    def scorer() -> "Scorer":
        """Loaded once there is a picture to be scored."""
        if not quiet:
            say("Loading models…")
        return _loaded(names, chosen, models, device, caption)

    results = of_each(images, lambda pixels: _scores(pixels, scorer()))
    if json_output:
        print_json(
            {
                "caption": caption,
                **scorer().label_facts,
                "unread": scorer().unread,
                "images": [
                    result.as_json(lambda values: {"scores": dict(zip(names, values, strict=True))})
                    for result in results
                ],
            }
        )
    else:
        rows = [[str(each.file), *_cells(each.value)] for each in results if each.value is not None]
        print_table(["file", *names], rows)
        if sentence := coverage_sentence(scorer().label_facts, names):
            say(sentence)
        for sentence in unread_sentences(scorer().unread):
            say(sentence)
    raise_for_failures(results, "scored")


def _loaded(
    names: Sequence[str],
    options: Mapping[str, Mapping[str, Any]],
    models: ScorerModels,
    device: str,
    caption: str,
) -> "Scorer":
    with libraries_silenced():
        from evo_t2i.evaluate.models import load_scorers
        from evo_t2i.models.device import choose_device

        networks = load_scorers(names, device=choose_device(device), options=options, models=models)
        return networks.for_caption(caption)


def _scores(pixels: "np.ndarray", scorer: "Scorer") -> tuple[float, ...]:
    with libraries_silenced():
        import torch

        from evo_t2i.evaluate.evaluator import score_images

        tensor = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255.0  # (1, 3, h, w)
        return tuple(score_images(scorer, tensor, micro_batch=1)[0].tolist())


def _cells(scores: Sequence[float]) -> list[str]:
    return [f"{value:.6f}" for value in scores]
