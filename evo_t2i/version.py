"""The version of evo-t2i."""

VERSION = "0.1.0"
