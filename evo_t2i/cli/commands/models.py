"""`evo-t2i models`: what models there are, getting them, checking them, converting them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo_t2i.checkpoints import catalogue
from evo_t2i.checkpoints.catalogue import Brought, HubFiles, Model, Part, WebFile, find, names
from evo_t2i.cli.arguments import home_expanded
from evo_t2i.cli.terminal.output import print_facts, print_json, print_table, say
from evo_t2i.cli.terminal.progress import bytes_display
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.errors import ModelError

if TYPE_CHECKING:
    from evo_t2i.checkpoints.check import Checked

app = typer.Typer(help="List, fetch, check and convert models.")


@app.callback()
def models() -> None:
    """List, fetch, check and convert models."""


@app.command("list")
def list_models(
    json_output: Annotated[bool, typer.Option("--json", help="One JSON array on stdout.")] = False,
) -> None:
    """List every model that evo-t2i can use by name, and whether it is here.

    \b
    evo-t2i models list
    """
    from evo_t2i.checkpoints.inventory import size_of, state

    with libraries_silenced():
        rows = [(model, state(model)) for model in catalogue.MODELS]
    if json_output:
        print_json([_as_json(model, here) for model, here in rows])
        return
    header = ["name", "for", "size", "licence", "here"]
    cells = [[m.name, m.purpose, _size(size_of(m)), m.licence, here] for m, here in rows]
    print_table(header, [*cells, *_brought()])
    say("Get one with `evo-t2i models pull NAME`; its files are in `evo-t2i models path NAME`.")


@app.command()
def pull(
    wanted: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Names of `evo-t2i models list`.")
    ],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON array on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Fetch models: pinned, resumed where it stopped, and verified before a file counts.

    \b
    evo-t2i models pull ViT-B-32-quickgelu:openai vgg19_bn:imagenet
    """
    chosen = [find(name) for name in wanted]
    results = []
    with libraries_silenced():
        from evo_t2i.checkpoints.pull import pull as pull_model

        for model in chosen:
            if not quiet:
                facts = [model.name, _size(model.size), f"licence: {model.licence}"]
                say(" · ".join(fact for fact in facts if fact))
            with bytes_display(quiet=quiet) as report:
                results += [(model.name, each) for each in pull_model(model, report)]
    if json_output:
        print_json([{"name": name, **_plain(each)} for name, each in results])
        return
    rows = [
        [
            name,
            each.source,
            (each.revision or "")[:12],
            _size(each.size),
            f"{len(each.fetched)} fetched, all verified" if each.fetched else "was here, verified",
        ]
        for name, each in results
    ]
    print_table(["name", "from", "revision", "size", "files"], rows)


