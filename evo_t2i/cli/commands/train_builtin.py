"""`evo-t2i train builtin`: make the built-in models again, from nothing."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from evo_t2i.cli.arguments import home_expanded
from evo_t2i.cli.terminal.output import say
from evo_t2i.cli.terminal.training import TrainingReport, going_on_later

app = typer.Typer(
    no_args_is_help=True,
    help="Train the built-in models on the procedural world, in this order: "
    "text, classifier, clip, judge, generator.",
)

Out = Annotated[
    Path,
    typer.Option(
        help="Folder of all built-in trainings: renders, checkpoints, metrics, sheets.",
        callback=home_expanded,
    ),
]
Weights = Annotated[
    Path,
    typer.Option(
        help="Where the finished model goes and others come from.", callback=home_expanded
    ),
]
Images = Annotated[int, typer.Option(min=1, help="Training pictures, repeats included.")]
Renders = Annotated[int, typer.Option(min=250, help="Different renders to train on.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the training; renders have their own.")]
Batch = Annotated[int, typer.Option(min=2, help="Texts or pictures a step.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, …")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that render.")]

RUNS, WEIGHTS = Path("training-runs"), Path("weights")
POOL_SEED, VALIDATION_SEED = 1, 2
TWINS_VALIDATION_SEED = 8
TEXTS_SEED, FREE_SEED = 5, 9
CLIP_TEXTS_SEED, CLIP_READER_SEED, SWAPS_SEED = 6, 21, 10
VALIDATION_RENDERS = 3_000
CARD = "measured on what no training saw"


@app.command()
def text(
    out: Out = RUNS,
    weights: Weights = WEIGHTS,
    texts: Annotated[
        int, typer.Option(min=1, help="Training captions, repeats included.")
    ] = 10_000_000,
    captions: Annotated[int, typer.Option(min=500, help="Different captions.")] = 1_000_000,
    seed: Seed = 3,
    batch: Batch = 1024,
    device: Device = "auto",
    workers: Workers = 2,
) -> None:
    """The reader of captions, and the generator's decider with it; no pictures."""
    from safetensors.torch import save_file

    from evo_t2i.models.device import choose_device
    from evo_t2i.training.builtin import export
    from evo_t2i.training.builtin.text import TextSettings, evaluate, load_texts, train_text

    say(f"Reading or writing {captions:,} captions…")
    where = choose_device(device)
    data = load_texts(out, captions, TEXTS_SEED, workers=workers, device=where)
    settings = TextSettings(texts=texts, seed=seed, batch=batch)
    with going_on_later(out / "text"):
        students = train_text(data, settings, out / "text", where, TrainingReport("text"))
    metrics = evaluate(students)
    save_file(students.decider.state_dict(), out / "text" / "decider.safetensors")
    command = f"text --texts {texts} --captions {captions} --seed {seed} --batch {batch}"
    export.save_text(weights, students.reader, _facts(command, metrics))
    _done(weights / "text", metrics)


@app.command()
def classifier(
    out: Out = RUNS,
    weights: Weights = WEIGHTS,
    images: Images = 120_000,
    renders: Renders = 80_000,
    seed: Seed = 1,
    device: Device = "auto",
    workers: Workers = 2,
) -> None:
    """VGG-19_bn that names the world's things."""
    from evo_t2i.training.builtin import classifier as training
    from evo_t2i.training.builtin import export
    from evo_t2i.training.supervised import FitSettings

    pool, validation = _pools(out, renders, workers)
    settings = FitSettings(images=images, seed=seed)
    model = _fitted("classifier", training.train_classifier, (pool, settings), out, device)
    metrics = training.evaluate(model, validation)
    export.save_classifier(weights, model, _facts_of("classifier", settings, renders, metrics))
    _done(weights / "vgg", metrics)


