"""Other people's LAFITE generators, from their own checkpoints."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i import builtin_clip
from evo_t2i.caption import content_words, unread
from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.catalogue import hub_files
from evo_t2i.checkpoints.hub import local_snapshot
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.checkpoints.small_clip import is_small_clip, load_small_clip
from evo_t2i.errors import ModelError
from evo_t2i.generators.stylegan2_ada import CheckpointOptions, StyleGan2AdaGenerator
from evo_t2i.models.loading import loading

BUILTIN, FOLDER = "builtin", "local-dir"


@dataclass(frozen=True, kw_only=True)
class TextEncoder:
    """The CLIP model whose text features a checkpoint was trained with.

    By default that of all but one of LAFITE's published checkpoints, whose files do not say.
    """

    architecture: str = "ViT-B-32-quickgelu"
    """open_clip's name; ``builtin`` for the built-in CLIP and ``local-dir`` for one from a folder,
    whose ``training`` is empty."""
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
        known: dict[str, Any] = {
            "architecture": str,
            "training": str,
            "digest": str | None,
            "word_prompt": str | None,
        }
        given = {} if values is None else values
        if not isinstance(given, dict) or not all(
            name in known and isinstance(value, known[name]) for name, value in given.items()
        ):
            raise ModelError(
                f"{where} names its text encoder in an unknown way; convert it again with "
                "`evo-t2i models convert`."
            )
        return cls(**given)


def check_size(wanted: TextEncoder, text_size: int) -> None:
    """Raise ModelError unless the encoder's features have ``text_size`` numbers."""
    from evo_t2i.checkpoints import published_clip  # imports open_clip late, which takes seconds

    if wanted.architecture in (BUILTIN, FOLDER):
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

    @property
    def tokenize(self) -> Callable[[Sequence[str]], Tensor]:
        """Texts → token ids."""
        ...

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
    from evo_t2i.checkpoints import published_clip

    if wanted.architecture == BUILTIN:
        clip = builtin_clip.load()
        if wanted.digest != clip.text_digest:
            raise ModelError(
                f"The generator was trained with the built-in CLIP {str(wanted.digest)[:12]}…, but "
                f"{clip.text_digest[:12]}… is installed; train the generator again, or install the "
                "version of evo-t2i that trained it."
            )
        return _SentenceEncoder(clip.model.encode_text, clip.tokenize, clip.text_digest)
    if wanted.architecture == FOLDER:
        if path is None:
            raise ModelError(
                "The generator was trained with a CLIP from a folder; name that folder with the "
                "option lafite.clip."
            )
        place = path
        encoder: Encoder = (
            _small_encoder(path) if is_small_clip(path) else published_clip.load_folder(path)
        )
    else:
        place = path or _find(wanted)
        encoder = published_clip.load(wanted.architecture, place)
    if wanted.digest is not None and (found := encoder.text_digest()) != wanted.digest:
        raise ModelError(
            f"The generator was trained with a text encoder of the digest {wanted.digest[:12]}…, "
            f"but that in {place} is {found[:12]}…; name the right one with the option lafite.clip."
        )
    return encoder


@dataclass(frozen=True)
class _SentenceEncoder:
    """Captions by the built-in CLIP, or by a small one of one's own."""

    encode: Callable[[Tensor], Tensor]
    tokenize: Callable[[Sequence[str]], Tensor]
    digest: str

    @torch.inference_mode()
    def text_features(self, texts: Sequence[str]) -> Tensor:
        return normalize(self.encode(self.tokenize(texts)).float(), dim=1)

    def text_digest(self) -> str:
        return self.digest


def _small_encoder(folder: Path) -> _SentenceEncoder:
    from evo_t2i.models import minilm, sentence_clip

    weights, home = load_small_clip(folder), minilm_folder()
    model = sentence_clip.load(weights.config, weights.tensors, home)
    return _SentenceEncoder(model.encode_text, minilm.load_tokenizer(home), weights.tensors_digest)


def _find(wanted: TextEncoder) -> Path:
    """Where the wanted encoder is: pulled, or in one of open_clip's caches."""
    from evo_t2i.checkpoints import published_clip

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
            f"run `evo-t2i models pull {name}`, or name its file or folder with the option "
            "lafite.clip."
        ) from None


@dataclass(frozen=True, kw_only=True)
class LafiteOptions(CheckpointOptions):
    """What a person may ask of a LAFITE checkpoint: ``-o lafite.clip=ViT-B-32.pt``."""

    clip: str | None = dataclasses.field(
        default=None,
        metadata={
            "help": "File or folder of the CLIP model that the checkpoint was trained with; by "
            "default it is looked for where it was pulled to, and in open_clip's caches."
        },
    )


_DEFAULTS = LafiteOptions()


class LafiteGenerator(StyleGan2AdaGenerator):
    """A LAFITE checkpoint: Gaussian latents and a caption → pictures.

    Raises ModelError also when the CLIP model that reads the caption is missing or is another one
    than the checkpoint needs.
    """

    Options = LafiteOptions
    name = "lafite"
    reads_text = True

    def __init__(
        self,
        *,
        device: torch.device,
        argument: str | None = None,
        options: LafiteOptions = _DEFAULTS,
    ) -> None:
        super().__init__(device=device, argument=argument, options=options)
        wanted = TextEncoder.recorded(self._text_encoder, self._path)
        check_size(wanted, self._model.config.text_size)
        self._word_prompt = wanted.word_prompt or "{word}"
        with loading():
            self._encoder = load_encoder(wanted, expanded(options.clip) if options.clip else None)
        from evo_t2i.checkpoints.published_clip import vocabulary_digest

        digests = f"{self.digest} {self._encoder.text_digest()} {vocabulary_digest()}"
        self.digest = hashlib.sha256(digests.encode()).hexdigest()

    def condition(self, caption: str) -> Tensor:
        """The caption's CLIP feature (1, d), of unit length.

        For a generator that attends to words (1, 1 + t, d), with a row for each content word.
        """
        if not self._model.config.attentive:
            return self._encoder.text_features([caption]).to(self._device)
        words = [self._word_prompt.replace("{word}", word) for word in content_words(caption)]
        return self._encoder.text_features([caption, *words])[None].to(self._device)

    def unread(self, caption: str) -> str:
        """The caption's end beyond the text encoder's context."""
        return unread(caption, self._encoder.tokenize)
