"""What `sample` and `resume` share: the watched run, how it was stopped, and its summary."""

import statistics
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_t2i.cli.terminal.live import LiveTerminal, LiveWebPage
from evo_t2i.cli.terminal.output import print_facts, say, shown
from evo_t2i.cli.terminal.progress import duration, progress_display
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.cli.terminal.stop import Stopped
from evo_t2i.config import RunConfig
from evo_t2i.errors import EvoError

if TYPE_CHECKING:
    from evo_t2i.events import Event, Progress
    from evo_t2i.run import Run

_FILES = (
    "front.csv",
    "contact_sheet.png",
    "pareto.png",
    "before_after.png",
    "report.html",
)
MOST_QUOTED = 40
"""Characters of an end of the caption that was not read."""
_LABEL_SCORES = ("image_real", "word_label")


def evolve(
    directory: Path,
    config: RunConfig,
    call: Callable[["Progress"], "Run"],
    *,
    quiet: bool,
    live: str | None = None,
) -> dict[str, Any]:
    """Make ``call`` with the progress on display; returns the finished run's facts.

    ``live`` is what ``evo_t2i.cli.terminal.live.checked_live`` returned.
    """
    start = time.monotonic()
    pictures = LiveTerminal(config) if live == "terminal" else None
    page = LiveWebPage(directory, quiet=quiet) if live == "page" else None
    if page is not None and not quiet:
        say(f"Live page, from generation 0 on: {directory / 'report.html'}")
    try:
        with (
            libraries_silenced(),
            progress_display(config, quiet=quiet, pictures=pictures) as progress,
        ):
            run = call(progress if page is None else _both(progress, page.show))
    except BaseException as ended:
        if isinstance(ended, Stopped):
            ended.message = _what_is_kept(directory)
        if page is not None:
            page.ended("the run was stopped; evo-t2i resume RUN goes on with it")
        raise
    with libraries_silenced():
        from evo_t2i.report.style import title_note
    if not quiet and (note := title_note(config.caption)):
        say(note)
    return run_facts(run, time.monotonic() - start)


def _both(first: "Progress", second: "Progress") -> "Progress":
    def heard(event: "Event") -> None:
        first(event)
        second(event)

    return heard


def run_facts(run: "Run", seconds: float) -> dict[str, Any]:
    """The summary of a finished run as plain JSON values; paths begin with the run's own."""
    from evo_t2i.picking.start import PLAIN, START, compared
    from evo_t2i.present import shown_pick

    facts: dict[str, Any] = run.facts
    volumes, rescored = facts["hypervolume"], facts.get("rescored")
    picked = shown_pick(run)
    best = picked.chosen[0]
    names = run.arrays.score_names
    original = run.arrays.files[best]
    copy = run.path / "pick" / f"01-{original.name}"
    start = compared(run.arrays.scores[best], run.arrays.generation0_scores, names, picked.weights)
    return {
        "run": str(run.path),
        "caption": run.config.caption,
        "seed": run.config.seed,
        "front": run.arrays.led,
        "beside": len(run.arrays) - run.arrays.led,
        "looks": facts.get("looks"),
        "ended_by": facts.get("ended_by", "generations"),
        "evaluations": facts["evaluations"],
        "seconds": round(seconds, 1),
        "hypervolume": volumes[-1],
        "hypervolume_gain": volumes[-1] / volumes[0] if volumes[0] > 0 else None,
        "rescored": rescored,
        "screened": facts.get("screened"),
        "coverage": facts["coverage"],
        "label_matched": facts["label_matched"],
        "own_words": facts.get("own_words", False),
        "unread": facts.get("unread", {}),
        "doubts": facts.get("doubts", []),
        "pick": {
            "file": str(copy if copy.exists() else original),
            "method": picked.method,
            "value": float(picked.value[best]),
            "scores": dict(zip(names, run.arrays.scores[best].tolist(), strict=True)),
            "z": dict(zip(names, picked.z[best].tolist(), strict=True)),
        },
        "start": {
            "file": str(run.path / START),
            "plain": str(run.path / PLAIN),
            "value": start.value,
            "pick_value": start.picked_value,
            "better": start.better,
        },
        "files": [str(run.path / name) for name in _FILES],
        "warnings": list(run.warnings),
    }


