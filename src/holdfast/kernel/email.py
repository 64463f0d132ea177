"""One spelling for each e-mail address, to compare and look up by."""

import re
import unicodedata

from holdfast.kernel.tokens import without_tokens

# An address has 254 characters at most (RFC 5321 4.5.3.1.3). What is longer is
# nobody's, and composing a megabyte of accents would take most of an hour.
_LONGEST = 512

_ADDRESS = re.compile(r"""[^\s<>"'(),:;=]+@[^\s<>"'(),:;]+""")


def canonical(address: str) -> str:
    """The spelling under which two addresses are the same person's.

    Case is ignored on both sides of the @: no provider of note tells ``Ada@`` from
    ``ada@``, and people type both. Nothing else is: dots and ``+tags`` mean something
    at some providers, and ``straße.example`` and ``strasse.example`` belong to two
    owners (RFC 5891), which case folding would make one.
    """
    composed = unicodedata.normalize("NFC", address[:_LONGEST].strip())
    return unicodedata.normalize("NFC", composed.lower())


def without_addresses(text: str) -> str:
    """A text without the e-mail addresses in it."""
    return _ADDRESS.sub("[address]", text)


def fit_for_a_log(text: str) -> str:
    """A text that others wrote, such as a mail server, with no address and no token."""
    return without_tokens(without_addresses(text))
