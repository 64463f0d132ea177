"""Every route there is: who may call it, what it costs, what is shed first.

Add a line to add an endpoint. The lines stand in the order of the paths.
"""

from holdfast.api import categories, images, products
from holdfast.api.policy import Priority, Route
from holdfast.domain import catalog
from holdfast.kernel.page import BadCursor

__all__ = ["ROUTES", "Priority", "Route"]

_WRITING_PRODUCTS = (
    catalog.ProductInvalid,
    catalog.DuplicateHandle,
    catalog.DuplicateSku,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/images/{folder}/{name}",
        images.show,
        cost=1,
        priority=Priority.BROWSE,
        public=True,
        raises=(images.ImageNotFound,),
        documented=False,
    ),
    Route(
        "GET",
        "/v1/categories",
        categories.browse,
        cost=1,
        priority=Priority.BROWSE,
        public=True,
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/categories",
        categories.create,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.CategoryInvalid, catalog.DuplicateHandle),
    ),
    Route(
        "GET",
        "/v1/categories/{category}",
        categories.show,
        cost=1,
        priority=Priority.BROWSE,
        public=True,
        raises=(catalog.CategoryNotFound,),
    ),
    Route(
        "GET",
        "/v1/products",
        products.browse,
        cost=2,
        priority=Priority.BROWSE,
        public=True,
        raises=(BadCursor, catalog.CategoryNotFound),
    ),
    Route(
        "POST",
        "/v1/products",
        products.create,
        cost=3,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=_WRITING_PRODUCTS,
    ),
    Route(
        "GET",
        "/v1/products/{product}",
        products.show,
        cost=1,
        priority=Priority.BROWSE,
        public=True,
        raises=(catalog.ProductNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/products/{product}",
        products.change,
        cost=3,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(catalog.ProductNotFound, *_WRITING_PRODUCTS),
    ),
)