def print_summary(facts: dict[str, Any]) -> None:
    """The facts for a person, on stdout."""
    from evo_t2i.picking.table import shown_z

    evaluated = f"{facts['evaluations']:,} evaluated in {duration(facts['seconds'])}"
    volume, gain = f"{facts['hypervolume']:.3f}", facts["hypervolume_gain"]
    if gain is not None:
        times = "over 100" if gain > 100 else f"{gain:.2f}"
        volume += f", {times} times generation 0's"
    pick = facts["pick"]
    print_facts(
        [
            ("run", facts["run"]),
            ("caption", facts["caption"]),
            ("seed", str(facts["seed"])),
            ("front", f"{_kept(facts['front'], facts['beside'], facts['looks'])} of {evaluated}"),
            *_ended(facts["ended_by"]),
            ("hypervolume", volume),
            *_rescored(facts["rescored"]),
            *_screened(facts["screened"]),
            ("pick", f"{pick['file']} ({pick['method']})"),
            *(
                (f"  {name}", f"{score:.4f} (z {shown_z(pick['z'][name])})")
                for name, score in pick["scores"].items()
            ),
            ("against", _against(facts["start"])),
            ("look at", ", ".join(Path(file).name for file in facts["files"][1:])),
            *(("note", warning) for warning in facts["warnings"]),
        ]
    )
    if sentence := coverage_sentence(facts, pick["scores"]):
        print(shown(sentence))
    for sentence in unread_sentences(facts["unread"]):
        print(shown(sentence))


def _kept(front: int, beside: int, looks: int | None) -> str:
    """``74 images and 38 beside it, 62 different looks,``."""
    images = f"{front:,} images" + (f" and {beside:,} beside it" if beside else "")
    if not looks:
        return images
    shown = "one look" if looks == 1 else f"{looks} different looks"
    return f"{images}, {shown}," if beside else f"{images} of {shown},"


def _ended(budget: str) -> list[tuple[str, str]]:
    """What to say when something else than the generations ended the run."""
    sentences = {
        "max_evaluations": "the evaluations are used up",
        "max_minutes": "the minutes are used up",
        "stall": "the hypervolume stood still",
    }
    return [("ended", sentences[budget])] if budget in sentences else []


def _against(start: Mapping[str, Any]) -> str:
    values = f"value {start['pick_value']:+.2f} against {start['value']:+.2f}"
    name = Path(start["file"]).name
    if start["better"]:
        return f"{values} of {name}, the best of generation 0"
    return (
        f"{values} of {name}, the best of generation 0: no more than the scores can tell, so look "
        "at both and take the one you like"
    )


def _rescored(rescored: dict[str, Any] | None) -> list[tuple[str, str]]:
    if rescored is None:
        return []
    name, change = max(rescored["largest_change"].items(), key=lambda item: item[1])
    left = f"{rescored['left']} left the front" if rescored["left"] else "all stayed on the front"
    how = f"{'by previews ' if rescored['previews'] else ''}in {rescored['precision']}"
    return [
        ("searched", how),
        ("scored again", f"{left}; largest change {change:.4f}, of {name}"),
    ]


def _screened(screened: dict[str, Any] | None) -> list[tuple[str, str]]:
    if screened is None:
        return []
    known = [value for value in screened["rank_correlation"].values() if value is not None]
    agreement = f"; on the front previews rank as whole pictures by {statistics.median(known):.2f}"
    return [("screened", f"{screened['drafts']:,} drafts{agreement if known else ''}")]


def coverage_sentence(facts: Mapping[str, Any], names: Collection[str]) -> str | None:
    """What to say when the classifier has no label for the caption; None when it has one.

    ``facts`` are a scorer's ``coverage``, ``label_matched`` and ``own_words``; ``names`` the
    scores'.
    """
    blind = [name for name in _LABEL_SCORES if name in names]
    if facts["label_matched"] is not False or not blind:
        return None
    scores, many = " and ".join(blind), len(blind) > 1
    found = (
        f"No label of the classifier matches this caption (best similarity {facts['coverage']:.2f})"
    )
    if facts["own_words"]:
        return (
            f"{found}, so CLIP told them and the caption's words apart for {scores} (--labels "
            "fixed keeps to the labels)."
        )
    return f"{found}, so {scores} {'say' if many else 'says'} little about it."


def unread_sentences(unread: Mapping[str, str]) -> list[str]:
    """What to say of the ends of a caption that were not read, given by who did not read them."""
    return [
        f"Not read by {', '.join(name for name in unread if unread[name] == end)}, whose limit the "
        f"caption exceeds: its end from {_beginning(end)!r} on."
        for end in dict.fromkeys(unread.values())
    ]


def _beginning(text: str) -> str:
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED].rstrip()}…"


def _what_is_kept(directory: Path) -> str:
    from evo_t2i.runs.directory import RunDirectory

    try:
        committed = len(RunDirectory.open(directory).journal)
    except EvoError:
        return "Stopped before the run began; nothing was written."
    kept = f"everything up to generation {committed - 1} is kept" if committed else "the run began"
    return f"Stopped; {kept}. Go on with: evo-t2i resume {_quoted(directory)}"


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
