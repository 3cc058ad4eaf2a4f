"""Keep third-party chatter away from people, and off stdout, where only results belong."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

DEBUG = "EVO_T2I_DEBUG"
"""Environment variable that brings tracebacks and the libraries' messages back."""
_QUIET = {
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@contextlib.contextmanager
def libraries_silenced() -> Iterator[None]:
    """Import and call the heavy libraries within this.

    What they print goes to stderr; warnings and log lines below an error go nowhere.
    """
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        if os.environ.get(DEBUG):
            yield
            return
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        disabled = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)
