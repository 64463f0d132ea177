"""What products are described and put together by."""

from holdfast.api import attribute_translations, attributes, editions, related
from holdfast.api.policy import Priority, Route
from holdfast.domain import catalog
from holdfast.kernel.page import BadCursor

_TRANSLATED = (
    editions.PreconditionRequired,
    catalog.AttributeChanged,
    catalog.AttributeNotFound,
)
_ATTRIBUTE = (*_TRANSLATED, catalog.AttributeInUse)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/attributes",
        attributes.browse,
        cost=2,
        priority=Priority.BROWSE,
        public=True,
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/attributes",
        attributes.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.AttributeInvalid, catalog.DuplicateAttribute),
    ),
    Route(
        "GET",
        "/v1/attributes/{code}",
        attributes.show,
        cost=1,
        priority=Priority.BROWSE,
        public=True,
        raises=(catalog.AttributeNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/attributes/{code}",
        attributes.change,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.AttributeInvalid, *_ATTRIBUTE),
    ),
    Route(
        "DELETE",
        "/v1/attributes/{code}",
        attributes.delete,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=_ATTRIBUTE,
    ),
    Route(
        "GET",
        "/v1/attributes/{code}/history",
        attributes.history,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(BadCursor, catalog.AttributeNotFound),
    ),
    Route(
        "GET",
        "/v1/attributes/{code}/translations",
        attribute_translations.browse,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(catalog.AttributeNotFound,),
    ),
    Route(
        "GET",
        "/v1/attributes/{code}/translations/{locale}",
        attribute_translations.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(catalog.AttributeNotFound, catalog.TranslationNotFound),
    ),
    Route(
        "PUT",
        "/v1/attributes/{code}/translations/{locale}",
        attribute_translations.replace,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(
            *(catalog.TranslationInvalid, catalog.TooManyTranslations),
            *_TRANSLATED,
        ),
    ),
    Route(
        "DELETE",
        "/v1/attributes/{code}/translations/{locale}",
        attribute_translations.delete,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.TranslationNotFound, *_TRANSLATED),
    ),
    Route(
        "GET",
        "/v1/products/{product}/related",
        related.show,
        cost=2,
        priority=Priority.BROWSE,
        public=True,
        raises=(catalog.ProductNotFound,),
    ),
    Route(
        "PUT",
        "/v1/products/{product}/related",
        related.replace,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(
            *(editions.PreconditionRequired, catalog.ProductChanged),
            *(catalog.ProductNotFound, catalog.ProductInvalid),
        ),
    ),
)
