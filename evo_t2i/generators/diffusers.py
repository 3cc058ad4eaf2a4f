"""Few-step diffusion as a generator: the latent is the initial noise. The only room with diffusers.

``--generator diffusers:REPO_OR_DIR``, and options such as ``-o diffusers.steps=2``.
"""

import copy
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evo_t2i.caption import unread
from evo_t2i.checkpoints.model_folder import refused
from evo_t2i.errors import ModelError, UsageError, first_line
from evo_t2i.generators.inner_noise import InnerNoise
from evo_t2i.generators.pipeline_files import UNUSED, PipelineFiles, find_pipeline
from evo_t2i.generators.pipeline_options import MAX_SIDE, MAX_STEPS, PipelineOptions
from evo_t2i.models.loading import loading

INSTALL = 'pip install "evo-t2i[diffusers]"'
TILED_ABOVE = 1024
"""Pixels of a side above which the VAE decodes in tiles."""
_DEFAULTS = PipelineOptions()
_BROWNIAN = ("DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler")


@dataclass(frozen=True)
class Family:
    """How pipelines of one class are called."""

    embeddings: tuple[str | None, ...]
    """Arguments of a call that the results of ``encode_prompt`` become; None is left out."""
    steps: int
    """Default passes of the denoiser."""
    embedded_guidance: float
    """Default for a denoiser that takes the guidance as an input."""
    classifier_free: bool = False
    """Whether a denoiser without that input can be guided by a second pass without the caption."""
    denoiser: str = "unet"
    packed: bool = False
    """Whether the denoiser reads 2x2 blocks of the latent as one token."""
    half_latents: bool = True
    """Whether the initial noise has the weights' dtype; else it is float32."""
    encoding: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ``encode_prompt``."""
    call: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of a call."""


_PIXART = Family(
    embeddings=(
        "prompt_embeds",
        "prompt_attention_mask",
        "negative_prompt_embeds",
        "negative_prompt_attention_mask",
    ),
    steps=4,
    embedded_guidance=0.0,
    classifier_free=True,
    denoiser="transformer",
    call={"negative_prompt": None, "use_resolution_binning": False},
)
FAMILIES: dict[str, Family] = {
    "StableDiffusionPipeline": Family(
        embeddings=("prompt_embeds", "negative_prompt_embeds"),
        steps=1,
        embedded_guidance=8.5,
        classifier_free=True,
    ),
    "StableDiffusionXLPipeline": Family(
        embeddings=(
            "prompt_embeds",
            "negative_prompt_embeds",
            "pooled_prompt_embeds",
            "negative_pooled_prompt_embeds",
        ),
        steps=1,
        embedded_guidance=8.0,
        classifier_free=True,
    ),
    "LatentConsistencyModelPipeline": Family(
        embeddings=("prompt_embeds", None), steps=4, embedded_guidance=8.5
    ),
    "PixArtAlphaPipeline": _PIXART,
    "PixArtSigmaPipeline": _PIXART,
    "SanaSprintPipeline": Family(
        embeddings=("prompt_embeds", "prompt_attention_mask"),
        steps=2,
        embedded_guidance=4.5,
        denoiser="transformer",
        half_latents=False,
        call={"use_resolution_binning": False},
    ),
    "FluxPipeline": Family(
        embeddings=("prompt_embeds", "pooled_prompt_embeds", None),
        steps=4,
        embedded_guidance=3.5,
        denoiser="transformer",
        packed=True,
        encoding={"max_sequence_length": 256},  # what FLUX.1-schnell was trained with
    ),
}
"""By the pipeline's class in diffusers."""


