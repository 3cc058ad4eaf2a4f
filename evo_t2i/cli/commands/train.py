"""`evo-t2i train`: make the built-in models again, or better ones."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from evo_t2i.cli.arguments import home_expanded
from evo_t2i.cli.terminal.output import say
from evo_t2i.cli.terminal.progress import duration
from evo_t2i.cli.terminal.stop import Stopped

app = typer.Typer(
    no_args_is_help=True,
    help="Train the built-in models on renders of the world: classifier, clip, judge, generator.",
)

Out = Annotated[
    Path,
    typer.Option(help="Folder for checkpoints, metrics and sample grids.", callback=home_expanded),
]
Weights = Annotated[
    Path,
    typer.Option(
        help="Where the finished model goes and others come from.", callback=home_expanded
    ),
]
Images = Annotated[int, typer.Option(min=1, help="Training images, repeats included.")]
Renders = Annotated[int, typer.Option(min=250, help="Different renders to train on.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the training; renders have their own.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, …")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that render.")]

POOL_SEED, VALIDATION_SEED, VALIDATION_RENDERS = 1, 2, 2_000


@dataclass(frozen=True, kw_only=True)
class _Supervised:
    """A model that learns from renders without the others.

    Its module in ``evo_t2i.training`` has ``train_NAME`` and ``evaluate``, and ``export`` has
    ``save_NAME``, which writes ``folder`` in --weights.
    """

    name: str
    folder: str
    images: int
    seed: int
    learning_rate: float
    help: str


_SUPERVISED = (
    _Supervised(
        name="classifier",
        folder="vgg",
        images=76_800,
        seed=1,
        learning_rate=2e-3,
        help="VGG-19_bn that names the world's objects (about 4 minutes on 2 cores).",
    ),
    _Supervised(
        name="clip",
        folder="clip",
        images=102_400,
        seed=3,
        learning_rate=1e-3,
        help="Vision transformer and text projection, contrastively (about 12 minutes on 2 cores).",
    ),
    _Supervised(
        name="judge",
        folder="judge",
        images=51_200,
        seed=2,
        learning_rate=2e-3,
        help="The independent judge that measures generators (about 5 minutes on 2 cores).",
    ),
)


def _training_of(model: _Supervised) -> Callable[..., None]:
    """The command that trains ``model``."""

    def train(
        out: Out = Path("training-runs") / model.name,
        weights: Weights = Path("weights"),
        images: Images = model.images,
        renders: Renders = 32_000,
        seed: Seed = model.seed,
        device: Device = "auto",
        workers: Workers = 2,
    ) -> None:
        from evo_t2i.models.device import choose_device
        from evo_t2i.training import export
        from evo_t2i.training.supervised import FitSettings

        training = import_module(f"evo_t2i.training.{model.name}")
        train_model = getattr(training, f"train_{model.name}")
        save = getattr(export, f"save_{model.name}")
        pool, validation = _pools(out.parent, renders, workers)
        settings = FitSettings(images=images, seed=seed, learning_rate=model.learning_rate)
        report = _Report(model.name)
        with _going_on_later(out):
            trained = train_model(pool, settings, out, choose_device(device), progress=report)
        metrics = training.evaluate(trained, validation)
        save(weights, trained, _facts(model.name, images, renders, seed, metrics))
        _done(weights / model.folder, metrics)

    return train


for _each in _SUPERVISED:
    app.command(_each.name, help=_each.help)(_training_of(_each))


@app.command()
def generator(
    out: Out = Path("training-runs/generator"),
    weights: Weights = Path("weights"),
    images: Images = 280_000,
    renders: Renders = 32_000,
    seed: Seed = 4,
    batch: Annotated[int, typer.Option(min=4, help="Images a step.")] = 16,
    alone: Annotated[
        int, typer.Option(min=0, help="Images before the discriminator joins.")
    ] = 260_000,
    rate: Annotated[float, typer.Option(min=1e-6, help="Learning rate at the start.")] = 1e-2,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Start from the generator in --weights.")
    ] = False,
    device: Device = "auto",
    workers: Workers = 2,
) -> None:
    """The text-conditional StyleGAN2, adversarially; needs the other three in --weights (hours).

    Goes on from its last checkpoint when --out holds one.
    """
    from evo_t2i.models.device import choose_device
    from evo_t2i.training import export
    from evo_t2i.training.generator import GeneratorSettings, train_generator

    place = choose_device(device)
    settings = GeneratorSettings(
        images=images,
        seed=seed,
        batch=batch,
        alone=alone,
        generator_rate=rate,
        relaxed_after=0 if fine_tune else GeneratorSettings.relaxed_after,
    )
    report = _Report("generator")
    teachers = export.load_teachers(weights, place)
    start = export.load_generator(weights) if fine_tune else None
    pool, validation = _pools(out.parent, renders, workers)
    with _going_on_later(out):
        model, metrics = train_generator(
            pool, validation, teachers, settings, out, place, report, start
        )
    more = f" --batch {batch} --alone {alone} --rate {rate:g}" + " --fine-tune" * fine_tune
    facts = _facts("generator", images, renders, seed, metrics, more)
    export.save_generator(weights, model, facts)
    _done(weights / "generator", metrics)


@contextmanager
def _going_on_later(out: Path) -> Iterator[None]:
    """Says, when a training is stopped, what is kept and how to go on."""
    try:
        yield
    except Stopped as stop:
        kept = (out / "checkpoint.safetensors").exists()
        where = f"; the last checkpoint is in {out}" if kept else " before the first checkpoint"
        stop.message = f"Stopped{where}. Give the same command again to go on."
        raise


class _Report:
    """A bar on a terminal, a line a report elsewhere, on stderr."""

    def __init__(self, name: str):
        self.name = name
        self.start: tuple[float, int] | None = None
        self.bar: Any = None

    def __call__(self, done: int, total: int, metrics: dict[str, float]) -> None:
        values = " ".join(f"{k} {v:.3f}" for k, v in metrics.items() if k != "images")
        if sys.stderr.isatty():
            self._draw(done, total, values)
            return
        now = time.monotonic()
        self.start = self.start or (now, done)
        seconds, images = now - self.start[0], done - self.start[1]
        pace = ""
        if images:
            left = seconds / images * (total - done)
            pace = f", {images / seconds:.0f} images/s, {duration(left)} left"
        say(f"{self.name} {done:,}/{total:,}{pace}: {values}")

    def _draw(self, done: int, total: int, values: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        if self.bar is None:
            columns = (
                TextColumn(self.name),
                BarColumn(),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f} images"),
                TimeRemainingColumn(),
                TextColumn("{task.description}", markup=False),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=600)
            self.bar.add_task("", total=total)
            self.bar.start()
        self.bar.update(0, completed=done, description=values)
        if done >= total:
            self.bar.stop()


def _pools(folder: Path, renders: int, workers: int) -> tuple[Any, Any]:
    from evo_t2i.training.pool import load_pool

    def told(count: int) -> None:
        if count % 10_000 == 0:
            say(f"rendered {count:,}")

    say(f"Reading or rendering {renders:,} training pictures…")
    pool = load_pool(folder, renders, POOL_SEED, workers=workers, progress=told)
    validation = load_pool(folder, VALIDATION_RENDERS, VALIDATION_SEED, workers=workers)
    return pool, validation


def _facts(
    name: str, images: int, renders: int, seed: int, metrics: dict[str, float], more: str = ""
) -> dict[str, str]:
    measured = ", ".join(f"{key} {value:.4f}" for key, value in metrics.items())
    command = f"evo-t2i train {name} --images {images} --renders {renders} --seed {seed}{more}"
    return {
        "command": f"`{command}`",
        "seed": str(seed),
        f"measured on {VALIDATION_RENDERS:,} fresh renders": measured,
    }


def _done(folder: Path, metrics: dict[str, float]) -> None:
    print(f"{folder}: " + ", ".join(f"{key} {value:.4f}" for key, value in metrics.items()))
