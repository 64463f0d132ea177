"""One spelling for each e-mail address, to compare and look up by."""

import re
import unicodedata

_ADDRESS = re.compile(r"""[^\s<>"'(),:;=]+@[^\s<>"'(),:;]+""")


def canonical(address: str) -> str:
    """The spelling under which two addresses are the same person's.

    Case is ignored on both sides of the @: no provider of note tells ``Ada@`` from
    ``ada@``, and people type both. Nothing else is: dots and ``+tags`` mean something
    at some providers.
    """
    return unicodedata.normalize("NFC", address.strip()).casefold()


def without_addresses(text: str) -> str:
    """A text that others wrote, such as a mail server, fit for a log."""
    return _ADDRESS.sub("[address]", text)
