"""What a shop shows together, and what is in it."""

from holdfast.api import (
    collected,
    collection_translations,
    collections,
    editions,
)
from holdfast.api.policy import Priority, Route
from holdfast.domain import catalog, search
from holdfast.kernel.page import BadCursor

_CHANGED = (catalog.CollectionChanged, catalog.CollectionNotFound)
_CONDITIONAL = (editions.PreconditionRequired, *_CHANGED)
_KEPT = (catalog.CollectionNotFound, catalog.TranslationNotFound)
_WRITING = (catalog.CollectionInvalid, catalog.DuplicateHandle)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/collections",
        collections.browse,
        cost=2,
        priority=Priority.BROWSE,
        public=True,
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/collections",
        collections.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=_WRITING,
    ),
    Route(
        "GET",
        "/v1/collections/{collection}",
        collections.show,
        cost=1,
        priority=Priority.BROWSE,
        public=True,
        raises=(catalog.CollectionNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/collections/{collection}",
        collections.change,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(*_WRITING, *_CONDITIONAL),
    ),
    Route(
        "DELETE",
        "/v1/collections/{collection}",
        collections.delete,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=_CONDITIONAL,
    ),
    Route(
        "GET",
        "/v1/collections/{collection}/history",
        collections.history,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(BadCursor, catalog.CollectionNotFound),
    ),
    Route(
        "GET",
        "/v1/collections/{collection}/products",
        collections.products,
        cost=5,
        priority=Priority.BROWSE,
        public=True,
        raises=(BadCursor, catalog.CollectionNotFound, search.FilterInvalid),
    ),
    Route(
        "PUT",
        "/v1/collections/{collection}/products",
        collected.replace,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.CollectionInvalid, catalog.CollectionByRule, *_CONDITIONAL),
    ),
    Route(
        "POST",
        "/v1/collections/{collection}/products",
        collected.add,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.CollectionInvalid, catalog.CollectionByRule, *_CHANGED),
    ),
    Route(
        "PATCH",
        "/v1/collections/{collection}/products/{product}",
        collected.move,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.NotInCollection, catalog.CollectionByRule, *_CONDITIONAL),
    ),
    Route(
        "DELETE",
        "/v1/collections/{collection}/products/{product}",
        collected.remove,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.NotInCollection, catalog.CollectionByRule, *_CONDITIONAL),
    ),
    Route(
        "GET",
        "/v1/collections/{collection}/translations",
        collection_translations.browse,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(catalog.CollectionNotFound,),
    ),
    Route(
        "GET",
        "/v1/collections/{collection}/translations/{locale}",
        collection_translations.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=_KEPT,
    ),
    Route(
        "PUT",
        "/v1/collections/{collection}/translations/{locale}",
        collection_translations.replace,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(
            *(catalog.TranslationInvalid, catalog.TooManyTranslations),
            *_CONDITIONAL,
        ),
    ),
    Route(
        "DELETE",
        "/v1/collections/{collection}/translations/{locale}",
        collection_translations.delete,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.TranslationNotFound, *_CONDITIONAL),
    ),
)
