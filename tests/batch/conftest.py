"""The plug-in of ``tiny_batch``, installed here and for worker processes."""

import os
import sys
import textwrap
from pathlib import Path

import pytest
from tiny_batch import PLUGIN, SETTINGS

from evo_t2i.batch.jobs import read_jobs


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The plug-in, here and in every process that is begun from here; its log of loadings."""
    folder = tmp_path / "plugin"
    facts = folder / "tiny_plugin-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / "tiny_plugin.py").write_text(textwrap.dedent(PLUGIN))
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-plugin\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[evo_t2i.generators]\ntiny = tiny_plugin:Tiny\n"
        "[evo_t2i.features]\nlight = tiny_plugin:Light\n"
        "[evo_t2i.scores]\nred = tiny_plugin:Red\nblue = tiny_plugin:Blue\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    here = Path(__file__).parents[2]
    paths = [str(folder), str(here), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("TINY_LOG", str(tmp_path / "loaded.txt"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # Ray would have its workers wait for others
    yield tmp_path / "loaded.txt"
    sys.modules.pop("tiny_plugin", None)


@pytest.fixture
def jobs_of(tiny):  # noqa: ARG001 - it is installed
    """``jobs_of(captions, form="txt", **more)`` → Jobs with SETTINGS."""

    def made(captions, form="txt", settings=SETTINGS, **more):
        text = captions if isinstance(captions, str) else "\n".join(captions)
        return read_jobs(text.encode(), form, settings=settings, **more)

    return made
