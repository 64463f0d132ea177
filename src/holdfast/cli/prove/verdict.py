"""What came of one promise: how often it was looked at, and where it was broken."""

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """One promise."""

    promise: str
    checked: int
    """How many things were looked at; a promise about nothing is worth nothing."""
    broken: list[str]
    """Each violation, in a sentence."""

    @property
    def kept(self) -> bool:
        return not self.broken
