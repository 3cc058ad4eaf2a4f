"""Random numbers that every language computes alike, so that a page asks what Python would ask."""

import numpy as np

_MULTIPLIER, _INCREMENT = 1664525, 1013904223


def uniform(seed: int, stream: int, count: int) -> np.ndarray:
    """(count,) float64 in [0, 1): number i is a hash of (seed, stream, i), the same anywhere.

    The hash is pcg3d (Jarzynski & Olano 2020, Hash Functions for GPU Rendering, JCGT 9(3)) on
    unsigned 32-bit integers; ``seed`` and ``stream`` count modulo 2^32. Two of its three words give
    the 53 bits of a number.
    """
    words = [
        np.full(count, number % 2**32, dtype=np.uint32) * np.uint32(_MULTIPLIER)
        + np.uint32(_INCREMENT)
        for number in (seed, stream)
    ]
    place = np.arange(count, dtype=np.uint32)
    x, y, z = (*words, place * np.uint32(_MULTIPLIER) + np.uint32(_INCREMENT))
    for _ in range(2):
        x = x + y * z
        y = y + z * x
        z = z + x * y
        x, y, z = (word ^ (word >> np.uint32(16)) for word in (x, y, z))
    numbers: np.ndarray = ((x >> np.uint32(5)) * 2.0**26 + (y >> np.uint32(6))) / 2.0**53
    return numbers
