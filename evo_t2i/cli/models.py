"""`evo-t2i models`: other people's checkpoints."""

from pathlib import Path
from typing import Annotated

import typer

from evo_t2i.cli.output import print_facts, print_json, say
from evo_t2i.cli.silence import libraries_silenced

app = typer.Typer(help="Convert other people's checkpoints.")


@app.callback()
def models() -> None:
    """Convert other people's checkpoints."""


@app.command()
def convert(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.pkl", help="A snapshot of LAFITE or StyleGAN2-ADA.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New or empty folder.")],
    text_encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="open_clip's name of the CLIP model that LAFITE was trained with.",
            show_default="ViT-B-32-quickgelu",
        ),
    ] = None,
    clip: Annotated[
        Path | None, typer.Option(help="That model's file or folder, to record its digest.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Turn a LAFITE or StyleGAN2-ADA pickle into a folder of safetensors, without running it.

    \b
    evo-t2i models convert network-snapshot-025000.pkl faces
    evo-t2i sample "a smiling woman" --generator stylegan2-ada:faces
    """
    if not quiet:
        say(f"Reading {file}…")
    with libraries_silenced():
        from evo_t2i.generators.convert import convert as convert_checkpoint

        result = convert_checkpoint(file, out, text_encoder=text_encoder, clip=clip)
    encoder = result.text_encoder
    if json_output:
        print_json(
            {
                "folder": str(out),
                "generator": f"{result.family}:{out}",
                "resolution": result.resolution,
                "classes": result.classes,
                "parameters": result.parameters,
                "text_encoder": None if encoder is None else encoder.architecture,
                "discriminator": result.discriminator,
                "dropped": list(result.dropped),
                "sha256": result.digest,
            }
        )
        return
    facts = [
        ("folder", str(out)),
        ("use it as", f"--generator {result.family}:{out}"),
        ("resolution", f"{result.resolution}x{result.resolution}"),
        ("parameters", f"{result.parameters:,}"),
    ]
    if result.classes:
        facts.append(("classes", f"{result.classes:,}; choose one with ,class=0"))
    if encoder is not None:
        facts.append(("text encoder", f"{encoder.architecture}, {encoder.training}"))
    facts.append(("discriminator", "kept" if result.discriminator else "none"))
    facts.append(("dropped", ", ".join(result.dropped) or "nothing"))
    print_facts(facts)
