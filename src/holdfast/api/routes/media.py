"""Pictures of the shop's own."""

from holdfast.api import editions, product_images
from holdfast.api import media as handlers
from holdfast.api.policy import Priority, Route
from holdfast.domain import catalog, media
from holdfast.kernel.page import BadCursor
from holdfast.platform.storage import StorageUnavailable

_CHANGING = (
    catalog.ProductNotFound,
    catalog.ProductChanged,
    catalog.ProductInvalid,
)

_MEDIA = (
    editions.PreconditionRequired,
    media.MediaChanged,
    media.MediaNotFound,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/media",
        handlers.browse,
        cost=2,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/media",
        handlers.create,
        cost=10,
        priority=Priority.OPERATE,
        of_kind="upload",
        seconds=handlers.SECONDS,
        body_limit_bytes=handlers.BODY_LIMIT_BYTES,
        form=handlers.MediaForm,
        claims="explicit",
        scope="products:write",
        raises=(media.MediaInvalid, StorageUnavailable),
    ),
    Route(
        "GET",
        "/v1/media/{media_id:uuid}",
        handlers.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="products:read",
        raises=(media.MediaNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/media/{media_id:uuid}",
        handlers.change,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=_MEDIA,
    ),
    Route(
        "DELETE",
        "/v1/media/{media_id:uuid}",
        handlers.remove,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(media.MediaInUse, *_MEDIA),
    ),
    Route(
        "POST",
        "/v1/media/{media_id:uuid}/draw",
        handlers.draw,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(media.MediaNotFound, media.UploadNotKept),
    ),
    Route(
        "POST",
        "/v1/products/{product}/images",
        product_images.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(media.MediaNotFound, *_CHANGING),
    ),
    Route(
        "PATCH",
        "/v1/products/{product}/images/{image_id:uuid}",
        product_images.change,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(media.MediaNotFound, editions.PreconditionRequired, *_CHANGING),
    ),
    Route(
        "DELETE",
        "/v1/products/{product}/images/{image_id:uuid}",
        product_images.remove,
        cost=5,
        priority=Priority.OPERATE,
        scope="products:write",
        raises=(media.MediaNotFound, editions.PreconditionRequired, *_CHANGING),
    ),
)
