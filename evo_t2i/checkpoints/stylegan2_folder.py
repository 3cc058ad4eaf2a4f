"""A converted checkpoint of StyleGAN2-ADA or LAFITE: model.safetensors, config.json, CARD.md."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.model_folder import read_json, require_regular
from evo_t2i.checkpoints.stylegan2_pickle import StoredNetwork
from evo_t2i.errors import ModelError, UsageError

_CONFIG, _TENSORS, _CARD = "config.json", "model.safetensors", "CARD.md"


class StyleGan2Folder:
    """A converted checkpoint; ``network`` gives what the pickle's gave.

    Raises ModelError when a file is missing or damaged.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            config = require_regular(path / _CONFIG).read_bytes()
            found = sha256_of(require_regular(path / _TENSORS))
        except OSError as error:
            raise ModelError(
                f"The converted checkpoint {path} cannot be read ({error.filename}: "
                f"{error.strerror}); convert it again with `evo-t2i models convert`."
            ) from error
        try:
            self._config = read_json(path / _CONFIG)
            wanted = self._config["sha256"]
            self.networks: list[str] = list(self._config["networks"])
        except (ModelError, KeyError, TypeError) as error:
            raise self._damaged(f"its {_CONFIG} is not what was written") from error
        if found != wanted:
            raise self._damaged(f"the digest of its {_TENSORS} is {found[:12]}…")
        self.digest = hashlib.sha256(config + found.encode()).hexdigest()
        """SHA-256 of both files together."""

    @property
    def text_encoder(self) -> dict[str, Any] | None:
        """What ``save`` was given."""
        encoder: dict[str, Any] | None = self._config.get("text_encoder")
        return encoder

    def network(self, name: str) -> StoredNetwork:
        """The network stored under ``name``, one of ``networks``."""
        prefix = f"{name}."
        try:
            with safe_open(self.path / _TENSORS, framework="pt") as file:
                tensors = {
                    key.removeprefix(prefix): file.get_tensor(key)
                    for key in file.keys()  # noqa: SIM118
                    if key.startswith(prefix)
                }
            stored = self._config["networks"][name]
            return StoredNetwork(str(stored["class_name"]), dict(stored["arguments"]), tensors)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise self._damaged(f"its {name} cannot be read") from error

    def _damaged(self, what: str) -> ModelError:
        return ModelError(
            f"The converted checkpoint {self.path} is damaged: {what}; convert it again with "
            "`evo-t2i models convert`."
        )


def save(
    folder: Path,
    networks: Mapping[str, StoredNetwork],
    *,
    text_encoder: Mapping[str, Any] | None,
    source: Mapping[str, str],
    card: str,
) -> str:
    """Write a new folder that ``StyleGan2Folder`` reads; returns the SHA-256 of the tensors.

    ``{digest}`` in the card's text becomes that, ``{config_digest}`` that of config.json. The
    folder appears whole or not at all.
    Raises UsageError when it exists and is not empty, or cannot be written.
    """
    unfinished = folder.with_name(folder.name + ".part")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; name a new folder.")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        tensors = {
            f"{name}.{key}": tensor
            for name, network in networks.items()
            for key, tensor in network.tensors.items()
        }
        save_file(tensors, unfinished / _TENSORS)
        digest = sha256_of(unfinished / _TENSORS)
        config = {
            "source": dict(source),
            "text_encoder": None if text_encoder is None else dict(text_encoder),
            "sha256": digest,
            "networks": {
                name: {"class_name": network.class_name, "arguments": network.arguments}
                for name, network in networks.items()
            },
        }
        text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        (unfinished / _CONFIG).write_text(text, encoding="utf-8")
        text = card.replace("{digest}", digest)
        text = text.replace("{config_digest}", sha256_of(unfinished / _CONFIG))
        (unfinished / _CARD).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written ({error.strerror or error}); name another folder."
        ) from error
    return digest
