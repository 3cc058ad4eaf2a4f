from dataclasses import dataclass


@dataclass(frozen=True)
class GenerationFacts:
    evaluations: int
    front: int
    hypervolume: float
    box: tuple[tuple[float, ...], tuple[float, ...]]
    micro_batch: int
    models: dict[str, str]
    environment: dict[str, str | int]
