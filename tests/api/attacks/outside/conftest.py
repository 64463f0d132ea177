"""A site elsewhere to sign in with."""

from elsewhere import (
    liar,
    listener,
    other_shop,
    registered,
    settings,
    traveller,
)

__all__ = ["liar", "listener", "other_shop", "registered", "settings", "traveller"]
