"""Names of files as they may be shown.

A name may hold anything but a slash and a zero byte: line breaks that forge a message, escape
sequences that a terminal obeys, marks that turn the direction of writing, bytes that are no text.
"""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})  # Unicode's general categories


def is_safe(character: str) -> bool:
    """Whether a character is text and nothing else."""
    return unicodedata.category(character) not in _UNSAFE


def printable(text: str) -> str:
    r"""The text on one line, with what is not safe written as an escape.

    Example:
        >>> printable("a\nb\x1b[2J.jpg")
        'a\\nb\\x1b[2J.jpg'
    """
    return "".join(
        c if is_safe(c) else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text
    )
