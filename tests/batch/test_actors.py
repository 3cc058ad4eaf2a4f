"""The Ray engine, where Ray is installed: the plain loop's tables, also when an actor is killed."""

import pytest
from tiny_batch import tables_of

from evo_t2i.batch import actors, loop
from evo_t2i.batch.outputs import Outputs
from evo_t2i.batch.run import run_batch
from evo_t2i.errors import EvoError, UsageError

CAPTIONS = ["a first cat", "kill once, then a dog", "a poison apple", "the last bird"]
OUTPUTS = Outputs(top_k=1)


def test_without_ray_it_says_how_to_install_it(jobs_of, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UsageError, match=r'run pip install "evo-t2i\[ray\]"'):
        run_batch(jobs_of(["a cat"]), tmp_path / "out", actors.carry_out)


def test_two_actors_one_of_them_killed_give_the_loops_tables(jobs_of, tmp_path, tiny):
    ray = pytest.importorskip("ray")
    done = run_batch(
        jobs_of(CAPTIONS),
        tmp_path / "ray",
        lambda ledger, folder_of: actors.carry_out(ledger, folder_of, workers=2),
        outputs=OUTPUTS,
    )
    assert not ray.is_initialized()
    assert (done.finished, done.failed) == (3, 1)
    # two actors and the one that took the killed one's place
    assert len(tiny.read_text().splitlines()) == 3
    run_batch(jobs_of(CAPTIONS), tmp_path / "loop", loop.carry_out, outputs=OUTPUTS)
    assert tables_of(tmp_path / "ray") == tables_of(tmp_path / "loop")


class Unwilling:
    """A Ray whose cluster does not begin."""

    @staticmethod
    def is_initialized():
        return False

    @staticmethod
    def init(**_):
        raise RuntimeError("The current node timed out during startup.\nMore of it.")


@pytest.mark.parametrize(("address", "word"), [("", "begun"), ("10.0.0.1:6379", "reached")])
def test_a_cluster_that_does_not_begin_is_one_sentence(address, word, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", address)
    expected = rf"No Ray cluster can be {word} \(The current node timed out during startup\); try"
    with pytest.raises(EvoError, match=expected) as refused, actors.cluster(Unwilling, 1):
        pass
    assert len(str(refused.value).splitlines()) == 1


class Stop(BaseException):
    """As what a signal's handler raises."""


def test_what_a_signal_raises_in_compiled_code_comes_out_as_itself():
    with pytest.raises(Stop), actors.interruptions():
        raise SystemError("returned a result with an exception set") from Stop()
    with pytest.raises(SystemError, match="another"), actors.interruptions():
        raise SystemError("another")
