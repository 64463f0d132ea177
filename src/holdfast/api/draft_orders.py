"""Draft orders: operators prepare what a buyer is to order, at prices of their own."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response
from msgspec import UNSET, UnsetType

from holdfast.api import keyed
from holdfast.api.carts import (
    CartLineView,
    IfMatch,
    NewLine,
    carts_of,
    check_may_price,
    etag,
    versions,
)
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.orders import PlacedOrder, answer_to
from holdfast.api.shapes import (
    Amount,
    CurrencyCode,
    Email,
    PostalAddress,
    currency,
    email_address,
    invalid,
)
from holdfast.api.shop import Shop
from holdfast.domain import ordering
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Address, DraftOrder, Shipping
from holdfast.domain.shipping import Method
from holdfast.kernel.money import Money
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.resilience.asgi import Scope
from holdfast.workflows import draft_mail
from holdfast.workflows.carts import CartChange, CartWanted, Draft
from holdfast.workflows.checkout import Checkout
from holdfast.workflows.drafts import DraftChange, Drafts
from holdfast.workflows.prices import priced
from holdfast.workflows.settlement import lease_of_checkout

_PATH = "/v1/draft-orders"
_COMPLETION = "POST /v1/draft-orders/{draft_id}/completion"
_LONGEST_HOLD = timedelta(days=30)

Note = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=5000, description="For operators; no buyer sees it."
    ),
]


class NewDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a buyer is to order; prices in it need the scope prices:override."""

    currency: CurrencyCode | None = None
    lines: list[NewLine] = []
    email: Email | None = None
    shipping_address: PostalAddress | None = None
    shipping_method: Method | None = None
    account_id: UUID | None = None
    note: Note | None = None


class DraftChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; null clears, what is absent stays, lines replace all lines."""

    lines: list[NewLine] | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET
    shipping_address: PostalAddress | UnsetType | None = UNSET
    shipping_method: Method | UnsetType | None = UNSET
    account_id: UUID | UnsetType | None = UNSET
    note: Note | UnsetType | None = UNSET


class HoldWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when to hold the units: 30 days at the most."""

    until: datetime


class ExternalPayment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money that came to the shop itself: by transfer, in cash."""

    reference: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[\x20-\x7e]{1,200}$(?!\n)",
            description="What you know the payment by. No names: it is not sealed.",
        ),
    ]


class CompletionWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the draft order is paid: by one of the two, and what it is to cost."""

    payment_method: (
        Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,255}$(?!\n)")] | None
    ) = None
    external: ExternalPayment | None = None
    expected_total: Amount | None = None


class InvitationWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the buyer is sent an e-mail with a link."""

    send: bool = False


_BY_HAND = InvitationWanted()


class InvitationView(msgspec.Struct, frozen=True):
    """What opens a draft order for its buyer; shown this once.

    The token is null where it goes to the buyer by e-mail.
    """

    cart_id: UUID
    token: str | None


class DraftView(msgspec.Struct, frozen=True):
    """A draft order. The token is there only in the answer to its making."""

    id: UUID
    status: ordering.CartStatus
    version: int
    currency: str
    email: str | None
    account_id: UUID | None
    note: str | None
    lines: list[CartLineView]
    shipping_address: Address | None
    shipping_method: str | None
    shipping: Shipping | None
    subtotal: Money
    shipping_total: Money
    # What goods that came back pay of it.
    credit: Money
    total: Money
    prepared_by: str | None
    order_id: UUID | None
    created_at: datetime
    updated_at: datetime
    token: str | UnsetType = UNSET

    @classmethod
    def of(cls, draft: DraftOrder, token: str | UnsetType = UNSET) -> "DraftView":
        cart = draft.cart
        return cls(
            id=cart.id,
            status=cart.status,
            version=cart.version,
            currency=cart.currency,
            email=cart.email,
            account_id=cart.account_id,
            note=cart.note,
            lines=[CartLineView.of(line) for line in cart.lines],
            shipping_address=cart.shipping_address,
            shipping_method=cart.shipping_method,
            shipping=cart.shipping,
            subtotal=cart.subtotal,
            shipping_total=cart.shipping_total,
            credit=cart.credit,
            total=cart.total,
            prepared_by=cart.prepared_by,
            order_id=draft.order_id,
            created_at=cart.created_at,
            updated_at=cart.updated_at,
            token=token,
        )


DraftStatus = Literal["open", "ordered", "discarded"]
PreparedBy = Annotated[
    str, msgspec.Meta(min_length=1, max_length=100, examples=["account:01a2..."])
]
OneDraft = Annotated[Response[Any], DraftView]
DraftOrders = Annotated[Response[Any], Listing[DraftView]]


async def create(shop: Shop, caller: Caller, data: NewDraft) -> OneDraft:
    """Prepare a draft order. The answer holds its buyer's token, shown this once."""
    check_may_price(caller, data.lines)
    address = data.shipping_address
    wanted = CartWanted(
        currency=currency(data.currency or shop.settings.currency, "/currency"),
        lines=[line.wanted for line in data.lines],
        email=None if data.email is None else email_address(data.email, "/email"),
        shipping_address=None
        if address is None
        else address.address("/shipping_address"),
        shipping_method=data.shipping_method,
    )
    draft = Draft(data.account_id, data.note)
    made, token = await _drafts(shop).open(wanted, draft, caller)
    return Response(
        DraftView.of(made, token),
        headers={**etag(made.cart.version), "Location": f"{_PATH}/{made.cart.id}"},
    )


