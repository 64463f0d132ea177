"""What machines ask of a process: does it live, is it ready, what has it counted."""

from litestar import Response

from holdfast.api import health
from holdfast.api.shop import Shop
from holdfast.platform import metrics


async def livez() -> health.Liveness:
    """This process lives; nothing else is looked at."""
    return health.Liveness()


async def readyz(shop: Shop) -> Response[health.Readiness]:
    """Whether this process can serve: 200, or 503 without database or schema.

    Status is `degraded`, with 200, while only Redis is gone: nothing that sells
    depends on it.
    """
    return health.respond(await shop.health.look())


async def expose(shop: Shop) -> Response[bytes]:
    """What has been counted, in Prometheus' text format."""
    return Response(
        shop.metrics.expose(), headers={"Content-Type": metrics.CONTENT_TYPE}
    )
