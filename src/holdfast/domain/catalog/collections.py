"""Collections: products put together by hand, or by a rule that says what belongs.

A rule is kept as the search writes it, which evaluates it at each read; here it is
data. Who may see a collection follows from its status and the moment, so nobody has to
come by when its time begins or ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args
from uuid import UUID

import msgspec

from holdfast.domain.catalog.errors import Fault
from holdfast.domain.catalog.html import sanitise
from holdfast.domain.catalog.model import is_line
from holdfast.domain.catalog.rules import (
    MAX_ALT,
    MAX_POSITION,
    handle_faults,
    html_faults,
    line_faults,
    schedule_faults,
    seo_faults,
)

CollectionSort: TypeAlias = Literal["manual", "newest", "title", "price", "-price"]
COLLECTION_SORTS: tuple[CollectionSort, ...] = get_args(CollectionSort)
CollectionStatus: TypeAlias = Literal["draft", "active"]


class CollectionImage(msgspec.Struct, frozen=True):
    """The picture of a collection; its size in pixels once it is drawn."""

    media_id: UUID
    url: str
    alt: str
    width: int | None = None
    height: int | None = None


class Collection(msgspec.Struct, frozen=True):
    """Products that a shop shows together."""

    id: UUID
    handle: str
    title: str
    description_html: str
    seo_title: str
    seo_description: str
    image: CollectionImage | None
    status: CollectionStatus
    publish_at: datetime | None
    unpublish_at: datetime | None
    sort: CollectionSort
    position: int
    version: int
    created_at: datetime
    updated_at: datetime
    rule: Any = None
    """What belongs, as the search reads it; None where products are put in by hand."""

    def shown_at(self, moment: datetime) -> bool:
        """Whether buyers see it."""
        return (
            self.status == "active"
            and (self.publish_at is None or self.publish_at <= moment)
            and (self.unpublish_at is None or self.unpublish_at > moment)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionDraft:
    """What somebody wants a collection to be, but for the products put in by hand."""

    handle: str
    title: str
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""
    image_id: UUID | None = None
    image_alt: str = ""
    status: CollectionStatus = "draft"
    publish_at: datetime | None = None
    unpublish_at: datetime | None = None
    sort: CollectionSort = "manual"
    position: int = 0
    rule: Any = None

    def cleaned(self) -> "CollectionDraft":
        """The same with its HTML made harmless, and no text to what is not there."""
        return replace(
            self,
            description_html=sanitise(self.description_html),
            image_alt="" if self.image_id is None else self.image_alt,
        )

    def faults(self) -> Iterator[Fault]:
        """Every rule it breaks, but for what is wrong within its own rule."""
        yield from handle_faults(self.handle)
        yield from line_faults(self.title, "/title")
        yield from html_faults(self.description_html)
        yield from seo_faults(self.seo_title, self.seo_description)
        if len(self.image_alt) > MAX_ALT or not is_line(self.image_alt):
            yield Fault("/image/alt", f"must be one line of at most {MAX_ALT}")
        if not 0 <= self.position <= MAX_POSITION:
            yield Fault("/position", f"must be 0 to {MAX_POSITION}")
        if self.rule is not None and self.sort == "manual":
            yield Fault("/sort", "must not be manual where a rule says what belongs")
        yield from schedule_faults(self.publish_at, self.unpublish_at)


def draft_of_collection(collection: Collection) -> CollectionDraft:
    """What a collection would be a draft of: the starting point of a change."""
    image = collection.image
    return CollectionDraft(
        handle=collection.handle,
        title=collection.title,
        description_html=collection.description_html,
        seo_title=collection.seo_title,
        seo_description=collection.seo_description,
        image_id=None if image is None else image.media_id,
        image_alt="" if image is None else image.alt,
        status=collection.status,
        publish_at=collection.publish_at,
        unpublish_at=collection.unpublish_at,
        sort=collection.sort,
        position=collection.position,
        rule=collection.rule,
    )
