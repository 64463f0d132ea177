"""Drops over HTTP: announce one, take a ticket, ask how far one is."""

from datetime import datetime
from math import ceil
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import HeaderParameter

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shapes import Sku
from holdfast.api.shop import Shop
from holdfast.domain import drops
from holdfast.domain.drops import Drop, DropStatus
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.platform.proxies import site_of
from holdfast.workflows import drops as workflows
from holdfast.workflows.drops import Plan, Standing, Turn

_PATH = "/v1/drops"
_DAY_SECONDS = 86_400

TicketHeader = Annotated[
    str,
    HeaderParameter(
        name="Waiting-Room-Ticket",
        max_length=120,
        description="What a place in the waiting room was answered with last.",
    ),
]
TicketsHeader = Annotated[
    Annotated[str, msgspec.Meta(max_length=1000)] | None,
    HeaderParameter(
        name="Waiting-Room-Ticket",
        description=(
            "What a place in the waiting room was answered with last, where something "
            "of a drop is bought; several with commas between."
        ),
    ),
]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_PerMinute = Annotated[
    int,
    msgspec.Meta(
        ge=1,
        le=1_000_000,
        description="How many are let in a minute; without it, three quarters of what "
        "the shop can serve.",
    ),
]


class NewDrop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes on sale when, and to whom."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=drops.DROP_TITLE_CHARS)]
    skus: Annotated[
        list[Sku], msgspec.Meta(min_length=1, max_length=drops.MAX_DROP_VARIANTS)
    ]
    opens_at: _Moment
    closes_at: _Moment | None = None
    # Whether people may wait who have not signed in.
    guests: bool = True
    # Units that one ticket may buy, all orders together.
    max_units: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    # Tickets that one address may take without signing in.
    max_tickets: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 4
    per_minute: _PerMinute | None = None
    # How long somebody who was let in may take.
    pass_seconds: Annotated[int, msgspec.Meta(ge=30, le=_DAY_SECONDS)] = 600


class DropChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed while people wait; what is left out stays as it is."""

    closes_at: _Moment | msgspec.UnsetType | None = msgspec.UNSET
    per_minute: _PerMinute | msgspec.UnsetType | None = msgspec.UNSET


class DropView(msgspec.Struct, frozen=True):
    """A drop as everybody may see it."""

    id: UUID
    name: str
    status: DropStatus
    skus: list[str]
    opens_at: datetime
    closes_at: datetime | None
    guests: bool
    max_units: int
    pass_seconds: int
    # SHA-256 of the seed with which the lots are drawn, in hex; the seed once they are.
    commitment: str
    seed: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, drop: Drop, seed: bytes) -> "DropView":
        return cls(
            id=drop.id,
            name=drop.name,
            status=drop.status,
            skus=list(drop.skus),
            opens_at=drop.opens_at,
            closes_at=drop.closes_at,
            guests=drop.guests,
            max_units=drop.most_units,
            pass_seconds=drop.pass_seconds,
            commitment=drop.commitment.hex(),
            seed=None if drop.drawn_at is None else seed.hex(),
            ended_at=drop.ended_at,
        )


class LineView(msgspec.Struct, frozen=True):
    """How far a line has come."""

    tickets: int
    # How many took part in the draw; null before it.
    drawn: int | None
    admitted: int
    # How many are let in a second, as seen lately.
    per_second: float | None
    per_minute: int | None
    max_tickets: int


class RunDropView(msgspec.Struct, frozen=True):
    """A drop as those see it who run it."""

    drop: DropView
    line: LineView


class PlaceView(msgspec.Struct, frozen=True):
    """Somebody's place in the waiting room."""

    drop_id: UUID
    # registered: the lots are not drawn; waiting; admitted: buy until admitted_until;
    # expired: that has passed; missed: nobody came when it was their turn.
    status: Turn
    # Keep the newest: ask and buy with it.
    ticket: str
    position: int | None
    ahead: int | None
    estimated_wait_seconds: int | None
    admitted_until: datetime | None
    opens_at: datetime

    @classmethod
    def of(cls, said: Standing) -> "PlaceView":
        return cls(
            drop_id=said.drop.id,
            status=said.turn,
            ticket=said.ticket,
            position=said.position,
            ahead=said.ahead,
            estimated_wait_seconds=None
            if said.wait_seconds is None
            else ceil(said.wait_seconds),
            admitted_until=said.admitted_until,
            opens_at=said.drop.opens_at,
        )


