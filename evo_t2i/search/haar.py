"""The orthonormal Haar basis of latents (c, h, w): from pixels of noise to bands of frequency.

A level turns each 2 x 2 block of a channel into its mean and three differences, each times 2 so
that the map is orthonormal (Haar, 1910; Mallat, 1989); the means are the next level's channel. So
N(0, I) stays N(0, I), and a norm stays what it is.

Coefficients lie as in the usual picture of the transform: of a channel (h, w) the means of the last
level in the upper left corner, each level's differences around them.
"""

import numpy as np

MOST_LEVELS = 4
"""As Spectral Evolution Search (arXiv 2602.03208) takes."""


def levels(latent_shape: tuple[int, ...]) -> int:
    """How often both sides of (c, h, w) can be halved, at most ``MOST_LEVELS``; 0 for another
    number of axes."""
    if len(latent_shape) != 3:
        return 0
    height, width = latent_shape[1:]
    count = 0
    while count < MOST_LEVELS and height % 2 == 0 and width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return count


def forward(latents: np.ndarray, latent_shape: tuple[int, ...]) -> np.ndarray:
    """Latents (n, c h w) → their coefficients (n, c h w)."""
    values = latents.reshape(-1, *latent_shape).copy()
    for height, width in _sides(latent_shape):
        block = values[..., :height, :width].copy()
        a, b = block[..., ::2, ::2], block[..., ::2, 1::2]
        c, d = block[..., 1::2, ::2], block[..., 1::2, 1::2]
        up, left = height // 2, width // 2
        values[..., :up, :left] = (a + b + c + d) / 2
        values[..., :up, left:width] = (a - b + c - d) / 2
        values[..., up:height, :left] = (a + b - c - d) / 2
        values[..., up:height, left:width] = (a - b - c + d) / 2
    return values.reshape(latents.shape)


def inverse(coefficients: np.ndarray, latent_shape: tuple[int, ...]) -> np.ndarray:
    """What ``forward`` made of latents → these latents."""
    values = coefficients.reshape(-1, *latent_shape).copy()
    for height, width in reversed(_sides(latent_shape)):
        block = values[..., :height, :width].copy()
        up, left = height // 2, width // 2
        mean, across = block[..., :up, :left], block[..., :up, left:]
        down, both = block[..., up:, :left], block[..., up:, left:]
        values[..., 0:height:2, 0:width:2] = (mean + across + down + both) / 2
        values[..., 0:height:2, 1:width:2] = (mean - across + down - both) / 2
        values[..., 1:height:2, 0:width:2] = (mean + across - down - both) / 2
        values[..., 1:height:2, 1:width:2] = (mean - across - down + both) / 2
    return values.reshape(coefficients.shape)


def low(latent_shape: tuple[int, ...]) -> np.ndarray:
    """(c h w,) which coefficients are the means of the last level."""
    return _beyond(latent_shape, levels(latent_shape), inside=True)


def fine(latent_shape: tuple[int, ...]) -> np.ndarray:
    """(c h w,) which coefficients are differences of the finer half of the levels."""
    return _beyond(latent_shape, (levels(latent_shape) + 1) // 2, inside=False)


def _beyond(latent_shape: tuple[int, ...], level: int, *, inside: bool) -> np.ndarray:
    """Which coefficients lie in the corner that is left after so many levels, or outside it."""
    height, width = latent_shape[1] >> level, latent_shape[2] >> level
    mask = np.full(latent_shape, not inside)
    mask[:, :height, :width] = inside
    return mask.reshape(-1)


def _sides(latent_shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Height and width of the corner that each level takes, the largest first."""
    _, height, width = latent_shape
    return [(height >> level, width >> level) for level in range(levels(latent_shape))]