@app.command()
def clip(
    out: Out = RUNS,
    weights: Weights = WEIGHTS,
    images: Images = 800_000,
    renders: Renders = 80_000,
    seed: Seed = 11,
    batch: Batch = 128,
    texts: Annotated[
        int, typer.Option(min=1, help="Training captions of its reader, repeats included.")
    ] = 3_600_000,
    captions: Annotated[int, typer.Option(min=500, help="Different ones of them.")] = 600_000,
    claims: Annotated[
        int, typer.Option(min=1, help="More training captions, by which each word says its part.")
    ] = 500_000,
    device: Device = "auto",
    workers: Workers = 2,
) -> None:
    """Vision transformer, and a reader of captions that is not the generator's."""
    from evo_t2i.checkpoints.minilm import minilm_folder
    from evo_t2i.models.device import choose_device
    from evo_t2i.models.minilm import load_encoder
    from evo_t2i.models.text_side import TextSide
    from evo_t2i.training.builtin import clip as training
    from evo_t2i.training.builtin import export
    from evo_t2i.training.builtin.claims import train_claims
    from evo_t2i.training.builtin.text import TextSettings, load_texts, train_text
    from evo_t2i.training.supervised import FitSettings

    say(f"Reading or writing {captions:,} captions…")
    where = choose_device(device)
    data = load_texts(out, captions, CLIP_TEXTS_SEED, workers=workers, device=where)
    reading = TextSettings(texts=texts, seed=CLIP_READER_SEED, latents=0)
    students = _fitted("clip-reader", train_text, (data, reading), out, device)
    going_on = FitSettings(images=claims, seed=CLIP_READER_SEED, batch=256, learning_rate=7e-4)
    reader = _fitted("clip-claims", train_claims, (data, students.reader, going_on), out, device)
    side = TextSide(load_encoder(minilm_folder()), reader).eval()
    pool = _pool(out, renders, SWAPS_SEED, workers, "swaps")
    validation = _pool(out, 2_000, TWINS_VALIDATION_SEED, workers, "twins")
    settings = FitSettings(images=images, seed=seed, batch=batch)
    model = _fitted("clip", training.train_clip, (pool, side, settings), out, device)
    metrics = training.evaluate(model, validation)
    command = f"clip --texts {texts} --captions {captions} --claims {claims} --batch {batch}"
    export.save_clip(weights, model, _facts_of(command, settings, renders, metrics))
    _done(weights / "clip", metrics)


