"""A hub on this machine and a small catalogue of what it serves."""

from fake_hub import fake_hub, models  # noqa: F401
