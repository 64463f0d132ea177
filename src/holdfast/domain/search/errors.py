"""What can be wrong with a question, and with what answers it."""

from dataclasses import dataclass

from holdfast.kernel.errors import Invalid, NotFound, Outdated


@dataclass(eq=False)
class FilterInvalid(Invalid):
    """A filter of the search cannot be understood."""

    parameter: str
    reason: str


@dataclass(eq=False)
class SynonymsInvalid(Invalid):
    """The synonyms break a rule of the search."""

    pointer: str
    reason: str


@dataclass(eq=False)
class SynonymsChanged(Outdated):
    """The synonyms were changed since they were read."""

    version: int


@dataclass(eq=False)
class SynonymsNotFound(NotFound):
    """There are no such synonyms."""
