"""What a run says of a generation and of its result, for runs that are written by hand."""

from typing import Any

from evo_t2i.runs.generations import GenerationFacts


def generation_facts(scores: int, **changed: Any) -> GenerationFacts:
    """Of a generation over so many scores."""
    facts = {
        "evaluations": 6,
        "front": 6,
        "hypervolume": 1.0,
        "box": ((0.0,) * scores, (1.0,) * scores),
        "micro_batch": 25,
        "models": {"builtin": "ab" * 32},
        "environment": {"threads": 1},
    }
    return GenerationFacts(**facts | changed)


def result_facts(**changed: Any) -> dict[str, Any]:
    """For run.json."""
    facts = {
        "models": {},
        "coverage": 0.28,
        "label_matched": False,
        "evaluations": 12,
        "hypervolume": [1.0],
        "rescored": None,
    }
    return facts | changed
