"""The endpoints that aim webhooks, show them and make them misbehave."""

from urllib.parse import parse_qs

import msgspec

from holdfast.simulators.register import number
from holdfast.simulators.web import Problem, Reply, Request, Route, json_reply
from holdfast.simulators.webhooks.delivery import Delivery
from holdfast.simulators.webhooks.outbox import Webhooks
from holdfast.simulators.webhooks.scenario import WebhookScenario
from holdfast.simulators.webhooks.signature import Target

_TARGET = msgspec.json.Decoder(Target)
_SCENARIO = msgspec.json.Decoder(WebhookScenario)
_MOST = 100


def routes(webhooks: Webhooks) -> tuple[Route, ...]:
    control = _Control(webhooks)
    return (
        Route("PUT", "/control/webhook", control.aim),
        Route("GET", "/control/webhook", control.target),
        Route("DELETE", "/control/webhook", control.stop),
        Route("PUT", "/control/webhook/scenario", control.put_scenario),
        Route("DELETE", "/control/webhook/scenario", control.delete_scenario),
        Route("GET", "/control/webhooks", control.deliveries),
        Route("POST", "/control/webhooks/{}/redeliver", control.redeliver),
        Route("GET", "/control/webhooks/{}", control.delivery),
    )


class _Control:
    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def aim(self, request: Request) -> Reply:
        target = await request.read(_TARGET)
        self._webhooks.set_target(target)
        return await self.target(request)

    async def target(self, _: Request) -> Reply:
        target = self._webhooks.target
        return json_reply(
            {
                "url": target.url if target else None,
                "scenario": self._webhooks.scenario,
            }
        )

    async def stop(self, _: Request) -> Reply:
        self._webhooks.set_target(None)
        return Reply(204)

    async def put_scenario(self, request: Request) -> Reply:
        scenario = await request.read(_SCENARIO)
        self._webhooks.set_scenario(scenario)
        return await self.target(request)

    async def delete_scenario(self, _: Request) -> Reply:
        self._webhooks.set_scenario(None)
        return Reply(204)

    async def deliveries(self, request: Request) -> Reply:
        query = parse_qs(str(request.scope["query_string"], "latin-1"))
        most = len(self._webhooks)
        limit = number(query, "limit", default=20, low=1, high=_MOST)
        start = number(query, "after", default=0, low=0, high=most)
        found = self._webhooks.newest(start=start, limit=limit)
        end = start + len(found)
        return json_reply(
            {
                "items": [delivery.shown() for delivery in found],
                "next": str(end) if end < most else None,
            }
        )

    async def delivery(self, request: Request) -> Reply:
        delivery = self._find(request)
        return json_reply({**delivery.shown(), "payload": msgspec.Raw(delivery.body)})

    async def redeliver(self, request: Request) -> Reply:
        delivery = self._find(request)
        self._webhooks.redeliver(delivery)
        return json_reply(delivery.shown(), status=202)

    def _find(self, request: Request) -> Delivery:
        delivery = self._webhooks.find(request.path_values[0])
        if delivery is None:
            raise Problem(404, "webhook-not-found", "There is no such webhook.")
        return delivery
