"""Many captions: a file of them → a run directory each, tables, a gallery."""