RunDrops = Annotated[Response[Any], Listing[RunDropView]]
Place = Annotated[Response[Any], PlaceView]


async def browse(
    shop: Shop, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> RunDrops:
    """List drops, newest first, and how far their lines have come."""
    page = await drops.browse(shop.db, after=after, limit=limit)
    items = [_run(shop, drop) for drop in page.items]
    return listing(Page(items, page.next), _PATH, limit=limit)


async def create(shop: Shop, caller: Caller, data: NewDrop) -> RunDropView:
    """Announce a drop. Nobody may hold or order its SKUs before it opens.

    When it opens, everybody who has a ticket by then gets a place by lot; who comes
    later stands behind them. People are let in at the pace of `per_minute`, or at
    three quarters of the checkouts that the shop can serve, as it measures.
    """
    plan = Plan(
        name=data.name,
        skus=data.skus,
        opens_at=data.opens_at,
        closes_at=data.closes_at,
        guests=data.guests,
        most_units=data.max_units,
        most_tickets=data.max_tickets,
        per_minute=data.per_minute,
        pass_seconds=data.pass_seconds,
    )
    return _run(shop, await _drops(shop).announce(plan, actor=caller.actor))


async def show(shop: Shop, drop_id: UUID) -> DropView:
    """A drop: what is sold when, and the proof that its lots are nobody's choice."""
    return DropView.of(await drops.find(shop.db, drop_id), shop.doors.seed_of(drop_id))


async def change(shop: Shop, drop_id: UUID, data: DropChange) -> RunDropView:
    """Change when a drop closes and how fast people are let in."""
    drop = await drops.find(shop.db, drop_id)
    closes_at, per_minute = data.closes_at, data.per_minute
    if closes_at is msgspec.UNSET:
        closes_at = drop.closes_at
    if per_minute is msgspec.UNSET:
        per_minute = drop.per_minute
    changed = await _drops(shop).change(
        drop_id, closes_at=closes_at, per_minute=per_minute
    )
    return _run(shop, changed)


async def end(shop: Shop, drop_id: UUID) -> None:
    """End a drop: what is left of it is sold to anybody."""
    await _drops(shop).end(drop_id)


async def join(shop: Shop, caller: Caller, origin: Origin, drop_id: UUID) -> Place:
    """Take a ticket: a place in the waiting room of a drop.

    Before the drop opens all tickets are alike; then lots are drawn. Whoever has
    signed in gets the same ticket however often they ask. `Retry-After` says when to
    ask for the place again.
    """
    account_id = caller.account_id if isinstance(caller, Member) else None
    network = site_of(origin.address)
    said = await shop.waiting_room.join(drop_id, account_id, network)
    return _place(said, {"Location": f"{_PATH}/{drop_id}/place"})


async def place(shop: Shop, drop_id: UUID, ticket: TicketHeader) -> Place:
    """How far the holder of a ticket is; the ticket of the answer is the newer one.

    Once `status` is `admitted`, hold and order with the header `Waiting-Room-Ticket`.
    """
    return _place(await shop.waiting_room.look(drop_id, ticket), {})


def _place(said: Standing, headers: dict[str, str]) -> Response[Any]:
    again = {"Retry-After": str(max(1, ceil(said.again_in_seconds)))}
    return Response(PlaceView.of(said), headers={**headers, **again}, status_code=None)


def _run(shop: Shop, drop: Drop) -> RunDropView:
    door = shop.doors.find(drop.id)
    line = LineView(
        tickets=drop.issued,
        drawn=drop.drawn,
        admitted=drop.admitted,
        per_second=None if door is None else round(door.per_second, 3),
        per_minute=drop.per_minute,
        max_tickets=drop.most_tickets,
    )
    return RunDropView(DropView.of(drop, shop.doors.seed_of(drop.id)), line)


def _drops(shop: Shop) -> workflows.Drops:
    return workflows.Drops(shop.db, shop.doors, shop.clock)
