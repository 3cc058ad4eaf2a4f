"""Names of jobs, which become names of folders, and the seeds that follow from them."""

import hashlib
import re
import unicodedata

MOST_BYTES = 255
"""Of a folder's name on common file systems."""
SLUG_BYTES = 80
_FORBIDDEN = '/\\:*?"<>|'
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE
)
"""Device names of Windows, which no folder can have there, whatever follows a dot."""


def fault_of(name: str) -> str | None:
    """Why ``name`` cannot be a folder's name on every system; None when it can.

    Letters of any script are welcome. The sentence fits after "the id … ".
    """
    if not name:
        return "is empty"
    if not _is_utf8(name):
        return "holds an unpaired surrogate"
    if len(name.encode()) > MOST_BYTES:
        return f"has {len(name.encode())} bytes, and a folder's name at most {MOST_BYTES}"
    for character in name:
        if character in _FORBIDDEN:
            return f"holds {character!r}, which no folder's name has on every system"
        if unicodedata.category(character) in _UNPRINTABLE and character not in _JOINERS:
            return f"holds the invisible character U+{ord(character):04X}"
    if name[0] in ".-" or name[0].isspace():
        return f"begins with {name[0]!r}"
    if name[-1] == "." or name[-1].isspace():
        return f"ends with {name[-1]!r}"
    if _RESERVED.fullmatch(name):
        return "is the name of a device on Windows"
    return None


def folded(name: str) -> str:
    """Equal for two names that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def default_name(line: int, caption: str) -> str:
    """``000012-a-red-bus``: the line, and the caption's letters and digits of any script.

    The line has six digits at least, so that a file may grow without a change of names.
    """
    text = unicodedata.normalize("NFC", caption).lower()
    kept = "".join(
        character if character.isalnum() or unicodedata.combining(character) else "-"
        for character in text
    )
    slug = re.sub("-+", "-", kept).strip("-").encode("utf-8", "ignore")[:SLUG_BYTES]
    letters = slug.decode("utf-8", "ignore").rstrip("-")
    return f"{line:06d}-{letters}" if letters else f"{line:06d}"


def seed_of(batch_seed: int, name: str) -> int:
    """A job's seed (31 bits), which depends on no other job, nor on who carries it out."""
    digest = hashlib.sha256(f"{batch_seed}\n{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