async def browse(
    *,
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    status: DraftStatus | None = None,
    account_id: UUID | None = None,
    prepared_by: PreparedBy | None = None,
) -> DraftOrders:
    """Draft orders, newest first; those of a status, an account, an operator."""
    found = await ordering.drafts(
        shop.db,
        shop.vault,
        after=after,
        limit=limit,
        status=None if status is None else ordering.CartStatus(status),
        account_id=account_id,
        prepared_by=prepared_by,
    )
    return listing(
        Page([DraftView.of(_priced(draft, shop)) for draft in found.items], found.next),
        _PATH,
        limit=limit,
        status=status,
        account_id=account_id,
        prepared_by=prepared_by,
    )


async def show(shop: Shop, draft_id: UUID) -> OneDraft:
    """A draft order, whatever became of it."""
    found = await ordering.find_draft(shop.db, shop.vault, draft_id)
    return _shown(_priced(found, shop))


async def change(
    *,
    shop: Shop,
    caller: Caller,
    draft_id: UUID,
    data: DraftChanges,
    if_match: IfMatch = None,
) -> OneDraft:
    """Change a draft order; what is held for it are then the units of its lines."""
    email, address, lines = data.email, data.shipping_address, data.lines
    if not isinstance(lines, UnsetType):
        check_may_price(caller, lines)
    wanted = DraftChange(
        CartChange(
            email=email_address(email, "/email") if isinstance(email, str) else email,
            shipping_address=address.address("/shipping_address")
            if isinstance(address, PostalAddress)
            else address,
            shipping_method=data.shipping_method,
        ),
        lines=UNSET
        if isinstance(lines, UnsetType)
        else [line.wanted for line in lines],
        account_id=data.account_id,
        note=data.note,
    )
    drafts = _drafts(shop)
    return _shown(
        await drafts.change(draft_id, wanted, caller, versions=versions(if_match))
    )


async def discard(shop: Shop, caller: Caller, draft_id: UUID) -> None:
    """Withdraw a draft order; its buyer is told so, and what was held is free.

    What goods that came back paid of it goes back as money.
    """
    await _drafts(shop).discard(draft_id, actor=caller.actor)


async def hold(
    shop: Shop, caller: Caller, draft_id: UUID, data: HoldWanted
) -> OneDraft:
    """Hold the units of a draft order, all or none, instead of what was held."""
    now = shop.clock()
    if data.until.tzinfo is None:
        raise invalid("/until", "Must say its offset from UTC")
    if not now < data.until <= now + _LONGEST_HOLD:
        raise invalid("/until", "Must be within the next 30 days")
    return _shown(await _drafts(shop).hold(draft_id, data.until, caller))


async def release(shop: Shop, draft_id: UUID) -> None:
    """Hold nothing for a draft order any more."""
    await _drafts(shop).release(draft_id)


async def invite(
    shop: Shop, draft_id: UUID, data: InvitationWanted = _BY_HAND
) -> InvitationView:
    """A new token for the buyer; the one before opens the draft order no more.

    With `send` it goes to the buyer by e-mail, in a link to HOLDFAST_PAY_PAGE, and
    is not shown here.
    """
    if data.send:
        await draft_mail.ask(
            draft_id,
            db=shop.db,
            vault=shop.vault,
            pay_page=shop.settings.pay_page,
            clock=shop.clock,
        )
        return InvitationView(draft_id, None)
    return InvitationView(draft_id, await _drafts(shop).invite(draft_id))


async def complete(
    *,
    shop: Shop,
    caller: Caller,
    request: Request[Any, Any, Any],
    draft_id: UUID,
    data: CompletionWanted,
    idempotency_key: keyed.KeyHeader = None,
) -> PlacedOrder:
    """Order a draft, paid with a payment method or to the shop itself.

    The answers are those of a checkout. With `external` nobody is asked for the
    money: it is there.
    """
    if (data.payment_method is None) == (data.external is None):
        raise invalid("", "Say either payment_method or external")
    claim = keyed.claim(
        shop.vault,
        idempotency_key,
        caller=caller,
        route=_COMPLETION,
        subject=draft_id,
        body=data,
        lease=lease_of_checkout(shop.settings.payment_timeout_seconds),
    )
    expected = None if data.expected_total is None else data.expected_total.money
    scope: Scope = request.scope  # type: ignore[assignment]
    if data.external is not None:
        answer, replayed = await _drafts(shop).complete_outside(
            draft_id,
            data.external.reference,
            expected_total=expected,
            caller=caller,
            claim=claim,
            render=lambda told: answer_to(told, scope),
        )
        return keyed.response(answer, replayed=replayed)
    await ordering.find_draft(shop.db, shop.vault, draft_id)
    answer, replayed = await Checkout(
        shop.db,
        shop.vault,
        shop.payments,
        shop.clock,
        render=lambda told: answer_to(told, scope),
        carrier=shop.carrier,
    ).place_order(
        draft_id,
        payment_method=data.payment_method or "",
        expected_total=expected,
        caller=caller,
        claim=claim,
    )
    return keyed.response(answer, replayed=replayed)


def _drafts(shop: Shop) -> Drafts:
    return Drafts(carts_of(shop))


def _priced(draft: ordering.DraftOrder, shop: Shop) -> ordering.DraftOrder:
    return replace(draft, cart=priced(draft.cart, shop.clock()))


def _shown(draft: DraftOrder) -> OneDraft:
    return Response(DraftView.of(draft), headers=etag(draft.cart.version))
