"""What the carrier says without being asked: believed once its signature is.

A message may come twice, late, or before the shop knows the parcel: the first two
change nothing, the last is refused, and the carrier tells it again.
"""

from collections.abc import Mapping, Sequence

from holdfast.domain import shipping
from holdfast.platform import webhooks
from holdfast.workflows.tracking import Tracking


async def receive(
    tracking: Tracking,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
) -> None:
    """Act on a message of the carrier.

    Raises ``WebhookNotVerified``, ``CarrierMessageUnreadable`` or ``ShipmentNotFound``;
    then nothing has happened. What is about something else is taken and forgotten.
    """
    webhooks.verify(headers, body, secrets, tracking.dispatch.clock())
    try:
        tracked = shipping.read_webhook(body)
    except shipping.CarrierFailed as error:
        raise shipping.CarrierMessageUnreadable from error
    if tracked is not None:
        await tracking.hear(tracked)