@app.command()
def judge(
    out: Out = RUNS,
    weights: Weights = WEIGHTS,
    images: Images = 320_000,
    renders: Renders = 80_000,
    seed: Seed = 2,
    device: Device = "auto",
    workers: Workers = 2,
    second: Annotated[
        bool, typer.Option("--second", help="The other one, which sees free compositions too.")
    ] = False,
) -> None:
    """The independent judges that measure generators and searches."""
    from evo_t2i.training.builtin import export
    from evo_t2i.training.builtin import judge as training
    from evo_t2i.training.supervised import FitSettings

    pool, validation = _pools(out, renders, workers)
    name, rate = ("second-judge", 1e-3) if second else ("judge", 2e-3)
    free = _pool(out, renders // 2, FREE_SEED, workers, "free") if second else None
    settings = FitSettings(images=images, seed=seed, learning_rate=rate)
    model = _fitted(
        name,
        partial(training.train_judge, eyes=export.JUDGES[name], free=free),
        (pool, settings),
        out,
        device,
    )
    metrics = training.evaluate(model, validation)
    facts = _facts_of("judge --second" if second else "judge", settings, renders, metrics)
    export.save_judge(weights, model, facts, name)
    _done(weights / name, metrics)


@app.command()
def generator(
    out: Out = RUNS,
    weights: Weights = WEIGHTS,
    images: Images = 600_000,
    decisions: Annotated[
        int, typer.Option(min=1, help="Captions that the decider goes on with, repeats included.")
    ] = 2_000_000,
    captions: Annotated[int, typer.Option(min=500, help="Different ones of them.")] = 300_000,
    layouts: Annotated[int, typer.Option(min=1, help="Layouts that the placer sees.")] = 3_000_000,
    renders: Renders = 200_000,
    seed: Seed = 4,
    batch: Batch = 64,
    device: Device = "auto",
    workers: Workers = 2,
) -> None:
    """Decider, placer and painter; needs text with its decider, the classifier and the judge."""
    from safetensors.torch import load_file

    from evo_t2i.errors import UsageError
    from evo_t2i.models.device import choose_device
    from evo_t2i.models.layout_generator import LayoutGenerator
    from evo_t2i.training.builtin import export, judgement
    from evo_t2i.training.builtin import placer as placing
    from evo_t2i.training.builtin.decider import train_decider
    from evo_t2i.training.builtin.painter import PainterSettings, generator_config, train_painter
    from evo_t2i.training.builtin.text import load_texts
    from evo_t2i.training.supervised import FitSettings

    begun = out / "text" / "decider.safetensors"
    if not begun.exists():
        raise UsageError(
            f"The generator needs the decider, but {begun} is missing; "
            "run `evo-t2i train builtin text` first."
        )
    side = export.load_text(weights)
    where = choose_device(device)
    model = LayoutGenerator(generator_config())
    model.decider.load_state_dict(load_file(begun))
    say(f"Reading or writing {captions:,} captions…")
    texts = load_texts(out, captions, TEXTS_SEED, workers=workers, device=where)
    settings = FitSettings(images=decisions, seed=seed, batch=512, learning_rate=1e-3)
    with going_on_later(out / "decider"):
        train_decider(
            model.decider, side.reader, texts, settings, out / "decider", where,
            TrainingReport("decider"),
        )  # fmt: skip
    pool, validation = _pools(out, renders, workers)
    settings = FitSettings(
        images=layouts, seed=seed, batch=512, learning_rate=2e-3, report_every=200
    )
    with going_on_later(out / "placer"):
        placer = placing.train_placer(
            pool, settings, out / "placer", where, TrainingReport("placer")
        )
    metrics = placing.evaluate(placer, validation)
    with going_on_later(out / "painter"):
        painter = train_painter(
            pool,
            export.load_classifier(weights),
            PainterSettings(images=images, seed=seed, batch=batch),
            out / "painter",
            where,
            TrainingReport("painter"),
        )
    model.placer.load_state_dict(placer.state_dict())
    model.painter.load_state_dict(painter.state_dict())
    model = model.eval().requires_grad_(False)
    found = judgement.rates(model, side, export.load_judge(weights))
    for rate in found:
        metrics |= {f"{rate.kind} decided": rate.decided, f"{rate.kind} judged": rate.judged}
    judgement.grid(model, side).save(out / "painter" / "grid.png")
    command = (
        f"generator --decisions {decisions} --captions {captions} --layouts {layouts} "
        f"--images {images} --renders {renders} --batch {batch} --seed {seed}"
    )
    export.save_generator(weights, model, _facts(command, metrics))
    _done(weights / "generator", metrics)


def _fitted(
    name: str, train: Callable[..., Any], given: tuple[Any, ...], out: Path, device: str
) -> Any:
    """What ``train`` makes of ``given`` in ``out/name``, reported on the way."""
    from evo_t2i.models.device import choose_device

    with going_on_later(out / name):
        return train(*given, out / name, choose_device(device), progress=TrainingReport(name))


def _facts_of(name: str, settings: Any, renders: int, metrics: dict[str, float]) -> dict[str, str]:
    command = f"{name} --images {settings.images} --renders {renders} --seed {settings.seed}"
    return _facts(command, metrics)


def _pools(out: Path, renders: int, workers: int) -> tuple[Any, Any]:
    return (
        _pool(out, renders, POOL_SEED, workers),
        _pool(out, VALIDATION_RENDERS, VALIDATION_SEED, workers),
    )


def _pool(out: Path, renders: int, seed: int, workers: int, kind: Any = "captioned") -> Any:
    from evo_t2i.training.builtin.pool import load_pool

    def told(count: int) -> None:
        if count % 10_000 == 0:
            say(f"rendered {count:,}")

    say(f"Reading or rendering {renders:,} pictures…")
    return load_pool(out, renders, seed, kind=kind, workers=workers, progress=told)


def _facts(command: str, metrics: dict[str, float]) -> dict[str, str]:
    measured = ", ".join(f"{key} {value:.4f}" for key, value in metrics.items())
    return {"command": f"`evo-t2i train builtin {command}`", CARD: measured}


def _done(folder: Path, metrics: dict[str, float]) -> None:
    print(f"{folder}: " + ", ".join(f"{key} {value:.4f}" for key, value in metrics.items()))
