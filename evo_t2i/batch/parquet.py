"""The tables as Parquet, by pyarrow, which is an extra."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evo_t2i.batch.files import replacing
from evo_t2i.batch.tables import SCHEMA, Column, Table, Values
from evo_t2i.errors import UsageError

MOST_ROWS = 1_000_000
"""Of one file; a table of more has several, numbered from 0."""
GROUP_ROWS = 50_000


def require_pyarrow() -> None:
    """Raise UsageError, with the command that installs it, unless pyarrow is here."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise UsageError(
            'Parquet needs pyarrow, which is not installed; run pip install "evo-t2i[parquet]".'
        ) from error


@contextmanager
def parquet_table(
    path: Path, columns: Sequence[Column], *, numbered: bool = False
) -> Iterator[Table]:
    """Parquet compressed by zstd that replaces ``path``; floats in full.

    ``numbered`` writes ``path`` with ``-00000`` before the suffix, and goes on with ``-00001``
    after MOST_ROWS. The schema's metadata has ``evo_t2i.schema``.
    """
    table = _Parquet(path, columns, numbered=numbered)
    yield table
    table.close()


class _Parquet:
    def __init__(self, path: Path, columns: Sequence[Column], *, numbered: bool) -> None:
        import pyarrow

        types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
        fields = [pyarrow.field(column.name, types[column.kind]) for column in columns]
        self._schema = pyarrow.schema(fields, metadata={"evo_t2i.schema": str(SCHEMA)})
        self._path = path
        self._numbered = numbered
        self._files = 0
        self._rows: list[Values] = []
        self._groups: list[Any] = []

    def add(self, values: Values) -> None:
        self._rows.append(values)
        if len(self._rows) == GROUP_ROWS:
            self._close_group()
            if self._numbered and len(self._groups) * GROUP_ROWS >= MOST_ROWS:
                self._write()

    def close(self) -> None:
        self._close_group()
        if self._groups or self._files == 0:
            self._write()
        if self._numbered:
            for old in self._path.parent.glob(f"{self._path.stem}-[0-9]*{self._path.suffix}"):
                if int(old.stem.rpartition("-")[2]) >= self._files:
                    old.unlink()

    def _close_group(self) -> None:
        import pyarrow

        if self._rows:
            names = self._schema.names
            whole = [{name: row.get(name) for name in names} for row in self._rows]
            self._groups.append(pyarrow.Table.from_pylist(whole, schema=self._schema))
            self._rows = []

    def _write(self) -> None:
        import pyarrow.parquet

        number = f"-{self._files:05d}" if self._numbered else ""
        path = self._path.with_name(f"{self._path.stem}{number}{self._path.suffix}")
        with (
            replacing(path) as file,
            pyarrow.parquet.ParquetWriter(file, self._schema, compression="zstd") as writer,
        ):
            for group in self._groups:
                writer.write_table(group)
        self._groups = []
        self._files += 1
