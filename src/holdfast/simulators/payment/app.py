"""The payment provider's HTTP interface.

Charges follow the scenario that is on, and otherwise their payment method;
lookups and cancellations always behave, so that the truth can be asked for.
"""

import re
from urllib.parse import parse_qs

import msgspec

from holdfast.simulators import control
from holdfast.simulators.page import page, scenario_table, table
from holdfast.simulators.payment.charge import Charge, ChargeRequest
from holdfast.simulators.payment.ledger import KeyReused, Ledger, LedgerFull
from holdfast.simulators.payment.methods import METHODS
from holdfast.simulators.scenario import Fate, Stage
from holdfast.simulators.web import App, Problem, Reply, Request, Route, json_reply

_REQUEST = msgspec.json.Decoder(ChargeRequest)
_KEY = re.compile(r'("?)(?P<key>[!#-\[\]-~]{1,255})\1')
_MAX_PAGE = 100
_SHOWN = 50


def build(ledger: Ledger, *, stage: Stage | None = None) -> App:
    stage = stage or Stage()
    provider = _Provider(ledger, stage)
    return App(
        (
            Route("POST", "/v1/charges", provider.charge),
            Route("GET", "/v1/charges", provider.charges),
            Route("GET", "/v1/charges/by-key/{}", provider.by_key),
            Route("POST", "/v1/charges/by-key/{}/cancel", provider.cancel),
            Route("GET", "/v1/summary", provider.summary),
            Route("GET", "/", provider.page),
            *control.routes(stage, forget=ledger.clear),
        )
    )


class _Provider:
    def __init__(self, ledger: Ledger, stage: Stage) -> None:
        self._ledger = ledger
        self._stage = stage

    async def charge(self, request: Request) -> Reply | None:
        header = request.header(b"idempotency-key")
        if not header:
            raise Problem(
                400, "idempotency-key-missing", "A charge needs an Idempotency-Key."
            )
        key = _key(header)
        wanted = await request.read(_REQUEST)
        method = METHODS.get(wanted.payment_method)
        if method is None:
            raise Problem(
                400,
                "unknown-payment-method",
                f"There is no payment method {wanted.payment_method}.",
                known=list(METHODS),
            )
        fate = self._stage.fate()
        fate = Fate(
            fate.latency_seconds + method.latency_seconds,
            method.fail if fate.fail == "none" else fate.fail,
        )
        return await self._stage.play(
            fate, request, lambda: self._charge(key, wanted, method.decline_reason)
        )

    def _charge(
        self, key: str, wanted: ChargeRequest, decline_reason: str | None
    ) -> Reply:
        try:
            charge, new = self._ledger.charge(
                key, wanted, decline_reason=decline_reason
            )
        except KeyReused:
            raise Problem(
                422,
                "idempotency-key-reused",
                "The key belongs to a charge that was asked for differently.",
            ) from None
        except (LedgerFull, OSError) as error:
            raise _not_recorded(error) from None
        created = new and charge.status == "captured"
        return json_reply(charge, status=201 if created else 200)

    async def by_key(self, request: Request) -> Reply:
        charge = self._ledger.find(_key(request.path_values[0]))
        if charge is None:
            raise Problem(404, "charge-not-found", "No charge has this key.")
        return json_reply(charge)

    async def cancel(self, request: Request) -> Reply:
        key = _key(request.path_values[0])
        try:
            return json_reply(self._ledger.cancel(key))
        except (LedgerFull, OSError) as error:
            raise _not_recorded(error) from None

    async def charges(self, request: Request) -> Reply:
        query = parse_qs(str(request.scope["query_string"], "latin-1"))
        limit = _number(query, "limit", default=20, low=1, high=_MAX_PAGE)
        start = _number(query, "after", default=0, low=0, high=len(self._ledger))
        items = self._ledger.page(start=start, limit=limit)
        end = start + len(items)
        more = str(end) if end < len(self._ledger) else None
        reply = json_reply({"items": items, "next": more})
        if more is None:
            return reply
        link = f'</v1/charges?limit={limit}&after={more}>; rel="next"'
        return Reply(200, reply.body, headers=((b"link", link.encode()),))

    async def summary(self, _: Request) -> Reply:
        return json_reply(
            {
                "captured": {
                    "count": self._ledger.count("captured"),
                    "amount_by_currency": self._ledger.captured_by_currency(),
                },
                "declined": self._ledger.count("declined"),
                "canceled": self._ledger.count("canceled"),
            }
        )

    async def page(self, _: Request) -> Reply:
        ledger = self._ledger
        money = ledger.captured_by_currency()
        return page(
            "Payment simulator",
            "It charges nobody. Amounts are in minor units of their currency.",
            table(
                "Charges by outcome",
                ("Outcome", "Count"),
                [
                    ("captured", ledger.count("captured")),
                    ("declined", ledger.count("declined")),
                    ("canceled", ledger.count("canceled")),
                ],
            ),
            table("Captured money", ("Currency", "Amount"), money.items()),
            scenario_table(self._stage.state()),
            table(
                f"The last {_SHOWN} charges, newest first",
                ("Key", "Outcome", "Amount", "Currency", "Reference", "At", "Id"),
                map(_row, ledger.last(_SHOWN)),
            ),
        )


def _row(charge: Charge) -> tuple[object, ...]:
    reason = f": {charge.decline_reason}" if charge.decline_reason else ""
    return (
        charge.key,
        f"{charge.status}{reason}",
        charge.amount,
        charge.currency,
        charge.reference,
        charge.created_at,
        charge.id,
    )


def _key(text: str) -> str:
    """A bare token or a quoted string (RFC 8941): ``abc`` and ``"abc"`` are one."""
    match = _KEY.fullmatch(text)
    if match is None:
        raise Problem(
            400,
            "idempotency-key-invalid",
            "A key is 1 to 255 visible ASCII characters without quotes or backslashes.",
        )
    return match["key"]


def _number(
    query: dict[str, list[str]], name: str, *, default: int, low: int, high: int
) -> int:
    text = query.get(name, [str(default)])[-1]
    if text.isascii() and text.isdigit() and len(text) <= len(str(high)):
        number = int(text)
        if low <= number <= high:
            return number
    detail = f"{name} must be a whole number from {low} to {high}."
    errors = [{"pointer": f"/{name}", "detail": detail}]
    raise Problem(422, "invalid-request", detail, errors=errors)


def _not_recorded(error: Exception) -> Problem:
    detail = f"The charge could not be recorded: {error}. Nothing was charged."
    return Problem(503, "charge-not-recorded", detail)
