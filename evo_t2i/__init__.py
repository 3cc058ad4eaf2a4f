"""Evolutionary multi-objective text-to-image sampling."""

__version__ = "0.1.0"
