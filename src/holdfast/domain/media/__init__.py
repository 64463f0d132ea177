"""Pictures that people upload, and what is drawn from them.

An upload is inspected without being decoded, kept in the shop's storage, drawn anew by
the worker in sizes and formats that are the only things ever served, and then removed.
A picture that no product shows can be removed, and its files with it.
"""

from holdfast.domain.media.errors import MediaInUse, MediaInvalid, MediaNotFound
from holdfast.domain.media.inspection import inspect
from holdfast.domain.media.model import (
    FORMATS,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    NAMES,
    ORIGINAL,
    SIDES,
    STATUSES,
    Asset,
    Kind,
    Picture,
    Rendition,
    Status,
    Upload,
    file_name_of,
    path_of,
)
from holdfast.domain.media.store import (
    ARRIVES_WITHIN,
    SWEPT_AGAIN_AFTER,
    Litter,
    add,
    arrived,
    bury,
    describe,
    find,
    give_up,
    litter,
    lock,
    mark_failed,
    mark_ready,
    note_swept,
    page,
    remove,
)
from holdfast.domain.media.studio import (
    CannotDraw,
    Drawing,
    DrawingInterrupted,
    Studio,
)

__all__ = [
    "ARRIVES_WITHIN",
    "FORMATS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "NAMES",
    "ORIGINAL",
    "SIDES",
    "STATUSES",
    "SWEPT_AGAIN_AFTER",
    "Asset",
    "CannotDraw",
    "Drawing",
    "DrawingInterrupted",
    "Kind",
    "Litter",
    "MediaInUse",
    "MediaInvalid",
    "MediaNotFound",
    "Picture",
    "Rendition",
    "Status",
    "Studio",
    "Upload",
    "add",
    "arrived",
    "bury",
    "describe",
    "file_name_of",
    "find",
    "give_up",
    "inspect",
    "litter",
    "lock",
    "mark_failed",
    "mark_ready",
    "note_swept",
    "page",
    "path_of",
    "remove",
]
