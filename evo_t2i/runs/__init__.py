"""The run directory: what a run leaves on disk, crash-safe and readable without the models."""