@app.command()
def check(
    wanted: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|FOLDER|FILE...]", help="What to check; all that is here by default."
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON array on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Compute the digests of models again; one changed bit is found and exits with 3.

    \b
    evo-t2i models check
    evo-t2i models check builtin-generator faces/
    """
    from evo_t2i.checkpoints import check as checking

    with libraries_silenced():
        expected = [
            (name, each)
            for name in wanted or names()
            for each in (
                checking.of_model(find(name))
                if name in names()
                else checking.of_path(home_expanded(name))
            )
        ]
        with bytes_display(quiet=quiet) as report:
            checked = [(name, checking.check(each, report)) for name, each in expected]
    if json_output:
        print_json(
            [{"name": name, "file": str(c.path), "verdict": c.verdict} for name, c in checked]
        )
    else:
        print_table(["name", "verdict", "file"], _grouped(checked))
    damaged = [(name, c.path) for name, c in checked if c.verdict == checking.DAMAGED]
    if damaged:
        files = ", ".join(dict.fromkeys(str(path) for _, path in damaged))
        raise ModelError(f"Damaged: {files}; {_remedy(damaged[0][0])}")


@app.command()
def path(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A name of `evo-t2i models list`.")
    ] = None,
) -> None:
    """Print the folder of a model, or of all that evo-t2i keeps, and nothing else.

    \b
    ls $(evo-t2i models path bert-base-uncased)
    """
    from evo_t2i.checkpoints.cache import models_folder
    from evo_t2i.checkpoints.inventory import locate

    if name is None:
        print(models_folder())
        return
    with libraries_silenced():
        found = [locate(part) for part in find(name).parts]
    for each in found:
        print(each.folder)
    if missing := [file for each in found for file in each.missing]:
        say(f"{name} is not complete: {', '.join(missing)} would be looked for there.")


@app.command()
def convert(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.pkl",
            help="A snapshot of LAFITE or StyleGAN2-ADA.",
            callback=home_expanded,
        ),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="New or empty folder.", callback=home_expanded)
    ],
    text_encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="open_clip's name of the CLIP model that LAFITE was trained with.",
            show_default="ViT-B-32-quickgelu",
        ),
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option(
            help="That model's file or folder, to record its digest.", callback=home_expanded
        ),
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


def _brought() -> list[list[str]]:
    """Rows for the checkpoints that people put where they can be found."""
    from evo_t2i.checkpoints.inventory import locate

    parts = (
        part for model in catalogue.MODELS for part in model.parts if isinstance(part, Brought)
    )
    return [
        [f"{part.family}:{file}", "generator", "", "", "present"]
        for part in parts
        for file in locate(part).files.values()
    ]


def _grouped(checked: Sequence[tuple[str, "Checked"]]) -> list[list[str]]:
    """A row for each damaged file, and one a folder for all others of the same verdict."""
    groups: dict[tuple[str, str, Path], list[Path]] = {}
    for name, each in checked:
        place = each.path if each.verdict == "damaged" else each.path.parent
        groups.setdefault((name, each.verdict, place), []).append(each.path)
    return [
        [name, verdict, str(files[0]) if len(files) == 1 else f"{len(files)} files in {place}"]
        for (name, verdict, place), files in groups.items()
    ]


def _as_json(model: Model, here: str) -> dict[str, Any]:
    from evo_t2i.checkpoints.inventory import locate, size_of

    return {
        "name": model.name,
        "for": model.purpose,
        "licence": model.licence,
        "size": size_of(model),
        "here": here,
        "parts": [
            {
                **_source(part),
                "folder": str(locate(part).folder),
                "missing": list(locate(part).missing),
            }
            for part in model.parts
        ],
    }


def _source(part: Part) -> dict[str, Any]:
    from evo_t2i.checkpoints.records import read_record

    if not isinstance(part, HubFiles | WebFile):
        return {"source": None, "revision": None, "sha256": {}, "pinned_by": None}
    record = read_record(part.source)
    recorded = {name: file.sha256 for name, file in record.files.items()} if record else {}
    if isinstance(part, WebFile):
        return {
            "source": part.url,
            "revision": None,
            "sha256": {part.name: part.sha256} | recorded,
            "pinned_by": "catalogue",
        }
    revision = part.revision or (record.revision if record else None)
    return {
        "source": part.repository,
        "revision": revision,
        "sha256": dict(part.sha256) | recorded,
        "pinned_by": "catalogue" if part.revision else "first pull" if record else None,
    }


def _plain(pulled: Any) -> dict[str, Any]:
    return dataclasses.asdict(pulled) | {"folder": str(pulled.folder)}


def _remedy(name: str) -> str:
    if name not in names():
        return "get it again from where it came."
    parts = find(name).parts
    if any(isinstance(part, HubFiles | WebFile) for part in parts):
        return f"`evo-t2i models pull {name}` fetches what is damaged again."
    if any(isinstance(part, Brought) for part in parts):
        return "convert or copy it again."
    return "install evo-t2i and what it needs again."


def _size(size: int | None) -> str:
    if size is None:
        return ""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
