"""Who did something, as the records of orders and stock name them."""

from holdfast.domain.identity import Caller, Guest

GUEST = "guest"


def actor_of(caller: Caller) -> str:
    """The name of a caller; all guests have one, as they are nobody in particular."""
    return GUEST if isinstance(caller, Guest) else caller.actor
