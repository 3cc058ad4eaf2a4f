"""From a pickled checkpoint to a folder of safetensors, once and for all."""

from dataclasses import dataclass, replace
from pathlib import Path

from evo_t2i.checkpoints import stylegan2_folder
from evo_t2i.checkpoints.stylegan2_pickle import StoredNetwork, StyleGan2Pickle
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.lafite import TextEncoder, check_size, load_encoder
from evo_t2i.generators.stylegan2_ada import DISCRIMINATOR, GENERATOR
from evo_t2i.models.stylegan2_discriminator import load_discriminator
from evo_t2i.models.stylegan2_generator import load_generator


@dataclass(frozen=True)
class Conversion:
    """What a conversion kept and what it left out."""

    family: str
    """The generator's name on the command line: ``lafite`` or ``stylegan2-ada``."""
    resolution: int
    classes: int
    parameters: int
    text_encoder: TextEncoder | None
    discriminator: bool
    dropped: tuple[str, ...]
    digest: str
    """SHA-256 of model.safetensors."""


def convert(
    path: Path, out: Path, *, text_encoder: str | None = None, clip: Path | None = None
) -> Conversion:
    """Write the networks of a pickled checkpoint that are used to the new folder ``out``.

    ``text_encoder`` is open_clip's name of the CLIP model that a LAFITE checkpoint was trained
    with, with OpenAI's weights; ``clip`` its file or folder, whose digest is then recorded too.

    Raises UsageError for a folder in use and for options that do not fit, ModelError for a
    checkpoint that is refused.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the pickle file of a checkpoint.")
    checkpoint = StyleGan2Pickle(path)
    stored = {GENERATOR: checkpoint.network(GENERATOR)}
    generator = load_generator(stored[GENERATOR].arguments, stored[GENERATOR].tensors)
    config = generator.config
    encoder = _encoder(config.text_size, text_encoder, clip)
    reason = _add_discriminator(checkpoint, stored)
    dropped = [name for name in checkpoint.entries if name not in stored]
    if reason:
        dropped[dropped.index(DISCRIMINATOR)] += f" ({reason})"
    result = Conversion(
        family="lafite" if config.text_size else "stylegan2-ada",
        resolution=config.resolution,
        classes=config.classes,
        parameters=sum(parameter.numel() for parameter in generator.parameters()),
        text_encoder=encoder,
        discriminator=DISCRIMINATOR in stored,
        dropped=tuple(dropped),
        digest="{digest}",
    )
    source = {"file": path.name, "sha256": checkpoint.digest}
    digest = stylegan2_folder.save(
        out,
        stored,
        text_encoder=None if encoder is None else encoder.record(),
        source=source,
        card=_card(result, source),
    )
    return replace(result, digest=digest)


def _encoder(text_size: int, name: str | None, clip: Path | None) -> TextEncoder | None:
    if not text_size:
        if name or clip:
            raise UsageError("This generator reads no text; leave --text-encoder and --clip out.")
        return None
    encoder = TextEncoder(architecture=name) if name else TextEncoder()
    check_size(encoder, text_size)
    if clip is None:
        return encoder
    return replace(encoder, digest=load_encoder(encoder, clip).text_digest())


def _add_discriminator(checkpoint: StyleGan2Pickle, stored: dict[str, StoredNetwork]) -> str:
    """Why there is one that cannot be used; empty when there is none or it can."""
    if DISCRIMINATOR not in checkpoint.networks:
        return ""
    network = checkpoint.network(DISCRIMINATOR)
    try:
        load_discriminator(network.arguments, network.tensors)
    except ModelError as error:
        return str(error).partition(";")[0]
    stored[DISCRIMINATOR] = network
    return ""


def _card(result: Conversion, source: dict[str, str]) -> str:
    title = {"lafite": "A LAFITE generator", "stylegan2-ada": "A StyleGAN2-ADA generator"}
    kept = "G_ema (the moving average of the generator)"
    if result.discriminator:
        kept += " and D (the discriminator, for the score `discriminator`)"
    facts = [
        f"converted from: {source['file']}, sha256 {source['sha256']}",
        f"sha256 of model.safetensors: {result.digest}",
        "sha256 of config.json: {config_digest}",
        f"resolution: {result.resolution}x{result.resolution}",
        f"parameters of the generator: {result.parameters:,}",
        f"classes: {result.classes or 'none'}",
        f"kept: {kept}",
        f"dropped: {', '.join(result.dropped) or 'nothing'}; and the source code in the pickle",
    ]
    if encoder := result.text_encoder:
        pinned = f"text tower sha256 {encoder.digest}" if encoder.digest else "not checked"
        facts.insert(
            5, f"text encoder: {encoder.architecture}, {encoder.training} weights ({pinned})"
        )
    lines = "\n".join(f"- {fact}" for fact in facts)
    return (
        f"# {title[result.family]}\n\n{lines}\n\n"
        f"Use it with `--generator {result.family}:FOLDER`. Its licence is that of the original "
        "checkpoint.\n"
    )
