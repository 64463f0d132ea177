"""Search: what people look for, what narrows it, and what they may be typing.

A page takes three statements: what is known of the words that were typed; what
matches, with its facets and the products as they are now; and what they cost whoever
asks. With a currency each variant has its `offer` in it; with a collection there is one
more, which reads what belongs. Suggestions take no longer
than a key stroke and show no more than what is on sale.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Response

from holdfast.api import collections, languages, offers
from holdfast.api.editions import IfNoneMatch
from holdfast.api.languages import AcceptLanguage
from holdfast.api.listing import After, Limit, listing_of_json
from holdfast.api.protection import extras
from holdfast.api.shop import Shop
from holdfast.domain import catalog, search
from holdfast.domain.identity import Caller, may
from holdfast.kernel.page import DEFAULT_LIMIT

_PATH = "/v1/search"
_MAX_QUERY = 200
_MAX_FILTER = 2_000

Typed = Annotated[
    str,
    msgspec.Meta(
        max_length=_MAX_QUERY,
        description='What somebody typed; "a phrase", -not, this or that.',
    ),
]
Typing = Annotated[
    str, msgspec.Meta(max_length=_MAX_QUERY, description="What is typed so far.")
]
Language = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)",
        max_length=35,
        description="Of the words that were typed, as a language tag; without it, "
        "what Accept-Language wants most.",
        examples=["de", "pt-BR"],
    ),
]
CategoryKey = Annotated[
    str,
    msgspec.Meta(
        max_length=255,
        description="Id or handle of a category; what is below it counts as well.",
    ),
]
Values = Annotated[
    str,
    msgspec.Meta(
        max_length=_MAX_FILTER,
        description='Any of these: Acme,"Bolt, Inc."',
        examples=['Acme,"Bolt, Inc."'],
    ),
]
Named = Annotated[
    str,
    msgspec.Meta(
        max_length=_MAX_FILTER,
        description="For each name any of its values: Size:S,M;Colour:Red",
        examples=["Size:S,M;Colour:Red"],
    ),
]
Attributes = Annotated[
    str,
    msgspec.Meta(
        max_length=_MAX_FILTER,
        description="The same; numbers and days from the one to the other: "
        "wood:oak,elm;height:10..20;picked:2026-01-01..",
        examples=["wood:oak,elm;height:10..20"],
    ),
]
Amount = Annotated[
    int, msgspec.Meta(ge=0, le=2**63 - 1, description="In minor units of the currency.")
]
Currency = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Z]{3}$(?!\n)",
        description="Of the prices; needed where one is named.",
    ),
]
Suggested = Annotated[int, msgspec.Meta(ge=1, le=20, description="How many of each.")]


class FacetValue(msgspec.Struct, frozen=True):
    """A value of a facet."""

    value: str
    count: int
    """How many are shown if it is chosen, beside the others chosen of this facet."""
    chosen: bool


class Facet(msgspec.Struct, frozen=True):
    """What the matches can be told apart by: `vendor`, `tag`, `option.Size`."""

    name: str
    values: list[FacetValue]


class PriceRange(msgspec.Struct, frozen=True):
    """From what to what the matches cost, in minor units."""

    currency: str
    low: int
    high: int


class Matches(msgspec.Struct, frozen=True):
    """How many there are."""

    count: int
    exact: bool
    """False if this and the facets are estimates, of two digits: some 1,000 are counted
    one by one, and of more a sample."""


class Availability(msgspec.Struct, frozen=True):
    """How many of the matches can be bought at this moment, and how many cannot."""

    available: int
    unavailable: int
    exact: bool
    """False if these are estimates: 100 matches are looked at, of more a sample."""


class SearchPage(msgspec.Struct, frozen=True):
    """One page of what was found."""

    items: list[offers.OfferedProduct]
    next: str | None
    corrections: dict[str, list[str]]
    """What was taken for a typing error, and what for."""
    relaxed: bool
    """Whether nothing has all the words, and this has some of them."""
    matches: Matches | msgspec.UnsetType = msgspec.UNSET
    facets: list[Facet] | msgspec.UnsetType = msgspec.UNSET
    prices: list[PriceRange] | msgspec.UnsetType = msgspec.UNSET
    availability: Availability | msgspec.UnsetType = msgspec.UNSET
    degraded: list[str] | msgspec.UnsetType = msgspec.UNSET
    """What was left out under load; absent where nothing was."""


class SuggestedProduct(msgspec.Struct, frozen=True):
    """A product that somebody may be typing the name of."""

    id: str
    handle: str
    title: str


class Suggestions(msgspec.Struct, frozen=True):
    """What somebody may be typing."""

    queries: list[str]
    products: list[SuggestedProduct]


Page = Annotated[Response[Any], SearchPage]


async def find(
    shop: Shop,
    caller: Caller,
    *,
    q: Typed | None = None,
    language: Language | None = None,
    sort: search.Sort | None = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    category: CategoryKey | None = None,
    collection: collections.Key | None = None,
    vendor: Values | None = None,
    product_type: Values | None = None,
    tag: Values | None = None,
    option: Named | None = None,
    attribute: Attributes | None = None,
    price_min: Amount | None = None,
    price_max: Amount | None = None,
    currency: Currency | None = None,
    available: bool | None = None,
    status: catalog.Status | None = None,
    facets: bool = False,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Page:
    """Find products by what somebody typed and chose.

    Of the values of one facet any will do, and each facet counts. With `facets=true`
    the answer says how many matches have which value.
    """
    asked_for = {
        "q": q,
        "language": language,
        "sort": sort,
        "limit": limit,
        "category": category,
        "collection": collection,
        "vendor": vendor,
        "product_type": product_type,
        "tag": tag,
        "option": option,
        "attribute": attribute,
        "price_min": price_min,
        "price_max": price_max,
        "currency": currency,
        "available": _word(available),
        "status": status,
        "facets": _word(facets or None),
    }
    chosen = search.read_chosen(
        {
            "vendor": vendor,
            "product_type": product_type,
            "tag": tag,
            "option": option,
            "attribute": attribute,
        }
    )
    among = None
    if collection is not None:
        found_in = await collections.find(shop, caller, collection)
        among = collections.among(shop, found_in)
    filters = search.Filters(
        among=among,
        status=_shown(caller, status),
        category_id=None if category is None else catalog.parse_id(category),
        category=category,
        prices=_prices(price_min, price_max, currency),
        available=available,
        chosen=chosen,
        measures=search.read_measures(attribute),
    )
    degraded = []
    if limit > extras.SMALL_PAGE and not shop.load.extras.has(extras.LARGE_PAGES):
        limit = extras.SMALL_PAGE
        degraded.append(extras.LARGE_PAGES.name)
    if facets and not shop.load.extras.has(extras.FACETS):
        facets = False
        degraded.append(extras.FACETS.name)
    asked = None
    if q is not None and q.strip():
        on_sale = filters.status == "active"
        asked = await shop.finder.understand(q, on_sale=on_sale)
    wanted = languages.wanted(shop, accept_language)
    found = await shop.finder.find(
        asked,
        filters,
        sort=sort or "relevance",
        language=language or languages.first(shop, wanted),
        now=shop.clock(),
        after=after,
        limit=limit,
        facets=facets,
        spoken=() if wanted is None else wanted.tags,
    )
    if not found.shelf:
        raise catalog.CategoryNotFound
    if not found.measured:
        raise search.FilterInvalid(
            "attribute", "a range is for numbers and dates that can be filtered by"
        )
    if not found.defined:
        raise search.FilterInvalid(
            "attribute", "must be of attributes that can be filtered by"
        )
    documents = [catalog.document(row, wanted) for row in found.documents]
    items = ",".join(document.json for document in documents)
    listed = listing_of_json(
        await offers.on_many(shop, caller, items, currency),
        found.next,
        _PATH,
        degraded,
        _besides(asked, found),
        **asked_for,
    )
    return languages.answer(
        *(shop, listed.content, languages.of(shop, documents)),
        if_none_match=if_none_match,
        headers=listed.headers,
    )


async def suggest(
    shop: Shop,
    q: Typing,
    *,
    language: Language | None = None,
    limit: Suggested = 8,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Suggestions]:
    """Say what somebody may be typing: words that go on so, and products."""
    wanted = languages.wanted(shop, accept_language)
    queries, products = await shop.finder.suggest(
        q,
        language=language or languages.first(shop, wanted),
        now=shop.clock(),
        limit=limit,
        spoken=() if wanted is None else wanted.tags,
    )
    shown, spoken = [], []
    for product in products:
        title, language = languages.called(shop, product, wanted)
        shown.append(SuggestedProduct(str(product.id), product.handle, title))
        spoken.append(language)
    body = msgspec.json.encode(Suggestions(queries, shown))
    return languages.answer(
        *(shop, body, tuple(dict.fromkeys(spoken))), if_none_match=if_none_match
    )


def _shown(caller: Caller, status: catalog.Status | None) -> str | None:
    """The status to look for; what is not on sale is there for operators alone."""
    if may(caller, "products:read"):
        return status
    if status not in (None, "active"):
        raise search.FilterInvalid("status", "only what is on sale is shown")
    return "active"


def _prices(
    low: int | None, high: int | None, currency: str | None
) -> search.Prices | None:
    if low is None and high is None and currency is None:
        return None
    if currency is None:
        raise search.FilterInvalid("currency", "must be there with a price")
    prices = search.Prices(currency)
    return search.Prices(
        currency,
        prices.low if low is None else low,
        prices.high if high is None else high,
    )


def _word(said: bool | None) -> str | None:  # noqa: FBT001 - as a parameter says it
    return None if said is None else str(said).lower()


def _besides(asked: search.Asked | None, found: search.Found) -> str:
    """The members of the answer beside its items."""
    question = None if asked is None else asked.question
    corrections = (question and question.corrections) or {}
    besides: dict[str, object] = {"corrections": corrections, "relaxed": found.relaxed}
    if (told := found.facets) is not None:
        besides["matches"] = Matches(told.count, told.exact)
        besides["facets"] = _facets(told)
        besides["prices"] = [PriceRange(*prices) for prices in told.prices]
        besides["availability"] = _availability(told)
    return "," + msgspec.json.encode(besides).decode()[1:-1]


def _availability(told: search.Facets) -> Availability:
    counts = {each.can_be: each.count for each in told.bought}
    exact = all(each.exact for each in told.bought)
    return Availability(counts.get(True, 0), counts.get(False, 0), exact)


def _facets(told: search.Facets) -> list[Facet]:
    by_name: Mapping[str, list[FacetValue]] = {v.name: [] for v in told.values}
    for value in told.values:
        shown = FacetValue(value.value, value.count, value.chosen)
        by_name[value.name].append(shown)
    return [Facet(name, values) for name, values in by_name.items()]
