"""What can be wrong with an upload, or with what is asked of one."""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.kernel.errors import Conflict, Invalid, NotFound, Outdated

Reason: TypeAlias = Literal["empty", "svg", "unsupported", "broken", "too-many-pixels"]


@dataclass(eq=False)
class MediaInvalid(Invalid):
    """The file is not a picture that can be taken."""

    reason: Reason
    detail: str


@dataclass(eq=False)
class MediaNotFound(NotFound):
    """There is no such picture."""


@dataclass(eq=False)
class MediaChanged(Outdated):
    """The picture was changed since it was read."""

    version: int


@dataclass(eq=False)
class UploadNotKept(Conflict):
    """The upload of this picture is not kept any more: send it anew."""


@dataclass(eq=False)
class MediaInUse(Conflict):
    """Products or collections still show this picture."""

    product_ids: list[UUID]
    collection_ids: list[UUID]
