"""A pick in words and numbers: rows for a terminal, and JSON for pick/pick.json."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo_t2i.picking.formulas import Z_CAP
from evo_t2i.picking.methods import TIE_DECIMALS, Pick


@dataclass(frozen=True)
class PickTable:
    """Text cells: ``summary`` of (label, text) lines, then ``header`` and ``rows`` of equal length.

    The rows are the chosen images, best first, and the runner-up.
    """

    summary: tuple[tuple[str, str], ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def pick_table(
    pick: Pick, scores: np.ndarray, names: Sequence[str], files: Sequence[str]
) -> PickTable:
    """``scores`` (n, m) and ``files`` of the whole front; a cell reads ``0.8123 (+2.1)``, the raw
    score and its z against generation 0. A note says where a z is larger than the value counts."""
    summary = [("method", pick.method)]
    if pick.tolerance is None:
        weights = ", ".join(f"{name} {share:.2f}" for name, share in pick.weights.items())
        summary.append(("weights", weights))
    else:
        order = ", then ".join(name for name in pick.order if pick.weights[name] > 0)
        summary.append(("order", order))
        summary.append(("tolerance", f"{pick.tolerance:g} standard deviations of generation 0"))
    if pick.floors:
        floors = ", ".join(f"{name} ≥ {floor:g}" for name, floor in pick.floors.items())
        summary.append(("floors", floors))
    if pick.runner_up is not None and pick.margin is not None:
        behind = f"behind by {pick.margin:.4f}"
        if abs(pick.margin) < 0.5 * 10.0**-TIE_DECIMALS:
            behind = (
                "equal in value; such a tie goes to the larger smallest z, then the larger mean"
            )
        text = f"{files[pick.runner_up]}, {behind}"
        summary.append(("runner-up", text))
    places = [(str(place), row) for place, row in enumerate(pick.chosen, start=1)]
    if pick.runner_up is not None and pick.runner_up not in pick.chosen:
        places.append(("runner-up", pick.runner_up))
    summary += [("note", note) for note in pick.notes]
    if pick.method == "balanced" and (pick.z[[row for _, row in places]] > Z_CAP).any():
        summary.append(("note", f"In the value, each z counts up to +{Z_CAP:g}."))
    rows = [
        (place, files[row], f"{pick.value[row]:.4f}", *_cells(scores[row], pick.z[row]))
        for place, row in places
    ]
    return PickTable(
        summary=tuple(summary), header=("place", "file", "value", *names), rows=tuple(rows)
    )


def pick_json(
    pick: Pick,
    scores: np.ndarray,
    names: Sequence[str],
    files: Sequence[str],
    digests: Sequence[str],
) -> dict[str, Any]:
    """The same as plain JSON values, without rounding, with the files' sha256."""

    def image(row: int) -> dict[str, Any]:
        return {
            "file": files[row],
            "sha256": digests[row],
            "value": float(pick.value[row]),
            "scores": dict(zip(names, scores[row].tolist(), strict=True)),
            "z": dict(zip(names, pick.z[row].tolist(), strict=True)),
        }

    return {
        "method": pick.method,
        "weights": pick.weights,
        "floors": pick.floors,
        "order": list(pick.order),
        "tolerance": pick.tolerance,
        "chosen": [image(row) for row in pick.chosen],
        "runner_up": None if pick.runner_up is None else image(pick.runner_up),
        "margin": pick.margin,
        "notes": list(pick.notes),
    }


def shown_z(z: float) -> str:
    """A z as text; beyond ±99 only that, since a score that hardly varied in generation 0 reaches
    thousands."""
    if abs(z) <= 99:
        return f"{z:+.1f}"
    return "over +99" if z > 0 else "under -99"


def _cells(scores: np.ndarray, z: np.ndarray) -> list[str]:
    return [f"{score:.4f} ({shown_z(value)})" for score, value in zip(scores, z, strict=True)]