class DiffusersGenerator:
    """Pictures of a diffusers text-to-image pipeline from its initial noise and a caption.

    One latent is the noise (channels, height / f, width / f) that the pipeline would draw, f the
    VAE's scale factor, standard Gaussian; the pipeline scales it as its scheduler asks. Noise that
    a scheduler draws between steps comes from the latent too, see ``inner_noise``.

    Raises UsageError for an argument that makes no sense and options that the pipeline has no use
    for; ModelError when diffusers or the pipeline's files are missing, unsafe or unfit.
    """

    Options = PipelineOptions

    def __init__(
        self,
        *,
        device: torch.device,
        argument: str | None = None,
        options: PipelineOptions = _DEFAULTS,
    ) -> None:
        if not argument:
            raise UsageError(
                "The generator diffusers needs a folder or a repository; for example --generator "
                "diffusers:stabilityai/sd-turbo."
            )
        remedy = "download the whole repository again."
        with loading(), refused(f"The pipeline {argument}", remedy):
            self._set_up(device, argument, options)

    def _set_up(self, device: torch.device, source: str, options: PipelineOptions) -> None:
        library = _diffusers()
        files = find_pipeline(source, options.revision)
        if files.pipeline not in FAMILIES:
            raise ModelError(
                f"{source} is a {files.pipeline}, which is not a text-to-image pipeline "
                f"that can be evolved here; choose one of {', '.join(FAMILIES)}."
            )
        self._family = FAMILIES[files.pipeline]
        self._dtype: torch.dtype = getattr(torch, options.dtype)
        self._device = device
        pipeline = _load(library, files, self._dtype)
        config = getattr(pipeline, self._family.denoiser).config
        factor = pipeline.vae_scale_factor
        cell = factor * (2 if self._family.packed else int(config.get("patch_size") or 1))
        self.image_size = _image_size(options, source, files.pipeline, pipeline, config, cell)
        height, width = self.image_size
        channels = _channels(self._family, source, pipeline, config)
        self.latent_shape = (channels, height // factor, width // factor)
        steps = options.steps or self._family.steps
        guidance = _guidance(options, source, self._family, config)
        self._guided = guidance is not None and not _embeds_guidance(config) and guidance > 1.0
        self._call = _call_arguments(self._family, files.pipeline, steps, guidance)
        _require_steps(source, pipeline.scheduler, steps)
        if options.preview_steps is not None:
            fewer = options.preview_steps
            if fewer >= steps:
                raise UsageError(
                    f"`preview_steps` is {fewer}, but whole pictures take {steps} already; give "
                    "fewer, or more `steps`."
                )
            previewed = _call_arguments(self._family, files.pipeline, fewer, guidance)
            _require_steps(source, pipeline.scheduler, fewer)
            self.preview = lambda latents, condition: self._draw(latents, condition, previewed)
        self._noise = InnerNoise()
        pipeline.scheduler.step = self._noise.during(pipeline.scheduler.step)
        pipeline.set_progress_bar_config(disable=True)
        if hasattr(pipeline.vae, "enable_slicing"):
            pipeline.vae.enable_slicing()
        if max(self.image_size) > TILED_ABOVE and hasattr(pipeline.vae, "enable_tiling"):
            pipeline.vae.enable_tiling()
        self._pipeline = pipeline.to(device)
        self.digest = files.digest(
            {"size": self.image_size, "dtype": options.dtype, "steps": steps, "guidance": guidance}
        )

    def condition(self, caption: str) -> dict[str, Tensor]:
        """The caption's embeddings (1, …) by the name of the argument that takes them."""
        encode = self._pipeline.encode_prompt
        wanted: dict[str, Any] = {
            "device": self._device,
            "num_images_per_prompt": 1,
            "do_classifier_free_guidance": self._guided,
            **self._family.encoding,
        }
        call = inspect.signature(self._pipeline.__call__).parameters
        if "complex_human_instruction" in call:  # Sana's, which is an argument's default there
            wanted["complex_human_instruction"] = call["complex_human_instruction"].default
        accepted = inspect.signature(encode).parameters
        encoded = encode(
            caption, **{name: value for name, value in wanted.items() if name in accepted}
        )
        return {
            name: value
            for name, value in zip(self._family.embeddings, encoded, strict=True)
            if name is not None and value is not None
        }

    def unread(self, caption: str) -> str:
        """The caption's end that none of the pipeline's text encoders reads."""
        encoding = inspect.signature(self._pipeline.encode_prompt).parameters
        longest = self._family.encoding.get("max_sequence_length")
        if longest is None and "max_sequence_length" in encoding:
            longest = encoding["max_sequence_length"].default
        ends = []
        for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
            if (tokenizer := getattr(self._pipeline, name, None)) is not None:
                # CLIP's tokenizers know their limit; for the others the pipeline sets it
                own = "CLIP" in type(tokenizer).__name__
                limit = tokenizer.model_max_length if own or longest is None else longest
                ends.append(unread(caption, _cut_off(tokenizer, limit)))
        return min(ends, key=len, default="")

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Standard Gaussian latents (count, \\*latent_shape) float32."""
        return rng.standard_normal((count, *self.latent_shape), dtype=np.float32)

    def generate(self, latents: Tensor, condition: dict[str, Tensor]) -> Tensor:
        """Latents (n, \\*latent_shape) → images (n, 3, h, w) in [0, 1]."""
        return self._draw(latents, condition, self._call)

    def _draw(
        self, latents: Tensor, condition: dict[str, Tensor], call: Mapping[str, Any]
    ) -> Tensor:
        count = len(latents)
        embeddings = {
            name: value.repeat(count, *[1] * (value.ndim - 1)) for name, value in condition.items()
        }
        self._noise.begin(latents)
        noise = latents.to(self._dtype) if self._family.half_latents else latents.float()
        try:
            images: Tensor = self._pipeline(
                latents=_packed(noise) if self._family.packed else noise,
                **embeddings,
                **call,
                height=self.image_size[0],
                width=self.image_size[1],
                output_type="pt",
                return_dict=False,
            )[0]
        except UnboundLocalError as error:  # Sana's pipeline, after it caught an out of memory
            raise MemoryError("out of memory") from error
        return images.float().clamp(0.0, 1.0)


def _cut_off(tokenizer: Any, limit: int) -> Callable[[Sequence[str]], Tensor]:
    """Texts → token ids (n, t), at most ``limit`` each."""

    def tokenize(texts: Sequence[str]) -> Tensor:
        found = tokenizer(list(texts), truncation=True, max_length=limit, return_tensors="pt")
        ids: Tensor = found.input_ids
        return ids

    return tokenize


def _diffusers() -> Any:
    try:
        import diffusers
    except ImportError as error:
        found = "" if error.name == "diffusers" else f" ({error})"
        raise ModelError(
            f"The generator diffusers needs the package diffusers{found}; run `{INSTALL}`."
        ) from error
    return diffusers


def _load(diffusers: Any, files: PipelineFiles, dtype: torch.dtype) -> Any:
    """The pipeline on the CPU, without the components that are not used.

    Its class is given parts that were made one by one: diffusers' own way to load a folder looks
    for Python in it.
    """
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    kind = getattr(diffusers, files.pipeline)
    accepted = inspect.signature(kind.__init__).parameters
    values: dict[str, Any] = dict(files.settings) | dict.fromkeys(UNUSED)
    values |= {"requires_safety_checker": False, "add_watermarker": False}
    for name in accepted:
        if name in files.models:
            values[name] = _load_model(diffusers, transformers, files, name, dtype)
        elif name in files.others:
            library, component = files.others[name]
            maker = getattr(diffusers if library == "diffusers" else transformers, component)
            code = {} if library == "diffusers" else {"trust_remote_code": False}
            folder = str(files.folder / name)
            values[name] = maker.from_pretrained(folder, local_files_only=True, **code)
    return kind(**{name: value for name, value in values.items() if name in accepted})


def _load_model(
    diffusers: Any, transformers: Any, files: PipelineFiles, name: str, dtype: torch.dtype
) -> Any:
    """One component; ModelError when a tensor is missing, which a pipeline would draw at random."""
    library, kind = files.models[name]
    more: dict[str, Any] = (
        {"torch_dtype": dtype}
        if library == "diffusers"
        else {"dtype": dtype, "trust_remote_code": False}
    )
    model, report = getattr(
        diffusers if library == "diffusers" else transformers, kind
    ).from_pretrained(
        str(files.folder / name),
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        variant=files.variants[name],
        **more,
    )
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"The weights of {files.folder / name} lack {len(missing)} tensors, first "
            f"{missing[0]!r}; download the whole repository again."
        )
    return model


def _channels(family: Family, source: str, pipeline: Any, config: Any) -> int:
    """Channels of a latent; ModelError for a denoiser that takes more than the noise."""
    takes = config.in_channels // (4 if family.packed else 1)
    gives = pipeline.vae.config.latent_channels
    if takes != gives:
        raise ModelError(
            f"The {family.denoiser} of {source} takes {takes} channels, but a latent of its VAE "
            f"has {gives}: it changes pictures and does not draw them; choose a text-to-image "
            "pipeline."
        )
    return int(takes)


def _native_size(source: str, pipeline: Any, config: Any) -> tuple[int, int]:
    """(height, width) in pixels that the pipeline draws by itself; ModelError if it names none."""
    sample = getattr(pipeline, "default_sample_size", None) or config.get("sample_size")
    pair = list(sample) if isinstance(sample, list | tuple) else [sample, sample]
    factor = pipeline.vae_scale_factor
    if len(pair) != 2 or not all(type(x) is int and 0 < x * factor <= MAX_SIDE for x in pair):
        raise ModelError(
            f"The {type(pipeline).__name__} {source} does not say how large its pictures are (its "
            f"sample_size is {str(sample)[:40]}); give a size, such as -o diffusers.size=512."
        )
    return pair[0] * factor, pair[1] * factor


def _image_size(
    options: PipelineOptions, source: str, kind: str, pipeline: Any, config: Any, cell: int
) -> tuple[int, int]:
    """The size asked for, or the native one; UsageError unless whole cells fill it."""
    if options.pixels is None:
        return _native_size(source, pipeline, config)
    unit = math.lcm(cell, 32 if kind == "SanaSprintPipeline" else 8)
    for side in options.pixels:
        if side % unit:
            near = max(unit, round(side / unit) * unit)
            raise UsageError(
                f"The option diffusers.size has a side of {side} pixels; this pipeline needs "
                f"multiples of {unit}, such as {near}."
            )
    return options.pixels


def _embeds_guidance(config: Any) -> bool:
    return bool(config.get("guidance_embeds")) or config.get("time_cond_proj_dim") is not None


def _guidance(options: PipelineOptions, source: str, family: Family, config: Any) -> float | None:
    """guidance_scale of every call; None where the pipeline takes none."""
    if _embeds_guidance(config):
        return family.embedded_guidance if options.guidance is None else options.guidance
    if not family.classifier_free:
        if options.guidance is not None:
            raise UsageError(
                f"The option diffusers.guidance is {options.guidance:g}, but {source} was "
                "distilled without guidance; leave it out."
            )
        return None
    if options.guidance is not None and 0.0 < options.guidance < 1.0:
        raise UsageError(
            f"The option diffusers.guidance is {options.guidance:g}; give 0 (off) or more than 1."
        )
    return options.guidance if options.guidance and options.guidance > 1.0 else 0.0


def _call_arguments(
    family: Family, pipeline: str, steps: int, guidance: float | None
) -> dict[str, Any]:
    arguments = {"num_inference_steps": steps, **family.call}
    if guidance is not None:
        arguments["guidance_scale"] = guidance
    if pipeline == "SanaSprintPipeline" and steps != 2:
        arguments["intermediate_timesteps"] = None  # the default's one is for two steps
    return arguments


def _require_steps(source: str, scheduler: Any, steps: int) -> None:
    """Refuse a scheduler, or a number of steps, that cannot be used."""
    name = type(scheduler).__name__
    if name in _BROWNIAN:
        raise ModelError(
            f"The {name} of {source} draws its noise for a whole batch at once, so a picture "
            "would depend on its neighbours; save the pipeline with another scheduler."
        )
    if not hasattr(scheduler, "scale_model_input") or scheduler.config.get("use_dynamic_shifting"):
        return  # flow matching: any number will do, and the pipeline brings the rest
    if "max_timesteps" in inspect.signature(scheduler.set_timesteps).parameters:
        return  # SCM likewise
    if fault := _fault_of(scheduler, steps):
        others = sorted(range(1, MAX_STEPS + 1), key=lambda other: abs(other - steps))
        near = next((other for other in others if not _fault_of(scheduler, other)), None)
        if near is None:
            raise ModelError(
                f"The {name} of {source} cannot be used with any number of steps ({fault}); save "
                "the pipeline with another scheduler."
            )
        raise UsageError(
            f"The option diffusers.steps is {steps}, which the pipeline's {name} refuses "
            f"({fault}); give -o diffusers.steps={near}."
        )


def _fault_of(scheduler: Any, steps: int) -> str:
    """What is wrong with a number of steps, tried on two small latents; empty for nothing.

    In the place of the denoiser stands a fixed linear map.
    """
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn((2, 4, 8, 8), generator=generator)
    try:
        first, second = (_walked(copy.deepcopy(scheduler), steps, each[None]) for each in latents)
    except Exception as error:  # whatever a scheduler raises, it cannot take these steps
        return first_line(error)
    difference = float((first - second).abs().max())
    if not math.isfinite(difference) or difference < 1e-4:
        return "it would draw the same picture from every latent"
    return ""


def _walked(scheduler: Any, steps: int, sample: Tensor) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        scheduler.set_timesteps(steps)
        sample = sample * scheduler.init_noise_sigma
        for time in scheduler.timesteps:
            seen = scheduler.scale_model_input(sample, time)
            sample = scheduler.step(seen.flip(-1), time, sample, return_dict=False)[0]
    return sample


def _packed(latents: Tensor) -> Tensor:
    """(n, c, h, w) → (n, h/2 * w/2, 4 c): each 2x2 block becomes one token, channel by channel."""
    count, channels, height, width = latents.shape
    blocks = latents.reshape(count, channels, height // 2, 2, width // 2, 2)
    return blocks.permute(0, 2, 4, 1, 3, 5).reshape(count, -1, 4 * channels)
