"""One view over all workers: what is counted, and what is said of it."""

import json

from evo_t2i.batch.ledger import Ledger, Outcome
from evo_t2i.cli.terminal.batch_progress import LINES, BatchView, batch_display
from evo_t2i.cli.terminal.progress import duration


def ledger_of(jobs, begun=(), finished=0):
    return Ledger(jobs.jobs, finished, lambda job: job.config.generator, begun)


def test_images_of_this_session_are_counted_once_each(jobs_of):
    ledger = ledger_of(jobs_of(["a", "b"]), begun=[1])
    heard = []
    ledger.tell = heard.append
    ledger.begun(2)
    first, second = ledger.take(), ledger.take()
    assert (heard[-1].images, heard[-1].images_left) == (0, 36)
    ledger.scored(first, 0)
    ledger.scored(first, 4)
    ledger.scored(second, 10)  # the earlier session's, and a little more
    ledger.scored(second, 12)
    assert (heard[-1].images, heard[-1].images_left) == (6, 20)
    ledger.settle(first, Outcome("failed", "OSError", "OSError: gone."))
    assert heard[-1].note == "000001-a: OSError: gone. Trying again (2 of 3)."
    again = ledger.take()
    ledger.scored(again, 4)  # no image twice
    ledger.settle(again, Outcome("done"))
    ledger.settle(second, Outcome("done"))
    assert (heard[-1].images, heard[-1].images_left, heard[-1].finished) == (26, 0, 2)
    assert ledger.left == 0


def test_a_worker_is_given_what_its_models_can_do(jobs_of):
    lines = [
        json.dumps({"caption": caption, "generator": f"tiny:{argument}"})
        for caption, argument in (("a", 1), ("b", 2), ("c", 2), ("d", 1), ("e", 2))
    ]
    ledger = ledger_of(jobs_of(lines, "jsonl"))
    first = ledger.take()
    assert first.config.generator == "tiny:2"  # the most common one comes first
    taken = [first.config.caption, *(ledger.take("tiny:2").config.caption for _ in range(2))]
    assert taken == ["b", "c", "e"]
    assert ledger.take("tiny:2").config.generator == "tiny:1"


def test_a_few_plain_lines_tell_of_many_captions(jobs_of, capsys):
    ledger = ledger_of(jobs_of([f"caption {number}" for number in range(100)]))
    seconds = iter(range(10_000))
    view = BatchView(lambda: float(next(seconds)))
    with batch_display(view, quiet=False) as tell:
        ledger.tell = tell
        ledger.begun(3)
        while (job := ledger.take()) is not None:
            ledger.settle(job, Outcome("done"))
    lines = capsys.readouterr().err.splitlines()
    assert LINES <= len(lines) <= LINES + 1
    assert lines[0].startswith("5 of 100 captions · ")
    assert lines[-1].startswith("100 of 100 captions · ")
    assert "images/s" in lines[-2]
    assert lines[-2].endswith("left · 3 workers")
    assert "left" not in lines[-1]
    assert view.left == 0


def test_a_quiet_view_still_knows_what_is_left(jobs_of, capsys):
    ledger = ledger_of(jobs_of(["a", "b"]), finished=7)
    view = BatchView()
    view.begun(9, 7)
    assert (view.left, view.facts(duration)) == (2, "")
    with batch_display(view, quiet=True) as tell:
        ledger.tell = tell
        ledger.settle(ledger.take(), Outcome("done"))
    assert (view.captions, view.finished, view.left) == (9, 8, 1)
    assert capsys.readouterr().err == ""
