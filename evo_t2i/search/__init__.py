"""Multi-objective search over latents: arrays in, arrays out, scores maximised.

``base`` holds the protocol, ``nsga2`` and ``random_search`` implement it, ``operators`` and
``survival`` are NSGA-II's parts, ``archive`` keeps every non-dominated point and ``hypervolume``
measures progress. Nothing here imports torch, and importing the package itself loads nothing.
"""
