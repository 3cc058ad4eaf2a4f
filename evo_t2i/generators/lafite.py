"""Other people's LAFITE generators, from their own checkpoints."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import content_words
from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.catalogue import hub_files
from evo_t2i.checkpoints.hub import local_snapshot
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import ModelError
from evo_t2i.generators.stylegan2_ada import StyleGan2AdaGenerator

BUILTIN = "builtin"


@dataclass(frozen=True, kw_only=True)
class TextEncoder:
    """The CLIP model whose text features a checkpoint was trained with.

    By default that of all but one of LAFITE's published checkpoints, whose files do not say.
    """

    architecture: str = "ViT-B-32-quickgelu"
    """open_clip's name; ``builtin`` for the built-in CLIP, whose ``training`` is empty."""
    training: str = "openai"
    """open_clip's name of the weights."""
    digest: str | None = None
    """``PublishedClip.text_digest``, or the digest of the built-in CLIP's weights; None when it was
    not at hand when this was written down."""
    word_prompt: str | None = None
    """What a word stands in, such as "a picture of {word}.", for a generator that attends to words.
    """

    def record(self) -> dict[str, Any]:
        """For a converted checkpoint's config; ``word_prompt`` only where words are read."""
        values = asdict(self)
        if self.word_prompt is None:
            del values["word_prompt"]
        return values

    @classmethod
    def recorded(cls, values: Mapping[str, Any] | None, where: Path) -> "TextEncoder":
        """From a converted checkpoint's config; the default for a pickle, which says nothing."""
        try:
            return cls(**(values or {}))
        except TypeError as error:
            raise ModelError(
                f"{where} names its text encoder in an unknown way; convert it again with "
                "`evo-t2i models convert`."
            ) from error


def check_size(wanted: TextEncoder, text_size: int) -> None:
    """Raise ModelError unless the encoder's features have ``text_size`` numbers."""
    from evo_t2i.models import published_clip  # imports open_clip late, which takes seconds

    if wanted.architecture == BUILTIN:
        return  # whose digest is checked
    found = published_clip.configuration(wanted.architecture)["embed_dim"]
    if found != text_size:
        raise ModelError(
            f"The generator reads {text_size} numbers of text, but {wanted.architecture} gives "
            f"{found}; convert the checkpoint with `evo-t2i models convert --text-encoder NAME`, "
            "naming the encoder that it was trained with."
        )


class Encoder(Protocol):
    """Reads captions."""

    def text_features(self, texts: Sequence[str]) -> Tensor:
        """Texts → unit features (n, d)."""
        ...

    def text_digest(self) -> str:
        """Another one for another text tower."""
        ...


def load_encoder(wanted: TextEncoder, path: Path | None) -> Encoder:
    """The wanted encoder from a file or folder, or from open_clip's caches; or the built-in one.

    Raises ModelError when it is missing, or is another one.
    """
    from evo_t2i.models import published_clip

    if wanted.architecture == BUILTIN:
        return _BuiltinClip(wanted)
    place = path or _find(wanted)
    encoder = published_clip.load(wanted.architecture, place)
    if wanted.digest is not None and (found := encoder.text_digest()) != wanted.digest:
        raise ModelError(
            f"The generator was trained with a text encoder of the digest {wanted.digest[:12]}…, "
            f"but that in {place} is {found[:12]}…; name the right one with the option clip=."
        )
    return encoder


class _BuiltinClip:
    """The built-in CLIP's text side; raises ModelError unless it is the wanted one."""

    def __init__(self, wanted: TextEncoder) -> None:
        from evo_t2i.models import clip

        weights = builtin.load("clip")
        self._digest = weights.tensors_digest
        if wanted.digest != self._digest:
            raise ModelError(
                f"The generator was trained with the built-in CLIP {str(wanted.digest)[:12]}…, but "
                f"{self._digest[:12]}… is installed; train the generator again, or install the "
                "version of evo-t2i that trained it."
            )
        folder = minilm_folder()
        self._model = clip.load(weights.config, weights.tensors, folder)
        self._tokenize = clip.load_tokenizer(folder)

    @torch.inference_mode()
    def text_features(self, texts: Sequence[str]) -> Tensor:
        return normalize(self._model.encode_text(self._tokenize(texts)).float(), dim=1)

    def text_digest(self) -> str:
        return self._digest


def _find(wanted: TextEncoder) -> Path:
    """Where the wanted encoder is: pulled, or in one of open_clip's caches."""
    from evo_t2i.models import published_clip

    name = f"{wanted.architecture}:{wanted.training}"
    known = hub_files(name)
    if known is not None and (folder := local_snapshot(known.repository)) is not None:
        file = folder / "open_clip_model.safetensors"
        if file.is_file():
            return file
    try:
        return published_clip.find(wanted.architecture, wanted.training)
    except ModelError:
        if known is None:
            raise
        raise ModelError(
            f"The text encoder {wanted.architecture} ({wanted.training}) is not on this machine; "
            f"run `evo-t2i models pull {name}`, or name its file or folder with the option clip=."
        ) from None


class LafiteGenerator(StyleGan2AdaGenerator):
    """A LAFITE checkpoint: Gaussian latents and a caption → pictures.

    Beside the options of ``stylegan2-ada``, ``clip`` names the file or folder of the CLIP model
    that the checkpoint was trained with; by default it comes from open_clip's caches. Raises
    ModelError also when that model is missing or is another one than the checkpoint needs.
    """

    name = "lafite"
    reads_text = True
    options = ("truncation", "class", "clip")

    def __init__(self, *, device: torch.device, argument: str | None = None) -> None:
        super().__init__(device=device, argument=argument)
        wanted = TextEncoder.recorded(self._text_encoder, self._options.path)
        check_size(wanted, self._model.config.text_size)
        self._word_prompt = wanted.word_prompt or "{word}"
        self._encoder = load_encoder(wanted, self._options.clip)
        digests = f"{self.digest} {self._encoder.text_digest()}"
        self.digest = hashlib.sha256(digests.encode()).hexdigest()

    def condition(self, caption: str) -> Tensor:
        """The caption's CLIP feature (1, d), of unit length.

        For a generator that attends to words (1, 1 + t, d), with a row for each content word.
        """
        if not self._model.config.attentive:
            return self._encoder.text_features([caption]).to(self._device)
        words = [self._word_prompt.format(word=word) for word in content_words(caption)]
        return self._encoder.text_features([caption, *words])[None].to(self._device)
