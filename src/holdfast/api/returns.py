"""Returns: goods that come back, for money or for other goods."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import keyed
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.order_changes import Position, Quantity
from holdfast.api.problems import MissingScope
from holdfast.api.return_views import ReturnView
from holdfast.api.shapes import Amount, Sku, invalid
from holdfast.api.shop import Shop
from holdfast.domain import identity, inventory, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Arrival, Return, ReturnKind, ReturnStatus
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.platform.idempotency import Answer, Claim
from holdfast.workflows import returns as workflows
from holdfast.workflows.cart_lines import LineWanted
from holdfast.workflows.carts import owns
from holdfast.workflows.returns import Receipt, Returns, Wish

_PATH = "/v1/returns"
_REQUEST = "POST /v1/orders/{order_id}/returns"
_LEASE = timedelta(seconds=30)
_MOST = ordering.MAX_LINES
_ENCODER = msgspec.json.Encoder()

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class ReturnReason(StrEnum):
    """Why goods come back."""

    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"
    NOT_AS_DESCRIBED = "not_as_described"
    UNWANTED = "unwanted"
    OTHER = "other"


class UnitsBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many units of a line."""

    position: Position
    quantity: Quantity


class OtherGoods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted instead, at today's price."""

    sku: Sku
    quantity: Quantity


class ReturnWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to come back, why, and what for."""

    lines: Annotated[list[UnitsBack], msgspec.Meta(min_length=1, max_length=_MOST)]
    reason: ReturnReason
    kind: ReturnKind = ReturnKind.RETURN
    text: Words | None = None
    exchange_lines: Annotated[list[OtherGoods], msgspec.Meta(max_length=_MOST)] = []


class ApprovalWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the buyer is told, and whether to send other goods before these arrive."""

    instructions: Words | None = None
    exchange_now: bool = False


class RejectionWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the buyer is told."""

    explanation: Words | None = None


class UnitsArrived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of a line arrived, and how many of them cannot be sold again."""

    position: Position
    quantity: Quantity
    written_off: Annotated[int, msgspec.Meta(ge=0, le=ordering.MAX_QUANTITY)] = 0


class ReceiptWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What arrived: without lines all that was announced, fit to be sold again.

    Amounts need the scope orders:refund.
    """

    lines: (
        Annotated[list[UnitsArrived], msgspec.Meta(min_length=1, max_length=_MOST)]
        | None
    ) = None
    location: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    refund_shipping: Amount | None = None
    restocking_fee: Amount | None = None
    exchange: bool = True


_APPROVED = ApprovalWanted()
_REJECTED = RejectionWanted()
_ALL_OF_IT = ReceiptWanted()


ChangedReturn = Annotated[Response[bytes], ReturnView]
ReturnPage = Annotated[Response[Any], Listing[ReturnView]]


async def create(
    *,
    shop: Shop,
    caller: Caller,
    order_id: UUID,
    data: ReturnWanted,
    idempotency_key: keyed.KeyHeader = None,
) -> ChangedReturn:
    """Ask to return goods of an order, or to exchange them for others.

    Units that were shipped, that have not come back, and that no other return is about.
    The shop approves or rejects it.
    """
    if (data.kind is ReturnKind.EXCHANGE) != bool(data.exchange_lines):
        raise invalid("/exchange_lines", "Say what an exchange is for, and only then")
    wish = Wish(
        units=_by_position(data.lines),
        reason=data.reason,
        text=data.text,
        kind=data.kind,
        others=[LineWanted(n.sku, n.quantity) for n in data.exchange_lines],
    )
    claim = _claim(shop, idempotency_key, caller, _REQUEST, order_id, body=data)
    doing = _returns(shop, caller, status=201)
    answer, replayed = await doing.request(order_id, wish, claim=claim)
    return keyed.response(answer, replayed=replayed)


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    status: ReturnStatus | None = None,
    kind: ReturnKind | None = None,
) -> ReturnPage:
    """Returns, newest first."""
    page = await ordering.returns(
        shop.db, shop.vault, after=after, limit=limit, status=status, kind=kind
    )
    return _listing(page, _PATH, limit=limit, status=status, kind=kind)


async def of_order(
    shop: Shop,
    caller: Caller,
    order_id: UUID,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> ReturnPage:
    """The returns of an order, newest first, for its buyer and for operators."""
    order = await ordering.find(shop.db, shop.vault, order_id)
    if not owns(
        *(caller, order.token_hash, order.account_id),
        scope=workflows.READ,
        own=workflows.OWN,
    ):
        raise ordering.OrderNotFound
    page = await ordering.returns(
        shop.db, shop.vault, after=after, limit=limit, order_id=order_id
    )
    path = f"/v1/orders/{order_id}/returns"
    shows = identity.may(caller, workflows.READ)
    return _listing(page, path, for_operator=shows, limit=limit)


async def show(shop: Shop, caller: Caller, return_id: UUID) -> ReturnView:
    """A return, for the buyer of its order and for operators."""
    found = await workflows.find(shop.db, shop.vault, return_id, caller)
    return ReturnView.of(found, for_operator=identity.may(caller, workflows.READ))


async def approve(
    *,
    shop: Shop,
    caller: Caller,
    return_id: UUID,
    data: ApprovalWanted = _APPROVED,
    idempotency_key: keyed.KeyHeader = None,
) -> ChangedReturn:
    """Let goods come back. The buyer is told, with your instructions.

    With `exchange_now` the goods of an exchange are ordered at once instead of when
    these arrive; its units are reserved, all or none.
    """
    route = f"POST {_PATH}/{{return_id}}/approval"
    claim = _claim(shop, idempotency_key, caller, route, return_id, body=data)
    answer, replayed = await _returns(shop, caller).approve(
        return_id,
        answer=data.instructions,
        replace_now=data.exchange_now,
        claim=claim,
    )
    return keyed.response(answer, replayed=replayed)


async def reject(
    *,
    shop: Shop,
    caller: Caller,
    return_id: UUID,
    data: RejectionWanted = _REJECTED,
    idempotency_key: keyed.KeyHeader = None,
) -> ChangedReturn:
    """Say no to a return. The buyer is told, with your explanation."""
    route = f"POST {_PATH}/{{return_id}}/rejection"
    claim = _claim(shop, idempotency_key, caller, route, return_id, body=data)
    answer, replayed = await _returns(shop, caller).reject(
        return_id, answer=data.explanation, claim=claim
    )
    return keyed.response(answer, replayed=replayed)


async def cancel(
    *,
    shop: Shop,
    caller: Caller,
    return_id: UUID,
    idempotency_key: keyed.KeyHeader = None,
) -> ChangedReturn:
    """Call a return off before anything of it arrived; its buyer may, too."""
    route = f"POST {_PATH}/{{return_id}}/cancellation"
    claim = _claim(shop, idempotency_key, caller, route, return_id, body=None)
    answer, replayed = await _returns(shop, caller).cancel(return_id, claim=claim)
    return keyed.response(answer, replayed=replayed)


async def receive(
    *,
    shop: Shop,
    caller: Caller,
    return_id: UUID,
    data: ReceiptWanted = _ALL_OF_IT,
    idempotency_key: keyed.KeyHeader = None,
) -> ChangedReturn:
    """Take goods back: onto the shelf or written off, and their money on its way.

    What was paid for the units goes back, or pays for the goods of an exchange first;
    `exchange: false` gives the money after all. `completed` once the money went, which
    may be a moment later.
    """
    amounts = (data.refund_shipping, data.restocking_fee)
    if any(amounts) and not identity.may(caller, "orders:refund"):
        raise MissingScope("orders:refund")
    await _check_currency(shop, return_id, data)
    route = f"POST {_PATH}/{{return_id}}/receipt"
    claim = _claim(shop, idempotency_key, caller, route, return_id, body=data)
    receipt = Receipt(
        arrived=None if data.lines is None else _arrived(data.lines),
        location=inventory.MAIN if data.location is None else _place(data.location),
        refund_shipping=_minor(data.refund_shipping),
        restocking_fee=_minor(data.restocking_fee),
        replace=data.exchange,
    )
    answer, replayed = await _returns(shop, caller).receive(
        return_id, receipt, claim=claim
    )
    return keyed.response(answer, replayed=replayed)


async def _check_currency(shop: Shop, return_id: UUID, data: ReceiptWanted) -> None:
    wanted = {
        "refund_shipping": data.refund_shipping,
        "restocking_fee": data.restocking_fee,
    }
    if not any(wanted.values()):
        return
    found = await ordering.find_return(shop.db, shop.vault, return_id)
    for name, amount in wanted.items():
        if amount is not None and amount.currency != found.currency:
            raise invalid(f"/{name}/currency", f"The order is in {found.currency}")


def _arrived(lines: Sequence[UnitsArrived]) -> dict[int, Arrival]:
    found: dict[int, Arrival] = {}
    for index, line in enumerate(lines):
        if line.position in found:
            raise invalid(f"/lines/{index}/position", "Is named twice")
        if line.written_off > line.quantity:
            raise invalid(f"/lines/{index}/written_off", "Is more than arrived")
        found[line.position] = Arrival(line.quantity, line.quantity - line.written_off)
    return found


def _by_position(lines: Sequence[UnitsBack]) -> dict[int, int]:
    found: dict[int, int] = {}
    for index, line in enumerate(lines):
        if line.position in found:
            raise invalid(f"/lines/{index}/position", "Is named twice")
        found[line.position] = line.quantity
    return found


def _minor(amount: Amount | None) -> int:
    return 0 if amount is None else amount.amount


def _place(code_or_id: str) -> str | UUID:
    try:
        return UUID(code_or_id)
    except ValueError:
        return code_or_id


def _claim(
    shop: Shop, key: str | None, caller: Caller, route: str, subject: UUID, *, body: Any
) -> Claim:
    return keyed.claim(
        shop.vault,
        key,
        caller=caller,
        route=route,
        subject=subject,
        body=body,
        lease=_LEASE,
    )


def _returns(shop: Shop, caller: Caller, *, status: int = 200) -> Returns:
    shows = identity.may(caller, workflows.READ)

    def render(found: Return) -> Answer:
        headers = {
            "content-type": "application/json",
            "Location": f"{_PATH}/{found.id}",
        }
        if status != 201:  # noqa: PLR2004 - HTTP: created
            del headers["Location"]
        view = ReturnView.of(found, for_operator=shows)
        return Answer(status, headers, _ENCODER.encode(view))

    return Returns(shop.db, shop.vault, shop.payments, shop.clock, caller, render)


def _listing(
    page: Page[Return], path: str, *, for_operator: bool = True, **query: object
) -> ReturnPage:
    views = [ReturnView.of(n, for_operator=for_operator) for n in page.items]
    return listing(Page(views, page.next), path, **query)
