"""`evo-t2i score`: score any pictures against a caption."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo_t2i.cli.arguments import score_names
from evo_t2i.cli.evolving import coverage_sentence
from evo_t2i.cli.output import print_json, print_table, say, say_error
from evo_t2i.cli.scorers import ClassifierOption, ClipOption, EmbedderOption, PresetOption
from evo_t2i.cli.silence import libraries_silenced
from evo_t2i.config import DEFAULT_SCORES, ScoreOptions, ScorerModels, check_caption
from evo_t2i.errors import EvoError, NonFiniteScoresError, UsageError
from evo_t2i.presets import BUILTIN, scorers

if TYPE_CHECKING:
    import numpy as np

    from evo_t2i.evaluate import ImageScorer


@dataclass(frozen=True)
class _Result:
    """What became of one file: its scores in the order of the columns, or why it has none."""

    file: Path
    scores: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None


def score(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="PNG, JPEG or WEBP files.")
    ],
    caption: Annotated[str, typer.Option(help="What the pictures ought to show.")],
    scores: Annotated[
        str, typer.Option(help="Which ones, separated by commas; see `list scores`.")
    ] = ",".join(DEFAULT_SCORES),
    preset: PresetOption = BUILTIN,
    clip: ClipOption = None,
    classifier: ClassifierOption = None,
    embedder: EmbedderOption = None,
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
    given = {"clip": clip, "classifier": classifier, "embedder": embedder}
    models, options = scorers(
        preset, {name: value for name, value in given.items() if value is not None}
    )
    names = score_names(scores)
    if not names:
        raise UsageError("--scores is empty; give at least one, see `evo-t2i list scores`.")

    loaded: list[ImageScorer] = []

    def scorer() -> "ImageScorer":
        """Loaded once there is a picture to be scored."""
        if not loaded:
            if not quiet:
                say("Loading models…")
            loaded.append(_loaded(names, options, models, device, caption))
        return loaded[0]

    results = [_scored(file, scorer, alone=len(images) == 1) for file in images]
    if not loaded:
        raise UsageError(f"None of the {len(images)} files can be read; give PNG, JPEG or WEBP.")
    if json_output:
        print_json(
            {
                "caption": caption,
                "coverage": scorer().coverage,
                "label_matched": scorer().label_matched,
                "images": [_as_json(result, names) for result in results],
            }
        )
    else:
        print_table(["file", *names], [_cells(result) for result in results if not result.error])
        if sentence := coverage_sentence(scorer().coverage, scorer().label_matched, names):
            say(sentence)
    failed = sum(result.error is not None for result in results)
    if failed:
        raise EvoError(f"{failed} of {len(images)} files could not be scored; see above.")


def _loaded(
    names: Sequence[str], options: ScoreOptions, models: ScorerModels, device: str, caption: str
) -> "ImageScorer":
    with libraries_silenced():
        from evo_t2i.evaluate import ImageScorer
        from evo_t2i.models.device import choose_device

        scorer = ImageScorer(
            score_names=names,
            options=options,
            device=choose_device(device),
            micro_batch=1,
            models=models,
        )
        scorer.prepare(caption)
    return scorer


def _scored(file: Path, scorer: Callable[[], "ImageScorer"], *, alone: bool) -> _Result:
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


def _scores(pixels: "np.ndarray", scorer: "ImageScorer") -> tuple[float, ...]:
    with libraries_silenced():
        import torch

        tensor = torch.from_numpy(pixels).permute(2, 0, 1)  # (3, h, w)
        return tuple(scorer.score_images(tensor[None].float() / 255.0)[0].tolist())


def _as_json(result: _Result, names: Sequence[str]) -> dict[str, Any]:
    if result.error is not None:
        return {"file": str(result.file), "error": result.error}
    scores = dict(zip(names, result.scores, strict=True))
    notes = {"notes": list(result.notes)} if result.notes else {}
    return {"file": str(result.file), "scores": scores, **notes}


def _cells(result: _Result) -> list[str]:
    return [str(result.file), *(f"{value:.6f}" for value in result.scores)]
