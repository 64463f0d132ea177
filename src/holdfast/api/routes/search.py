"""Finding what is sold, and what people mean by the words they type."""

from holdfast.api import editions, search, synonyms
from holdfast.api.policy import Priority, Route
from holdfast.domain import catalog
from holdfast.domain import search as index
from holdfast.kernel.page import BadCursor

_SYNONYMS = (
    editions.PreconditionRequired,
    index.SynonymsChanged,
    index.SynonymsNotFound,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/search",
        search.find,
        cost=5,
        priority=Priority.BROWSE,
        public=True,
        raises=(
            *(BadCursor, catalog.CategoryNotFound, catalog.CollectionNotFound),
            index.FilterInvalid,
        ),
    ),
    Route(
        "GET",
        "/v1/search/synonyms",
        synonyms.browse,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/search/synonyms",
        synonyms.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(index.SynonymsInvalid,),
    ),
    Route(
        "GET",
        "/v1/search/synonyms/{synonyms_id:uuid}",
        synonyms.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(index.SynonymsNotFound,),
    ),
    Route(
        "PUT",
        "/v1/search/synonyms/{synonyms_id:uuid}",
        synonyms.replace,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(index.SynonymsInvalid, *_SYNONYMS),
    ),
    Route(
        "DELETE",
        "/v1/search/synonyms/{synonyms_id:uuid}",
        synonyms.delete,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=_SYNONYMS,
    ),
    Route(
        "GET",
        "/v1/suggestions",
        search.suggest,
        cost=2,
        priority=Priority.BROWSE,
        public=True,
    ),
)
