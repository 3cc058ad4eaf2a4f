"""Training of the built-in models on the procedural world."""
