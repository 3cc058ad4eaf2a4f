"""Large files that are there in full or not at all, written piece by piece."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from evo_t2i.runs.atomic import naming_errors, part_name, require_replaceable, sync_directory


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of ``path`` when all went well.

    Raises as ``evo_t2i.runs.atomic.write_bytes``; what was written is then removed.
    """
    with naming_errors(path):
        require_replaceable(path)
        part = path.parent / part_name(path.name)
        try:
            with open(part, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        sync_directory(path.parent)
