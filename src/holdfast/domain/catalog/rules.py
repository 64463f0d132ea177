"""Everything that can be wrong with what somebody wants a product to be.

The rules are checked as a whole, so that a client learns of every fault at
once; each fault carries the JSON pointer of the field it is about. What only
the database knows (whether a SKU or handle is taken) is not checked here.

Bounded: of a list that is too long no more is said than that, and of many faults the
first are told.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.drafts import Draft, VariantDraft
from holdfast.domain.catalog.errors import Fault, first_faults
from holdfast.domain.catalog.html import MAX_HTML, sanitise
from holdfast.domain.catalog.model import (
    MAX_MARKS,
    MAX_TEXT,
    STATUSES,
    Image,
    Option,
    is_handle,
    is_heaped,
    is_line,
)
from holdfast.kernel.moments import OFF_CALENDAR, on_calendar
from holdfast.kernel.money import CURRENCIES, MAX_AMOUNT, Money

MAX_VARIANTS = 2_000
MAX_OPTIONS = 3
MAX_TAGS = 250
MAX_IMAGES = 250
MAX_CATEGORIES = 50
MAX_ALT = 512
MAX_URL = 2_048
MAX_PIXELS = 100_000
MAX_SEO = 1_024
MAX_POSITION = 10**6
MAX_WEIGHT_GRAMS = 10**9
"""A thousand tonnes: more than any carrier takes, less than any sum overflows."""

# An address elsewhere, or one of the shop's own pictures.
_IMAGE_URL = re.compile(r"(?:https?://[^\s/\\]|/images/)[^\s\\\x00-\x1f]*")


@dataclass(frozen=True, slots=True)
class NewCategory:
    """What somebody wants a category to be."""

    handle: str
    name: str
    position: int = 0
    parent_id: UUID | None = None
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""

    def cleaned(self) -> "NewCategory":
        """The same with its HTML made harmless."""
        return replace(self, description_html=sanitise(self.description_html))

    def faults(self) -> list[Fault]:
        """Every rule it breaks by itself; its place in the tree is checked there."""
        found = [
            *handle_faults(self.handle),
            *line_faults(self.name, "/name"),
            *html_faults(self.description_html),
            *seo_faults(self.seo_title, self.seo_description),
        ]
        if not 0 <= self.position <= MAX_POSITION:
            found.append(Fault("/position", f"must be 0 to {MAX_POSITION}"))
        return found


def faults(draft: Draft) -> list[Fault]:
    """The rules that *draft* breaks; empty when it may go in."""
    return first_faults(_faults(draft))


def _faults(draft: Draft) -> Iterator[Fault]:
    yield from _texts(draft)
    yield from _times(draft)
    yield from _tags(draft.tags)
    yield from _options(draft.options)
    yield from _images(draft.images)
    yield from _categories(draft.categories)
    yield from _variants(draft)


def handle_faults(handle: str) -> Iterator[Fault]:
    if not is_handle(handle):
        yield Fault(
            "/handle",
            "must be 1 to 255 lower-case letters, digits and single hyphens, "
            "and not look like an id",
        )


def line_faults(text: str, pointer: str, *, least: int = 1) -> Iterator[Fault]:
    """A text of *least* to 255 characters in one line, without space around it."""
    if not least <= len(text) <= MAX_TEXT:
        yield Fault(pointer, f"must have {least} to {MAX_TEXT} characters")
    elif text != text.strip():
        yield Fault(pointer, "must not begin or end with space")
    elif not is_line(text):
        yield Fault(pointer, "must be one line without control characters")


def html_faults(html: str, pointer: str = "/description_html") -> Iterator[Fault]:
    """A text with markup, which ``sanitise`` has made harmless."""
    if len(html) > MAX_HTML:
        yield Fault(pointer, f"must have at most {MAX_HTML} characters")
    elif is_heaped(html):
        yield Fault(pointer, f"must have at most {MAX_MARKS} marks on one letter")


def seo_faults(title: str, description: str) -> Iterator[Fault]:
    """What search engines are shown instead of the title and the description."""
    yield from line_faults(title, "/seo_title", least=0)
    if len(description) > MAX_SEO or not is_line(description):
        yield Fault("/seo_description", f"must be one line of at most {MAX_SEO}")


def schedule_faults(on: datetime | None, off: datetime | None) -> Iterator[Fault]:
    """From when something is shown, and until when."""
    wrong = [
        *moment_faults(on, "/publish_at"),
        *moment_faults(off, "/unpublish_at"),
    ]
    yield from wrong
    if not wrong and on is not None and off is not None and off <= on:
        yield Fault("/unpublish_at", "must be after publish_at")


def moment_faults(moment: datetime | None, pointer: str) -> Iterator[Fault]:
    """A moment, if there is one."""
    if moment is None:
        return
    if moment.tzinfo is None:
        yield Fault(pointer, "must say its time zone")
    elif not on_calendar(moment):
        yield Fault(pointer, OFF_CALENDAR)


def _texts(draft: Draft) -> Iterator[Fault]:
    yield from line_faults(draft.title, "/title")
    yield from handle_faults(draft.handle)
    yield from line_faults(draft.vendor, "/vendor", least=0)
    yield from line_faults(draft.product_type, "/product_type", least=0)
    yield from html_faults(draft.description_html)
    yield from seo_faults(draft.seo_title, draft.seo_description)
    if draft.status not in STATUSES:
        yield Fault("/status", f"must be one of {', '.join(STATUSES)}")


def _times(draft: Draft) -> Iterator[Fault]:
    if draft.status == "scheduled" and draft.publish_at is None:
        yield Fault("/publish_at", "must be given for what is scheduled")
    yield from schedule_faults(draft.publish_at, draft.unpublish_at)


def _tags(tags: Sequence[str]) -> Iterator[Fault]:
    if len(tags) > MAX_TAGS:
        yield Fault("/tags", f"must be at most {MAX_TAGS}")
        return
    for index, tag in enumerate(tags):
        yield from line_faults(tag, f"/tags/{index}")
    yield from _repeated(tags, "/tags/{}")


def _options(options: Sequence[Option]) -> Iterator[Fault]:
    if len(options) > MAX_OPTIONS:
        yield Fault("/options", f"must be at most {MAX_OPTIONS}")
        return
    yield from _repeated([option.name for option in options], "/options/{}/name")
    for index, option in enumerate(options):
        here = f"/options/{index}"
        yield from line_faults(option.name, f"{here}/name")
        if not option.values:
            yield Fault(f"{here}/values", "must have at least one value")
        if len(option.values) > MAX_VARIANTS:
            yield Fault(f"{here}/values", f"must be at most {MAX_VARIANTS}")
            continue
        for place, value in enumerate(option.values):
            yield from line_faults(value, f"{here}/values/{place}")
        yield from _repeated(option.values, f"{here}/values/{{}}")


def _images(images: Sequence[Image]) -> Iterator[Fault]:
    if len(images) > MAX_IMAGES:
        yield Fault("/images", f"must be at most {MAX_IMAGES}")
        return
    for index, image in enumerate(images):
        here = f"/images/{index}"
        if len(image.url) > MAX_URL or not _IMAGE_URL.fullmatch(image.url):
            yield Fault(
                f"{here}/url",
                f"must be an http(s) address of at most {MAX_URL} characters "
                "or begin with /images/",
            )
        if len(image.alt) > MAX_ALT or not is_line(image.alt):
            yield Fault(f"{here}/alt", f"must be one line of at most {MAX_ALT}")
        for name, pixels in (("width", image.width), ("height", image.height)):
            if pixels is not None and not 0 < pixels <= MAX_PIXELS:
                yield Fault(f"{here}/{name}", f"must be 1 to {MAX_PIXELS} pixels")


def _categories(handles: Sequence[str]) -> Iterator[Fault]:
    if len(handles) > MAX_CATEGORIES:
        yield Fault("/categories", f"must be at most {MAX_CATEGORIES}")
        return
    for index, handle in enumerate(handles):
        if not is_handle(handle):
            yield Fault(f"/categories/{index}", "must be the handle of a category")
    yield from _repeated(handles, "/categories/{}")


def _variants(draft: Draft) -> Iterator[Fault]:
    if not 1 <= len(draft.variants) <= MAX_VARIANTS:
        yield Fault("/variants", f"must be 1 to {MAX_VARIANTS}")
        return
    yield from _repeated([v.sku for v in draft.variants], "/variants/{}/sku")
    currencies = {v.price.currency for v in draft.variants}
    shown = {image.id for image in draft.images if image.id is not None}
    for index, variant in enumerate(draft.variants):
        here = f"/variants/{index}"
        yield from line_faults(variant.sku, f"{here}/sku")
        yield from price_faults(variant.price, variant.compare_at_price, here)
        if not 0 <= variant.weight_grams <= MAX_WEIGHT_GRAMS:
            yield Fault(f"{here}/weight_grams", f"must be 0 to {MAX_WEIGHT_GRAMS}")
        if variant.barcode is not None:
            yield from line_faults(variant.barcode, f"{here}/barcode")
        if variant.image_id is not None and variant.image_id not in shown:
            yield Fault(f"{here}/image_id", "must be one of the product's images")
    if len(draft.options) <= MAX_OPTIONS:
        yield from _combinations(draft)
    if len(currencies) > 1:
        yield Fault("/variants", "must all be priced in one currency")


def _combinations(draft: Draft) -> Iterator[Fault]:
    """Each variant has a value of each option, and no two have the same."""
    values = {option.name: frozenset(option.values) for option in draft.options}
    seen = set[tuple[str | None, ...]]()
    for index, variant in enumerate(draft.variants):
        here = f"/variants/{index}"
        yield from _choices(variant, values, here)
        combination = tuple(variant.options.get(name) for name in values)
        if combination in seen:
            yield Fault(f"{here}/options", "are those of another variant")
        seen.add(combination)


def price_faults(price: Money, compare_at: Money | None, here: str) -> Iterator[Fault]:
    """A price and what it is compared with, in one currency."""
    if price.currency not in CURRENCIES:
        yield Fault(f"{here}/price/currency", "must be an ISO 4217 currency")
    if not 0 <= price.amount <= MAX_AMOUNT:
        yield Fault(f"{here}/price/amount", f"must be 0 to {MAX_AMOUNT}")
    if compare_at is None:
        return
    if compare_at.currency != price.currency:
        yield Fault(f"{here}/compare_at_price/currency", "must be that of the price")
    if not 0 <= compare_at.amount <= MAX_AMOUNT:
        yield Fault(f"{here}/compare_at_price/amount", f"must be 0 to {MAX_AMOUNT}")


def _choices(
    variant: VariantDraft, values: Mapping[str, frozenset[str]], here: str
) -> Iterator[Fault]:
    if variant.options.keys() != values.keys():
        # Each fault says so, and a name that is too long may be a megabyte.
        named = ", ".join(name[:MAX_TEXT] for name in values)
        named = named or "none, as the product has no options"
        yield Fault(f"{here}/options", f"must be given for exactly: {named}")
        return
    for name, value in variant.options.items():
        if value not in values[name]:
            yield Fault(
                f"{here}/options/{name.replace('~', '~0').replace('/', '~1')}",
                "is not one of the option's values",
            )


def _repeated(texts: Sequence[str], pointer: str) -> Iterator[Fault]:
    seen = set[str]()
    for index, text in enumerate(texts):
        if text in seen:
            yield Fault(pointer.format(index), "is there twice")
        seen.add(text)
