"""Files of the Hugging Face hub that are on this machine already; nothing is downloaded."""

from pathlib import Path

from evo_t2i.errors import ModelError


def downloaded_repository(name: str, revision: str | None = None) -> Path:
    """The folder of a repository in the cache; the main branch unless a revision is given.

    Raises ModelError, with the command that fetches it, when it is not there.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    wanted = "" if revision is None else f" --revision {revision}"
    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (HFValidationError, OSError):
        raise _missing(name, f"{name}{wanted}") from None


def downloaded_file(repository: str, name: str) -> Path:
    """One file of a repository in the cache; raises ModelError as ``downloaded_repository``."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(hf_hub_download(repository, name, local_files_only=True))
    except (HFValidationError, OSError):
        raise _missing(f"{repository}/{name}", f"{repository} {name}") from None


def _missing(what: str, arguments: str) -> ModelError:
    from huggingface_hub import constants

    return ModelError(
        f"{what} is neither a folder nor among the downloads in {constants.HF_HUB_CACHE}; run "
        f"`hf download {arguments}` on a machine with a network and put the files there."
    )
