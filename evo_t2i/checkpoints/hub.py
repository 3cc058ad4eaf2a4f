"""Files of the Hugging Face hub that are on this machine already; nothing is downloaded."""

import os
from pathlib import Path

from evo_t2i.checkpoints.cache import NOWHERE, models_folder
from evo_t2i.checkpoints.catalogue import hub_files, name_for
from evo_t2i.checkpoints.records import read_record
from evo_t2i.errors import ModelError


def downloaded_repository(name: str, revision: str | None = None) -> Path:
    """The folder of a repository, or of a model of the catalogue that is one.

    Without a revision: the one that was pulled, else the catalogue's, else the cache's main branch,
    else the folder for files that were put there by hand (``by_hand``). Raises ModelError, with the
    command that fetches it, when it is not there.
    """
    known = hub_files(name)
    repository = known.repository if known else name
    if (folder := local_snapshot(repository, revision)) is not None:
        return folder
    raise _missing(name, repository, revision, "")


def downloaded_file(repository: str, name: str) -> Path:
    """One file of a repository; raises ModelError as ``downloaded_repository``."""
    for folder in snapshots(repository):
        if (folder / name).is_file():
            return folder / name
    raise _missing(f"{repository}/{name}", repository, None, name)


def local_snapshot(repository: str, revision: str | None = None) -> Path | None:
    """The folder of a repository's files, if there is one; see ``downloaded_repository``."""
    return next(iter(snapshots(repository, revision)), None)


def cache_of(repository: str) -> Path:
    """The repository's own folder in the Hugging Face cache, whether it is there or not."""
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    folder = cache if cache.parts[:1] != ("~",) else NOWHERE
    return folder / f"models--{repository.replace('/', '--')}"


def by_hand(repository: str) -> Path:
    """Where a repository's files can be put by hand, on a machine without a network."""
    return models_folder() / repository.replace("/", "--")


def snapshots(repository: str, revision: str | None = None) -> list[Path]:
    """Folders that hold files of a repository, the preferred first."""
    # the oldest repositories had no owner: bert-base-uncased, now google-bert/bert-base-uncased
    caches = [cache_of(name) for name in dict.fromkeys((repository, repository.split("/")[-1]))]
    if revision is None:
        known, record = hub_files(repository), read_record(repository)
        pinned = (record and record.revision, known and known.revision)
        commits = [commit for commit in pinned if commit]
        refs = ["main"]
    else:
        commits, refs = [revision], [revision]
    for file in (cache / "refs" / ref for cache in caches for ref in refs):
        if os.path.isfile(file):
            commits.append(file.read_text("ascii", "replace").strip())
    folders = [cache / "snapshots" / commit for cache in caches for commit in commits]
    if revision is None:
        folders.append(by_hand(repository))
    return [folder for folder in dict.fromkeys(folders) if os.path.isdir(folder)]


def _missing(what: str, repository: str, revision: str | None, file: str) -> ModelError:
    name = name_for(repository) if revision is None else None
    if name is not None:
        return ModelError(
            f"{what} is not on this machine; run `evo-t2i models pull {name}`, or put its files "
            f"into {by_hand(repository)}."
        )
    wanted = "" if revision is None else f" --revision {revision}"
    asked = f"{repository} {file}".strip() + wanted
    return ModelError(
        f"{what} is neither a folder nor among the downloads in {cache_of(repository).parent}; run "
        f"`hf download {asked}` on a machine with a network and copy that folder here."
    )
