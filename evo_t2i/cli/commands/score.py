"""`evo-t2i score`: score any pictures against a caption."""

from pathlib import Path
from typing import Annotated

import typer

from evo_t2i.cli.arguments import home_expanded, score_names
from evo_t2i.cli.commands.evolving import coverage_sentence
from evo_t2i.cli.scorers import ClassifierOption, ClipOption, EmbedderOption, PresetOption
from evo_t2i.cli.terminal.output import print_json, print_table, say
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.config import DEFAULT_SCORES, check_caption
from evo_t2i.errors import UsageError
from evo_t2i.presets import BUILTIN, scorers


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
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Score picture files for a caption; higher is better.

    \b
    evo-t2i score photo.jpg drawing.png --caption "a cat on a table"
    """
    from evo_t2i.runs.images import read_image

    check_caption(caption)
    given = {"clip": clip, "classifier": classifier, "embedder": embedder}
    models, options = scorers(
        preset, {name: value for name, value in given.items() if value is not None}
    )
    names = score_names(scores)
    if not names:
        raise UsageError("--scores is empty; give at least one, see `evo-t2i list scores`.")
    for file in images:
        read_image(file)  # refuses a bad one before the models load
    if not quiet:
        say("Loading models…")
    with libraries_silenced():
        import torch

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
        rows = []
        for file in images:
            pixels = torch.from_numpy(read_image(file)).permute(2, 0, 1)  # (3, h, w)
            rows.append(scorer.score_images(pixels[None].float() / 255.0)[0].tolist())
    if json_output:
        print_json(
            {
                "caption": caption,
                "coverage": scorer.coverage,
                "label_matched": scorer.label_matched,
                "images": [
                    {"file": str(file), "scores": dict(zip(names, row, strict=True))}
                    for file, row in zip(images, rows, strict=True)
                ],
            }
        )
        return
    cells = [
        [str(file), *(f"{value:.6f}" for value in row)]
        for file, row in zip(images, rows, strict=True)
    ]
    print_table(["file", *names], cells)
    if sentence := coverage_sentence(scorer.coverage, scorer.label_matched, names):
        say(sentence)
