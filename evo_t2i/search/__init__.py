"""Multi-objective search over latents: arrays in, arrays out, scores maximised.

``protocol`` says what a search is, ``generational`` has what searches share, ``nsga2`` and
``random_search`` are two of them, ``operators`` and ``survival`` are NSGA-II's parts, ``archive``
keeps every non-dominated point and ``hypervolume`` measures progress. Nothing here imports torch,
and importing the package itself loads nothing.
"""
