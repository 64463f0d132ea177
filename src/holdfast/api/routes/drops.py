"""Drops and their waiting rooms."""

from holdfast.api import drops
from holdfast.api.policy import Priority, Route
from holdfast.domain import drops as domain
from holdfast.domain import ordering
from holdfast.kernel.page import BadCursor
from holdfast.workflows.drops import WaitingRoomBusy

DROPPING = (
    domain.AdmissionRequired,
    domain.DropNotOpen,
    domain.DropLimitReached,
    domain.TicketNotValid,
)
"""What whoever holds or orders something may be told because of a drop."""

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/drops",
        drops.browse,
        cost=2,
        priority=Priority.OPERATE,
        scope="inventory:read",
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/drops",
        drops.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="inventory:write",
        raises=(domain.DropInvalid, domain.VariantInAnotherDrop, ordering.UnknownSku),
    ),
    Route(
        "GET",
        "/v1/drops/{drop_id:uuid}",
        drops.show,
        cost=1,
        priority=Priority.BROWSE,
        public=True,
        raises=(domain.DropNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/drops/{drop_id:uuid}",
        drops.change,
        cost=5,
        # How fast people are let in is what to change when too many come.
        priority=Priority.EXEMPT,
        scope="inventory:write",
        raises=(domain.DropNotFound, domain.DropEnded, domain.DropInvalid),
    ),
    Route(
        "DELETE",
        "/v1/drops/{drop_id:uuid}",
        drops.end,
        cost=5,
        priority=Priority.EXEMPT,
        scope="inventory:write",
        raises=(domain.DropNotFound,),
    ),
    Route(
        "GET",
        "/v1/drops/{drop_id:uuid}/place",
        drops.place,
        cost=1,
        priority=Priority.BUY,
        public=True,
        raises=(domain.DropNotFound, domain.DropEnded, domain.TicketNotValid),
    ),
    Route(
        "POST",
        "/v1/drops/{drop_id:uuid}/tickets",
        drops.join,
        cost=2,
        priority=Priority.BUY,
        claims="leased",
        secret_answer=True,
        public=True,
        raises=(
            domain.DropNotFound,
            domain.DropEnded,
            domain.SignInToWait,
            domain.NoMoreTickets,
            WaitingRoomBusy,
        ),
    ),
)
