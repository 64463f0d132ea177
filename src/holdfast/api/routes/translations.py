"""Saying of what is sold in other languages what the shop says in its own."""

from holdfast.api import editions, translations
from holdfast.api.policy import Priority, Route
from holdfast.domain import catalog

_KEPT = (catalog.ProductNotFound, catalog.TranslationNotFound)
_PUT = (catalog.TranslationInvalid, catalog.TooManyTranslations)
_CONDITIONAL = (editions.PreconditionRequired, catalog.ProductChanged)
_CATEGORY_KEPT = (catalog.CategoryNotFound, catalog.TranslationNotFound)
_CATEGORY_CONDITIONAL = (editions.PreconditionRequired, catalog.CategoryChanged)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/categories/{category}/translations",
        translations.browse_category,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(catalog.CategoryNotFound,),
    ),
    Route(
        "GET",
        "/v1/categories/{category}/translations/{locale}",
        translations.show_category,
        cost=1,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=_CATEGORY_KEPT,
    ),
    Route(
        "PUT",
        "/v1/categories/{category}/translations/{locale}",
        translations.replace_category,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.CategoryNotFound, *_PUT, *_CATEGORY_CONDITIONAL),
    ),
    Route(
        "DELETE",
        "/v1/categories/{category}/translations/{locale}",
        translations.delete_category,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(*_CATEGORY_KEPT, *_CATEGORY_CONDITIONAL),
    ),
    Route(
        "GET",
        "/v1/products/{product}/translations",
        translations.browse,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(catalog.ProductNotFound,),
    ),
    Route(
        "GET",
        "/v1/products/{product}/translations/{locale}",
        translations.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=_KEPT,
    ),
    Route(
        "PUT",
        "/v1/products/{product}/translations/{locale}",
        translations.replace,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.ProductNotFound, *_PUT, *_CONDITIONAL),
    ),
    Route(
        "DELETE",
        "/v1/products/{product}/translations/{locale}",
        translations.delete,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(*_KEPT, *_CONDITIONAL),
    ),
)
