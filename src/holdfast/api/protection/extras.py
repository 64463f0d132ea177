"""What an answer can do without, switched off before anybody is turned away.

A handler asks whether there is time for an extra, leaves it out if not, and says so in
the answer: ``"degraded": ["large_pages"]``. An answer that lacks something in silence
would be taken for the whole truth.

An extra goes at the level at which it no longer pays: what is dear at 1, what is cheap
last. From level 3 on there are none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NONE_FROM: Final = 3
"""The level at which the last extra is gone."""


@dataclass(frozen=True, slots=True)
class Extra:
    """Something an answer can do without."""

    name: str
    """A short word, for clients and operators."""
    until: int
    """The first level at which it is left out: 1, 2 or 3."""
    meaning: str
    """What is different without it, in half a sentence."""

    def __post_init__(self) -> None:
        if not 1 <= self.until <= NONE_FROM:
            raise ValueError(f"an extra goes at a level from 1 to {NONE_FROM}")


LARGE_PAGES = Extra("large_pages", 2, "lists of products are cut to 20 a page")
FACETS = Extra("facets", 1, "searches say what they find, but not how it divides")
EXTRAS: Final = (LARGE_PAGES, FACETS)
"""All there are; a module that has one adds it here."""
SMALL_PAGE: Final = 20


class Extras:
    """Whether there is time for them, at the level of the moment."""

    def __init__(self, level: Callable[[], int]) -> None:
        self._level = level

    def has(self, extra: Extra) -> bool:
        """Whether there is time for *extra* now."""
        return self._level() < extra.until

    @property
    def off(self) -> list[Extra]:
        """Those that are left out now."""
        return [extra for extra in EXTRAS if not self.has(extra)]
