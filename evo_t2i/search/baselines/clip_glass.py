"""NSGA-II as CLIP-GLaSS sets it (Galatolo, Cimino and Vaglini, 2021, arXiv 2102.01645)."""

from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM

from evo_t2i.config import RunConfig
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.search.operators import Operators
from evo_t2i.search.protocol import Sample

ETA = 3
BOUND = 10.0


class ClipGlass(Nsga2):
    """Simulated binary crossover (η 3, every mating), polynomial mutation (η 3, half the numbers),
    bounds ±10, crowding. It leaves the prior's shell soon. It has no options."""

    Options = None  # type: ignore[assignment]

    def __init__(
        self, *, sample: Sample, dimensions: int, objectives: int, config: RunConfig
    ) -> None:
        super().__init__(
            sample=sample,
            dimensions=dimensions,
            objectives=objectives,
            config=config,
            options=Nsga2.Options(survival="crowding", keep="front"),
            operators=Operators(SBX(eta=ETA, prob=1.0), PM(eta=ETA, prob=1.0, prob_var=0.5), BOUND),
        )
