"""People's own captioned pictures: found, read once, and kept at the size that training needs."""

from evo_t2i.training.data.pictures import Pictures, prepare
from evo_t2i.training.data.sources import Listed, Listing, list_pictures

__all__ = ["Listed", "Listing", "Pictures", "list_pictures", "prepare"]
