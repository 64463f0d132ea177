"""Files of products, in and out."""

from holdfast.api import exports, imports
from holdfast.api.policy import Priority, Route
from holdfast.api.problems import UnsupportedMediaType
from holdfast.domain.imports import ImportEnded, ImportFileEmpty, ImportNotFound
from holdfast.kernel.page import BadCursor

# A gigabyte at ten megabits a second.
_FILE_SECONDS = 900.0

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/exports/products",
        exports.show_products,
        cost=50,
        priority=Priority.OPERATE,
        of_kind="report",
        seconds=_FILE_SECONDS,
        scope="products:read",
    ),
    Route(
        "GET",
        "/v1/imports",
        imports.browse,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/imports",
        imports.create,
        cost=50,
        priority=Priority.OPERATE,
        of_kind="upload",
        seconds=_FILE_SECONDS,
        body_limit_bytes=imports.MAX_FILE_BYTES,
        scope="products:write",
        # Whatever is asked for: what is new comes with its stock.
        also="inventory:write",
        claims="explicit",
        raises=(ImportFileEmpty, ImportEnded, UnsupportedMediaType),
    ),
    Route(
        "GET",
        "/v1/imports/{import_id:uuid}",
        imports.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(ImportNotFound,),
    ),
    Route(
        "POST",
        "/v1/imports/{import_id:uuid}/cancel",
        imports.cancel,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        status=200,
        raises=(ImportNotFound, ImportEnded),
    ),
    Route(
        "GET",
        "/v1/imports/{import_id:uuid}/errors",
        imports.show_errors,
        cost=5,
        priority=Priority.OPERATE,
        of_kind="report",
        scope="products:read",
        raises=(ImportNotFound,),
    ),
)
