"""People at the pages, and clients that ask them to sign in."""

from forging import ask, holder, refused, resigned, signer
from relying import recorded, registered, somebody
from visitors import (
    a_browser,
    a_person,
    ada,
    an_app,
    app,
    browser,
    mailed_link,
)

__all__ = [
    "a_browser",
    "a_person",
    "ada",
    "an_app",
    "app",
    "ask",
    "browser",
    "holder",
    "mailed_link",
    "recorded",
    "refused",
    "registered",
    "resigned",
    "signer",
    "somebody",
]
