"""Webhooks as the Standard Webhooks specification has them, late or twice if told.

``Webhooks(clock)`` is told what happened and sees to it that the target hears of
it: signed, tried again until it answers 2xx, and kept over a restart by whoever
hands in a place to write.
"""

from holdfast.simulators.webhooks.control import routes
from holdfast.simulators.webhooks.delivery import Delivery, Ended, Note, State
from holdfast.simulators.webhooks.outbox import Webhooks
from holdfast.simulators.webhooks.scenario import WebhookScenario
from holdfast.simulators.webhooks.signature import Target

__all__ = [
    "Delivery",
    "Ended",
    "Note",
    "State",
    "Target",
    "WebhookScenario",
    "Webhooks",
    "routes",
]
