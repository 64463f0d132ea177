"""What the simulators of ``holdfast up`` are told, so that they can tell the shop.

Each start has secrets of its own, unless the environment names some: the simulators
remember none, and nobody else needs them.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.platform.settings import Settings

# Of this option `holdfast simulate` also takes the value from here: what stands on a
# command line, every user of the machine can read.
SECRET_VARIABLE = "HOLDFAST_SIMULATE_WEBHOOK_SECRET"  # noqa: S105 - a name

_PATHS = {"payment": "/v1/webhooks/payments", "carrier": "/v1/webhooks/carrier"}


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where a simulator sends webhooks, and what it signs them with."""

    url: str
    secret: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """For the command line of the simulator."""
        return "--webhook-url", self.url

    @property
    def environ(self) -> Mapping[str, str]:
        """For its environment."""
        return {SECRET_VARIABLE: self.secret}


def targets(settings: Settings, api_url: str) -> dict[str, WebhookTarget]:
    """A target for each simulator, by its name."""
    known = {
        "payment": settings.payment_webhook_secrets,
        "carrier": settings.carrier_webhook_secrets,
    }
    return {
        what: WebhookTarget(
            api_url + path, str(known[what][0]) if known[what] else new_secret()
        )
        for what, path in _PATHS.items()
    }


def new_secret() -> str:
    """A secret as Standard Webhooks write them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
