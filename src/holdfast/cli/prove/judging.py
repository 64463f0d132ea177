"""What clients were told, held against what the shop and the provider wrote down.

Pure functions: each is given a history and facts, and returns one verdict. An answer
that never came promises nothing, and what was answered must be true for ever.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from holdfast.cli.prove.facts import Charge, Level, Order
from holdfast.cli.prove.history import LOST, Said
from holdfast.cli.prove.verdict import Verdict

CREATED, ACCEPTED, DECLINED = 201, 202, 402
KEPT = frozenset({CREATED, ACCEPTED, DECLINED})
"""Answers to a checkout that must be told again in the same bytes."""
_ALLOWED = {
    "cart": frozenset({CREATED, 503}),
    "hold": frozenset({200, CREATED, 409, 503}),
    "release": frozenset({204, 404, 503}),
    "checkout": frozenset({CREATED, ACCEPTED, DECLINED, 409, 503}),
    "bank approved": frozenset({303}),
    "bank declined": frozenset({303}),
}
UNKNOWN = 504
"""Nobody knows whether it happened; the same request again finds out."""
_CONFLICTS = {
    "hold": frozenset({"out-of-stock", "cart-already-ordered"}),
    "checkout": frozenset(
        {
            *("out-of-stock", "cart-already-ordered", "cart-not-open"),
            "idempotency-key-in-progress",
        }
    ),
}


def only_honest_answers(history: Sequence[Said]) -> Verdict:
    """Nothing but what an honest shop says while it is being hit; never a 500."""
    broken = [
        f"{said.act} was answered {said.status} {said.problem}".rstrip()
        for said in history
        if said.status != LOST
        and (
            not _is_allowed(said)
            or (said.status == 409 and said.problem not in _CONFLICTS[said.act])  # noqa: PLR2004 - HTTP
        )
    ]
    return Verdict("every answer is one that a client can go by", len(history), broken)


def _is_allowed(said: Said) -> bool:
    if said.status == UNKNOWN:
        # The database died between a commit and its answer, and the answer says so.
        return said.problem == "commit-unclear"
    return said.status in _ALLOWED[said.act]


def units_add_up(levels: Sequence[Level], orders: Sequence[Order]) -> Verdict:
    """Sold, held and left are what there was."""
    sold = _sold(orders)
    broken = []
    for level in levels:
        there = sold[level.sku] + level.held + level.available
        if there != level.units:
            broken.append(
                f"{level.sku}: {sold[level.sku]} sold, {level.held} held and "
                f"{level.available} left are {there}, not {level.units}"
            )
        if level.promised != sold[level.sku]:
            broken.append(
                f"{level.sku}: {sold[level.sku]} sold, and {level.promised} set aside "
                "for orders"
            )
    units = sum(level.units for level in levels)
    return Verdict("sold, held and left are what there was", units, broken)


def holds_end(levels: Sequence[Level]) -> Verdict:
    """No unit is kept from others for ever."""
    broken = [f"{n.sku}: {n.held} units are still held" for n in levels if n.held]
    return Verdict("every hold ends", len(levels), broken)


def everything_sold(levels: Sequence[Level]) -> Verdict:
    """When everybody who wants to has bought, nothing is left."""
    broken = [f"{n.sku}: {n.available} are left" for n in levels if n.available]
    units = sum(level.units for level in levels)
    return Verdict("every unit can be sold", units, broken)


def never_beyond_stock(history: Iterable[Said], units: Mapping[str, int]) -> Verdict:
    """What clients surely had at one time was never more than there was.

    A hold is surely had from the moment it was answered until it expires, or until its
    cart asks for anything else; what was ordered is had from the answer on.
    """
    owned = defaultdict[str, list[tuple[float, int]]](list)
    checked = 0
    for sku, begins, ends, quantity in _had(history):
        if sku in units and begins < ends:
            checked += 1
            owned[sku] += [(begins, quantity), (ends, -quantity)]
    broken = []
    for sku, moments in owned.items():
        at_once = most = 0
        for _, change in sorted(moments):
            at_once += change
            most = max(most, at_once)
        if most > units[sku]:
            broken.append(f"{most} of {sku} were granted at once, of {units[sku]}")
    return Verdict("nobody is granted what others were told is theirs", checked, broken)


def told_orders_exist(history: Iterable[Said], orders: Sequence[Order]) -> Verdict:
    """Every order that a client was told of is there, as they were told."""
    known = {order.id: order for order in orders}
    told = {
        (said.order, said.status): said
        for said in history
        if said.act == "checkout" and said.order and said.status in KEPT
    }
    broken = []
    for said in told.values():
        order = known.get(said.order)
        if order is None:
            broken.append(f"order {said.order} was answered {said.status} and is gone")
        elif order.cart != said.cart:
            broken.append(f"order {said.order} is of another cart than was told")
        elif said.status == CREATED and not order.is_paid:
            broken.append(f"order {said.order} was told paid and is {order.status}")
        elif said.status == DECLINED and order.status != "failed":
            broken.append(f"order {said.order} was told declined and is {order.status}")
        elif sorted(order.lines) != sorted(said.lines):
            broken.append(f"order {said.order} is of other goods than were wanted")
    return Verdict("every order that was acknowledged exists", len(told), broken)


def one_order_a_cart(orders: Sequence[Order]) -> Verdict:
    """A cart is ordered once."""
    counted = Counter(order.cart for order in orders if order.status != "failed")
    broken = [f"cart {c} has {n} orders" for c, n in counted.items() if n > 1]
    return Verdict("one cart is one order", len(counted), broken)


def same_answer_to_one_key(history: Iterable[Said]) -> Verdict:
    """Whoever asks again with the same key gets the same bytes."""
    answers = defaultdict[tuple[str, str], set[tuple[int, str]]](set)
    checked = 0
    for said in history:
        if said.act == "checkout" and said.status in KEPT:
            checked += 1
            answers[said.cart, said.key].add((said.status, said.digest))
    broken = [
        f"key {key} got {len(found)} answers: {sorted(found)}"
        for (_, key), found in answers.items()
        if len(found) > 1
    ]
    return Verdict("one key gets one answer, byte for byte", checked, broken)


def one_capture_an_order(orders: Sequence[Order], charges: Sequence[Charge]) -> Verdict:
    """What was ordered is paid for, once and in full."""
    by_key = {charge.key: charge for charge in charges}
    taken = Counter(n.reference for n in charges if n.captured_amount)
    broken = [f"{ref} was captured {n} times" for ref, n in taken.items() if n > 1]
    paid = [order for order in orders if order.is_paid]
    for order in paid:
        charge = by_key.get(order.id)
        if charge is None or charge.captured_amount == 0:
            broken.append(f"{order.number} is {order.status} and nothing was captured")
        elif (charge.captured_amount, charge.currency) != (order.total, order.currency):
            broken.append(
                f"{order.number} is {order.total} {order.currency} and "
                f"{charge.captured_amount} {charge.currency} was captured"
            )
    return Verdict("one order is one capture", len(paid), broken)


def nothing_for_nothing(orders: Sequence[Order], charges: Sequence[Charge]) -> Verdict:
    """No money is kept for what nobody gets."""
    by_id = {order.id: order for order in orders}
    broken = []
    for charge in charges:
        order = by_id.get(charge.key)
        if charge.kept and order is None:
            broken.append(f"{charge.kept} was captured for no order ({charge.key})")
        elif charge.kept and order is not None and not order.is_paid:
            broken.append(f"{charge.kept} is kept for {order.number}: {order.status}")
        elif charge.status == "authorized" and not (order and order.is_paid):
            broken.append(f"money is still set aside under {charge.key}")
    return Verdict("nothing is captured for what failed", len(charges), broken)


def captured_is_paid(orders: Sequence[Order], charges: Sequence[Charge]) -> Verdict:
    """The money that the provider keeps is what the orders come to."""
    theirs, ours = Counter[str](), Counter[str]()
    for charge in charges:
        theirs[charge.currency] += charge.kept
    for order in orders:
        if order.is_paid:
            ours[order.currency] += order.total - order.refunded
    broken = [
        f"{theirs[c]} {c} is captured and {ours[c]} {c} is paid"
        for c in sorted(theirs.keys() | ours.keys())
        if theirs[c] != ours[c]
    ]
    broken += [
        f"{n.number} is {n.total} and the shop has noted {n.captured}"
        for n in orders
        if n.is_paid and n.captured != n.total
    ]
    return Verdict("captured money is paid orders", sum(ours.values()), broken)


def _sold(orders: Iterable[Order]) -> Counter[str]:
    sold = Counter[str]()
    for order in orders:
        if order.is_paid:
            sold.update(dict(order.lines))
    return sold


def _had(history: Iterable[Said]) -> Iterator[tuple[str, float, float, int]]:
    """SKU, from when, until when and how many a client surely had."""
    by_cart = defaultdict[str, list[Said]](list)
    for said in history:
        if said.cart:
            by_cart[said.cart].append(said)
    for requests in by_cart.values():
        requests.sort(key=lambda said: said.began)
        ordered = min(
            (n.ended for n in requests if n.act == "checkout" and n.status == CREATED),
            default=None,
        )
        for said, following in zip(requests, [*requests[1:], None], strict=True):
            if said.act != "hold" or not said.expires:
                continue
            until = min(said.expires, following.began) if following else said.expires
            for sku, quantity in said.lines:
                yield sku, said.ended, until, quantity
        if ordered is not None:
            for sku, quantity in requests[0].lines:
                yield sku, ordered, float("inf"), quantity
