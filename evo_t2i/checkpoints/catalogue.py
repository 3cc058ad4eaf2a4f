"""Every model that the package can use by name: what it is for, its licence, where it comes from.

Revisions, sizes and digests stand here only where they are known from what was published. Where one
is None, the first pull takes what the hub states, verifies the bytes against it and writes it down
(``evo_t2i.checkpoints.records``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evo_t2i.errors import UsageError, near_miss

PIPELINE = re.compile(
    r"model_index\.json"
    r"|(?!safety_checker/|feature_extractor/|image_encoder/)\w[\w-]*/"
    r"(\w[\w.-]*\.(json|txt|model)|(diffusion_pytorch_)?model(-\d{5}-of-\d{5})?\.safetensors)"
)
"""The files of a diffusion pipeline that decide its pictures; no variants, no pickles."""
MB, GB = 10**6, 10**9


@dataclass(frozen=True, kw_only=True)
class Builtin:
    """A folder of the built-in weights."""

    folder: str


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """The sentence encoder in its Python package."""


@dataclass(frozen=True, kw_only=True)
class HubFiles:
    """Files of a repository on the Hugging Face hub."""

    repository: str
    files: tuple[str, ...] | re.Pattern[str]
    """Names that have to be there, or a pattern of those to take."""
    revision: str | None = None
    """A commit; None: the main branch's at the first pull."""
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return self.repository


@dataclass(frozen=True, kw_only=True)
class WebFile:
    """One file at an address."""

    url: str
    name: str
    sha256: str
    """The digest, or the beginning of it that was published."""
    place: Literal["torch", "models"]
    """torch's own folder of checkpoints, or ``models_folder()/published``."""

    @property
    def source(self) -> str:
        return self.url


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A generator's checkpoint that people bring themselves; no address of it can be pinned."""

    family: str
    """The generator's name on the command line, and of its folder under ``models_folder()``."""


Part = Builtin | Packaged | HubFiles | WebFile | Brought


@dataclass(frozen=True)
class Model:
    """One line of the catalogue."""

    name: str
    """What the options of the command line call it, where they can name it."""
    purpose: str
    licence: str
    parts: tuple[Part, ...]
    size: int | None = None
    """Bytes of all that is needed, rounded; None when they are not known."""


BERT = HubFiles(
    repository="google-bert/bert-base-uncased",
    revision="86b5e0934494bd15c9632b12f734a8a67f723594",
    files=(
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ),
    sha256={
        "model.safetensors": "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3"
    },
)
CLIP_B32 = HubFiles(
    repository="timm/vit_base_patch32_clip_224.openai",
    revision="a6f597a30f7b82c51704746581f9a4e41421e878",
    files=("open_clip_model.safetensors",),
    sha256={
        "open_clip_model.safetensors": (
            "e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31"
        )
    },
)
CLIP_L14 = HubFiles(
    repository="timm/vit_large_patch14_clip_224.openai",
    revision="18d0535469bb561bf468d76c1d73aa35156c922b",
    files=("open_clip_model.safetensors",),
)
VGG19_BN = WebFile(
    url="https://download.pytorch.org/models/vgg19_bn-c79401a0.pth",
    name="vgg19_bn-c79401a0.pth",
    sha256="c79401a0",
    place="torch",
)
AESTHETIC_HEAD = WebFile(
    url=(
        "https://raw.githubusercontent.com/christophschuhmann/improved-aesthetic-predictor/"
        "6934dd81792f086e613a121dbce43082cb8be85e/sac%2Blogos%2Bava1-l14-linearMSE.pth"
    ),
    name="sac+logos+ava1-l14-linearMSE.pth",
    sha256="21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
    place="models",
)
PICKSCORE = HubFiles(
    repository="yuvalkirstain/PickScore_v1",
    revision="a4e4367c6dfa7288a00c550414478f865b875800",
    files=("config.json", "model.safetensors"),
)
CLIP_H14_TOKENIZER = HubFiles(
    repository="laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    revision="1c2b8495b28150b8a4922ee1c8edee224c284c0c",
    files=(
        "merges.txt",
        "preprocessor_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.json",
    ),
)
HPS_V2 = HubFiles(
    repository="xswu/HPSv2",
    revision="697403c78157020a1ae59d23f111aa58ced35b0a",
    files=("HPS_v2.1_compressed.pt",),
    sha256={
        "HPS_v2.1_compressed.pt": "c57a38fb4a2f7e7c15bf00da2ea377cdf165448b4dd1052a484c215a998c9837"
    },
)
IMAGE_REWARD = HubFiles(
    repository="zai-org/ImageReward",
    revision="5736be03b2652728fb87788c9797b0570450ab72",
    files=("ImageReward.pt", "med_config.json"),
)


def _pipeline(
    repository: str, purpose: str, licence: str, revision: str | None, size: int | None
) -> Model:
    part = HubFiles(repository=repository, files=PIPELINE, revision=revision)
    return Model(repository, f"generator: {purpose}", licence, (part,), size)


