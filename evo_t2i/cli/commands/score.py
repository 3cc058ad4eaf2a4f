"""`evo-t2i score`: score any pictures against a caption."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo_t2i.cli.arguments import PluginOptions, home_expanded, plugin_options, score_names
from evo_t2i.cli.commands.evolving import coverage_sentence, unread_sentences
from evo_t2i.cli.scorers import ClassifierOption, ClipOption, EmbedderOption, PresetOption
from evo_t2i.cli.terminal.output import print_json, print_table, say, say_error
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.config import DEFAULT_SCORES, ScorerModels, check_caption, checked_options
from evo_t2i.errors import EvoError, NonFiniteScoresError, UsageError
from evo_t2i.presets import BUILTIN, scorers

if TYPE_CHECKING:
    import numpy as np

    from evo_t2i.evaluate.scorer import Scorer


@dataclass(frozen=True)
class _Result:
    """What became of one file: its scores in the order of the columns, or why it has none."""

    file: Path
    scores: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None


def score(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="PNG, JPEG or WEBP files.", callback=home_expanded),
    ],
    caption: Annotated[str, typer.Option(help="What the pictures ought to show.")],
    scores: Annotated[
        str, typer.Option(help="Which ones, separated by commas; see `list scores`.")
    ] = ",".join(DEFAULT_SCORES),
    preset: PresetOption = BUILTIN,
    clip: ClipOption = None,
    classifier: ClassifierOption = None,
    embedder: EmbedderOption = None,
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
    given = {"clip": clip, "classifier": classifier, "embedder": embedder}
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

    results = [_scored(file, scorer, alone=len(images) == 1) for file in images]
    if not scorer.cache_info().currsize:
        raise UsageError(f"None of the {len(images)} files can be read; give PNG, JPEG or WEBP.")
    if json_output:
        print_json(
            {
                "caption": caption,
                "coverage": scorer().coverage,
                "label_matched": scorer().label_matched,
                "unread": scorer().unread,
                "images": [_as_json(result, names) for result in results],
            }
        )
    else:
        print_table(["file", *names], [_cells(result) for result in results if not result.error])
        if sentence := coverage_sentence(scorer().coverage, scorer().label_matched, names):
            say(sentence)
        for sentence in unread_sentences(scorer().unread):
            say(sentence)
    failed = sum(result.error is not None for result in results)
    if failed:
        raise EvoError(f"{failed} of {len(images)} files could not be scored; see above.")


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


def _scored(file: Path, scorer: Callable[[], "Scorer"], *, alone: bool) -> _Result:
    """Read and score one file; what is wrong with it is raised where it stands ``alone``, and else
    said and kept."""
    from evo_t2i.runs.foreign_images import read_image

    try:
        image = read_image(file)
    except UsageError as error:
        return _failed(file, error, alone=alone)
    for note in image.notes:
        say(f"{file}: {note}")
    ready = scorer()
    try:
        return _Result(file, _scores(image.pixels, ready), image.notes)
    except NonFiniteScoresError as error:
        return _failed(file, error, alone=alone)


def _failed(file: Path, error: EvoError, *, alone: bool) -> _Result:
    if alone:
        raise error
    said = str(error) if str(file) in str(error) else f"{file}: {error}"
    say_error(said)
    return _Result(file, error=said)


def _scores(pixels: "np.ndarray", scorer: "Scorer") -> tuple[float, ...]:
    with libraries_silenced():
        import torch

        from evo_t2i.evaluate.evaluator import score_images

        tensor = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255.0  # (1, 3, h, w)
        return tuple(score_images(scorer, tensor, micro_batch=1)[0].tolist())


def _as_json(result: _Result, names: Sequence[str]) -> dict[str, Any]:
    if result.error is not None:
        return {"file": str(result.file), "error": result.error}
    scores = dict(zip(names, result.scores, strict=True))
    notes = {"notes": list(result.notes)} if result.notes else {}
    return {"file": str(result.file), "scores": scores, **notes}


def _cells(result: _Result) -> list[str]:
    return [str(result.file), *(f"{value:.6f}" for value in result.scores)]
