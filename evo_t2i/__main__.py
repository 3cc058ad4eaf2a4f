"""`python -m evo_t2i` is `evo-t2i`."""

from evo_t2i.cli.main import main

main()
