"""Whether a typed name is that of a person."""

from __future__ import annotations

import re
import unicodedata


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, without case, diacritics and punctuation.

    >>> words_of("José_María  O'Neill")
    ('jose', 'maria', 'oneill')
    """
    plain = unicodedata.normalize("NFKD", name.replace("_", " "))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(re.sub(r"[^\w\s-]", "", kept.casefold()).replace("-", " ").split())


def is_named(answer: str, name: str) -> bool:
    """Whether an answer names a person: by the last name, or by it and other names of theirs.

    Initials and middle names may be missing or added, since a viewer who types one shows that the
    person was recognised; another first name is another person.

    >>> is_named("bush", "George_W_Bush"), is_named("Jeb Bush", "George_W_Bush")
    (True, False)
    """
    given, whole = words_of(answer), words_of(name)
    if not given or not whole or given[-1] != whole[-1]:
        return False
    return set(given) <= set(whole) or given[0] == whole[0]
