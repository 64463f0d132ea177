"""Which passwords are taken, by NIST SP 800-63B section 3.1.1.2.

Length counts, variety does not: from 8 (or what the shop says) to 256 characters of
any kind, no demand for digits or capitals, nothing expires. Refused is what guessing
begins with: the 30,000 most common passwords (those of zxcvbn, MIT, beside this file),
one thing over and over, rows of the keyboard, the shop's name and the person's own
address.
"""

import functools
import gzip
import itertools
import re
import unicodedata
from collections.abc import Iterator
from importlib import resources

from holdfast.domain.accounts.errors import PasswordRefused

LONGEST = 256
_SHOP = "holdfast"
# Not even looked at: composing accents can make it shorter, but never by that much.
_ABSURD = 1_024
_LONGEST_UNIT = 4
_SHORTEST_WORD = 4
_LEAST_BESIDES = 5
_LONGEST_TAIL = 5
_ROWS = ("qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "01234567890")
_BREAKS = re.compile(r"[^\w]|_")
_TAIL = re.compile(r"[\d\W_]+$")

_TOO_LONG = f"It has more than {LONGEST} characters."
_UNTYPABLE = "It contains a control character."
_COMMON = "It is one of the most common passwords, or nearly."
_REPEATS = "It repeats one thing over and over."
_SEQUENCE = "It is a sequence of neighbouring letters or digits."
_PERSONAL = "It is hardly more than your e-mail address or the name of the shop."


def check_password_rules(password: str, *, email: str, shortest: int) -> None:
    """Raise ``PasswordRefused`` with every reason against a new password of *email*'s.

    *shortest* is how many characters it must have.
    """
    if len(password) > _ABSURD:
        raise PasswordRefused([_TOO_LONG])
    text = unicodedata.normalize("NFC", password)
    if reasons := list(_against(text, email, shortest)):
        raise PasswordRefused(reasons)


def _against(text: str, email: str, shortest: int) -> Iterator[str]:
    if len(text) < shortest:
        yield f"It has fewer than {shortest} characters."
    if len(text) > LONGEST:
        yield _TOO_LONG
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        yield _UNTYPABLE
    folded = text.casefold()
    if _is_repetition(folded):
        yield _REPEATS
    elif _is_sequence(folded):
        yield _SEQUENCE
    elif _is_common(folded):
        yield _COMMON
    if _is_personal(folded, email.casefold()):
        yield _PERSONAL


def _is_repetition(text: str) -> bool:
    # A text that repeats a unit is found in itself, shifted by that unit.
    return 0 < (text + text).find(text, 1) <= _LONGEST_UNIT and len(text) > 1


def _is_sequence(text: str) -> bool:
    if any(text in row or text in row[::-1] for row in _ROWS):
        return bool(text)
    steps = {ord(b) - ord(a) for a, b in itertools.pairwise(text)}
    return steps in ({1}, {-1})


def _is_common(text: str) -> bool:
    if text in _common():
        return True
    # "password2026!" is what people make of "password" when they have to.
    stem = _TAIL.sub("", text)
    return len(text) - len(stem) <= _LONGEST_TAIL and stem in _common()


def _is_personal(text: str, email: str) -> bool:
    local, _, domain = email.partition("@")
    words = {_SHOP, email, local, *_BREAKS.split(local), *domain.split(".")[:-1]}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _SHORTEST_WORD and word in text:
            text = text.replace(word, "")
            if len(text) < _LEAST_BESIDES:
                return True
    return False


@functools.cache
def _common() -> frozenset[str]:
    """About 3 MB, read when the first password is chosen."""
    packed = resources.files(__package__) / "common_passwords.txt.gz"
    return frozenset(gzip.decompress(packed.read_bytes()).decode().splitlines())
