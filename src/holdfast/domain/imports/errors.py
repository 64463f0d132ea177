"""What can be wrong with an import as a whole; what is wrong in its file is a fault."""

from dataclasses import dataclass

from holdfast.kernel.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class ImportNotFound(NotFound):
    """There is no such import."""


@dataclass(eq=False)
class ImportEnded(Conflict):
    """The import has ended already."""

    import_status: str


@dataclass(eq=False)
class ImportFileEmpty(Invalid):
    """The request brought no file."""
