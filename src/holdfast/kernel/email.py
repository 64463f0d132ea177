"""One spelling for each e-mail address, to compare and look up by."""

import unicodedata


def canonical(address: str) -> str:
    """The spelling under which two addresses are the same person's.

    Case is ignored on both sides of the @: no provider of note tells ``Ada@`` from
    ``ada@``, and people type both. Nothing else is: dots and ``+tags`` mean something
    at some providers.
    """
    return unicodedata.normalize("NFC", address.strip()).casefold()