MODELS = (
    Model(
        "builtin-generator", "generator: the default", "Apache-2.0",
        (Builtin(folder="generator"),),
    ),
    Model("builtin-clip", "CLIP: the default", "Apache-2.0", (Builtin(folder="clip"),)),
    Model("builtin-vgg", "classifier: the default", "Apache-2.0", (Builtin(folder="vgg"),)),
    Model(
        "builtin-text", "what the built-in generator and CLIP read captions with", "Apache-2.0",
        (Builtin(folder="text"),),
    ),
    Model("all-MiniLM-L6-v2", "embedder: the default", "Apache-2.0", (Packaged(),), 91 * MB),
    Model(
        "lafite", "generator: LAFITE, your own checkpoint", "its own", (Brought(family="lafite"),)
    ),
    Model(
        "ViT-B-32-quickgelu:openai", "CLIP; LAFITE's text encoder", "MIT", (CLIP_B32,), 605 * MB
    ),
    Model("ViT-L-14-quickgelu:openai", "CLIP; under aesthetic", "MIT", (CLIP_L14,), 1_710 * MB),
    Model("vgg19_bn:imagenet", "classifier", "BSD-3-Clause", (VGG19_BN,), 575 * MB),
    Model("bert-base-uncased", "embedder", "Apache-2.0", (BERT,), 441 * MB),
    Model(
        "paper", "preset: the three that score in it", "MIT; BSD-3-Clause; Apache-2.0",
        (CLIP_B32, VGG19_BN, BERT), 1_621 * MB,
    ),
    Model("hpsv2", "score: HPS v2.1", "Apache-2.0", (HPS_V2,), 1_970 * MB),
    Model(
        "pickscore", "score: PickScore", "MIT (its code)",
        (PICKSCORE, CLIP_H14_TOKENIZER), 3_950 * MB,
    ),
    Model(
        "aesthetic", "score: LAION's aesthetic predictor", "Apache-2.0; CLIP: MIT",
        (CLIP_L14, AESTHETIC_HEAD), 1_714 * MB,
    ),
    Model("imagereward", "score: ImageReward", "Apache-2.0", (IMAGE_REWARD, BERT), 2_230 * MB),
    _pipeline(
        "stabilityai/sd-turbo", "SD-Turbo, 512 px", "Stability AI, see its card",
        "b261bac6fd2cf515557d5d0707481eafa0485ec2", 5_160 * MB,
    ),
    _pipeline(
        "stabilityai/sdxl-turbo", "SDXL-Turbo, 512 px", "Stability AI, see its card",
        "71153311d3dbb46851df1931d3ca6e939de83304", 13_880 * MB,
    ),
    _pipeline(
        "SimianLuo/LCM_Dreamshaper_v7", "LCM, 768 px", "MIT",
        "a85df6a8bd976cdd08b4fd8f3b73f229c9e54df5", None,
    ),
    _pipeline(
        "PixArt-alpha/PixArt-LCM-XL-2-1024-MS", "PixArt-LCM, 1024 px", "CreativeML Open RAIL++-M",
        None, None,
    ),
    _pipeline(
        "Efficient-Large-Model/Sana_Sprint_1.6B_1024px_diffusers", "SANA-Sprint, 1024 px",
        "see its card", "19683c58b7ea290e55cedd8950ae1d86ada7ef96", None,
    ),
    _pipeline(
        "black-forest-labs/FLUX.1-schnell", "FLUX.1-schnell, 1024 px", "Apache-2.0, gated",
        "741f7c3ce8b383c54771c7003378a50191e9efe9", 33_700 * MB,
    ),
)  # fmt: skip

OPENAI_ARCHIVES = {
    "ViT-B-32.pt": "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
    "ViT-B-16.pt": "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
}
"""Digests of OpenAI's own files of CLIP, which the generator lafite takes too (``clip=``)."""


def names() -> list[str]:
    """Every name, in the catalogue's order."""
    return [model.name for model in MODELS]


def find(name: str) -> Model:
    """The model of that name; raises UsageError with the nearest one."""
    for model in MODELS:
        if model.name == name:
            return model
    raise UsageError(
        f"There is no model called {name!r}, see `evo-t2i models list`; "
        f"{near_miss(name, names(), cutoff=0.5)}"
    )


def hub_files(source: str) -> HubFiles | None:
    """The catalogue's part for a repository, or for a model that is nothing else."""
    for model in MODELS:
        for part in model.parts:
            known_as = {model.name} if len(model.parts) == 1 else set()
            if isinstance(part, HubFiles) and source in {part.repository, *known_as}:
                return part
    return None


def name_for(source: str) -> str | None:
    """The model to pull for a repository or an address; the one with fewest parts."""
    having = [model for model in MODELS if any(_source(part) == source for part in model.parts)]
    return min(having, key=lambda model: len(model.parts)).name if having else None


def _source(part: Part) -> str | None:
    return part.source if isinstance(part, HubFiles | WebFile) else None
