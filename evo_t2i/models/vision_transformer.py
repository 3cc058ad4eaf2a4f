"""CLIP's image tower (Radford et al., 2021), with the names of open_clip's ``VisionTransformer``.

open_clip's own takes seconds to import, since it brings transformers, and gives the same numbers.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


class VisionTransformer(nn.Module):
    """Images (n, 3, s, s), normalised → (n, output_dim)."""

    attn_pool = None

    def __init__(
        self,
        *,
        image_size: int,
        patch_size: int,
        width: int,
        layers: int,
        heads: int,
        mlp_ratio: float,
        output_dim: int,
    ):
        super().__init__()
        self.image_size = (image_size, image_size)
        scale = width**-0.5
        self.conv1 = nn.Conv2d(3, width, patch_size, patch_size, bias=False)
        self.class_embedding = nn.Parameter(scale * torch.randn(width))
        patches = (image_size // patch_size) ** 2
        self.positional_embedding = nn.Parameter(scale * torch.randn(patches + 1, width))
        self.ln_pre = LayerNorm(width)
        self.transformer = Transformer(width, layers, heads, mlp_ratio)
        self.ln_post = LayerNorm(width)
        self.proj = nn.Parameter(scale * torch.randn(width, output_dim))

    def forward(self, images: Tensor) -> Tensor:
        embedded: Tensor = self.states(images)[:, 0] @ self.proj
        return embedded

    def states(self, images: Tensor) -> Tensor:
        """(n, 1 + r, width): the class token's final state, then the patches', row by row."""
        patches = self.conv1(images).flatten(2).transpose(1, 2)  # (n, r, width)
        first = self.class_embedding.to(patches.dtype).expand(len(images), 1, -1)
        x = torch.cat([first, patches], dim=1) + self.positional_embedding.to(patches.dtype)
        final: Tensor = self.ln_post(self.transformer(self.ln_pre(x)))
        return final


class Transformer(nn.Module):
    """States (n, 1 + r, width) → the same shape, block by block."""

    batch_first = True

    def __init__(self, width: int, layers: int, heads: int, mlp_ratio: float):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, mlp_ratio) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        for block in self.resblocks:
            x = block(x)
        return x


class Block(nn.Module):
    """Attention and a feed-forward network, each of its normalised input and added to it."""

    def __init__(self, width: int, heads: int, mlp_ratio: float):
        super().__init__()
        self.ln_1 = LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ls_1 = nn.Identity()  # where others scale; ``dense_embeddings`` asks for it
        self.ln_2 = LayerNorm(width)
        inner = int(width * mlp_ratio)
        parts = {
            "c_fc": nn.Linear(width, inner),
            "gelu": nn.GELU(),
            "c_proj": nn.Linear(inner, width),
        }
        self.mlp = nn.Sequential(OrderedDict(parts))

    def forward(self, x: Tensor) -> Tensor:
        given = self.ln_1(x)
        x = x + self.attn(given, given, given, need_weights=False)[0]
        total: Tensor = x + self.mlp(self.ln_2(x))
        return total


class LayerNorm(nn.LayerNorm):
    """Its output has its input's precision, also where autocast is on."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).to(x.dtype)
