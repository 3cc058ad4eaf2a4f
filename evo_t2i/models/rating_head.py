"""The head that LAION's aesthetic predictor and ImageReward have in common."""

from torch import Tensor, nn


class RatingHead(nn.Module):
    """Features (n, width) → ratings (n,): five linear layers, named as in the published files.

    No activations lie between them; the dropouts of the training do nothing in eval mode
    (https://github.com/christophschuhmann/improved-aesthetic-predictor).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, 1024),
            nn.Dropout(0.2),
            nn.Linear(1024, 128),
            nn.Dropout(0.2),
            nn.Linear(128, 64),
            nn.Dropout(0.1),
            nn.Linear(64, 16),
            nn.Linear(16, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        ratings: Tensor = self.layers(features)
        return ratings.squeeze(-1)
