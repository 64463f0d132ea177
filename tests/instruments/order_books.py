"""What must be true of every order, every unit and every cent, at any moment.

Read from the database itself and from the provider, not through the shop's own views.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from order_life import Life

from holdfast.domain.ordering.states import FULFILMENT, ORDER, PAYMENT
from holdfast.workflows.stock_check import StockCheck

_MACHINES: Mapping[str, Any] = {m.kind: m for m in (ORDER, PAYMENT, FULFILMENT)}

_ORDERS = """
SELECT o.id, o.status, o.payment_status, o.shipping_amount, o.credit_amount,
       o.captured_amount AS captured, o.refunded_amount AS refunded,
       o.refunding_amount AS refunding, o.return_id, o.paid_outside,
       coalesce(origin.order_id, o.id) AS origin_id,
       (SELECT sum(l.unit_price_amount * (l.quantity - l.canceled_quantity))
        FROM order_lines l WHERE l.order_id = o.id)::bigint AS kept,
       (SELECT sum(l.unit_price_amount * l.returned_quantity)
        FROM order_lines l WHERE l.order_id = o.id)::bigint AS returned,
       (SELECT bool_or(l.quantity > l.canceled_quantity)
        FROM order_lines l WHERE l.order_id = o.id) AS sent,
       (SELECT coalesce(sum(r.amount), 0) FROM refunds r
        WHERE r.order_id = o.id AND NOT r.stray AND r.reason = 'kindness'
          AND r.status <> 'failed')::bigint AS kindness,
       (SELECT coalesce(sum(r.amount), 0) FROM refunds r
        WHERE r.order_id = o.id AND NOT r.stray AND r.reason <> 'kindness'
          AND r.status = 'failed'
          AND NOT EXISTS (SELECT FROM refunds n WHERE n.retry_of = r.id)
       )::bigint AS failed,
       (SELECT coalesce(sum(r.amount), 0) FROM refunds r
        WHERE r.order_id = o.id AND NOT r.stray AND r.reason = 'kindness'
          AND r.status = 'failed')::bigint AS unkind,
       (SELECT coalesce(sum(r.amount), 0) FROM refunds r
        WHERE r.order_id = o.id AND NOT r.stray AND r.status = 'pending')::bigint
           AS pending,
       (SELECT coalesce(sum(r.amount), 0) FROM refunds r
        WHERE r.order_id = o.id AND NOT r.stray AND r.status = 'succeeded')::bigint
           AS succeeded,
       (SELECT coalesce(sum((e.detail->>'amount')::bigint), 0) FROM order_events e
        WHERE e.order_id = o.id AND e.kind = 'refund_owed')::bigint AS owed_outside,
       (SELECT coalesce(sum(t.fee_amount - t.shipping_amount), 0) FROM returns t
        WHERE t.order_id = o.id)::bigint AS fees
FROM orders o LEFT JOIN returns origin ON origin.id = o.return_id
ORDER BY o.id
"""

_SHIPPED = """
SELECT l.order_id, l.position, l.fulfilled_quantity AS said, coalesce(s.sent, 0) AS sent
FROM order_lines l LEFT JOIN (
    SELECT p.order_id, n.position, sum(n.quantity)::bigint AS sent
    FROM shipments p JOIN shipment_lines n ON n.shipment_id = p.id
    WHERE p.status <> 'canceled' AND p.reshipped_at IS NULL
    GROUP BY p.order_id, n.position
) s ON s.order_id = l.order_id AND s.position = l.position
WHERE l.fulfilled_quantity <> coalesce(s.sent, 0)
"""

_RETURNED = """
SELECT l.order_id, l.position FROM order_lines l WHERE l.returned_quantity <> (
    SELECT coalesce(sum(n.received_quantity), 0)
    FROM return_lines n JOIN returns t ON t.id = n.return_id
    WHERE t.order_id = l.order_id AND n.position = l.position)
"""

_EVENTS = """
SELECT order_id, kind, from_state, to_state FROM order_events
WHERE to_state IS NOT NULL ORDER BY order_id, id
"""

_EXCHANGES = """
SELECT t.id AS return_id, t.order_id, t.received_at, c.credit_amount AS credit,
       t.goods_amount + t.shipping_amount - t.fee_amount AS earned,
       c.status AS cart, o.id AS new_id, o.status AS new_status,
       o.shipping_amount AS new_shipping,
       (SELECT sum(l.unit_price_amount * (l.quantity - l.canceled_quantity))
        FROM order_lines l WHERE l.order_id = o.id)::bigint AS new_kept
FROM returns t JOIN carts c ON c.id = t.replacement_id
LEFT JOIN orders o ON o.cart_id = c.id AND o.status <> 'failed'
"""


@dataclass
class OrderBooks:
    """The books of a life, read from the outside."""

    life: Life

    async def faults(self) -> list[str]:
        """Everything that is not as it must be."""
        shop = self.life.shop
        found = [str(f) for f in await StockCheck(shop.db, shop.clock).find()]
        found += [
            f"line {row['order_id']}/{row['position']}: fulfilled {row['said']},"
            f" shipped {row['sent']}"
            for row in await shop.db.fetch(_SHIPPED)
        ]
        found += [
            f"line {row['order_id']}/{row['position']}: returned and not received"
            for row in await shop.db.fetch(_RETURNED)
        ]
        found += await self._states()
        orders = await shop.db.fetch(_ORDERS)
        for order in orders:
            found += await self._at_provider(order)
        return found + await self._money(orders)

    async def _states(self) -> list[str]:
        found, at = [], {}
        for row in await self.life.shop.db.fetch(_EVENTS):
            machine = _MACHINES.get(row["kind"])
            if machine is None:
                continue
            start, end = row["from_state"], row["to_state"]
            about = f"{row['kind']} of {row['order_id']}: {start} -> {end}"
            was = at.get((row["order_id"], row["kind"]), start)
            if start is not None and was != start:
                found.append(f"{about}, but it was {was}")
            states = type(machine.start)
            if start is not None and not machine.allows(states(start), states(end)):
                found.append(f"{about} is not in the table")
            at[row["order_id"], row["kind"]] = end
        return found

    async def _at_provider(self, order: Any) -> list[str]:
        about, found = f"order {order['id']}", []
        if order["pending"] != order["refunding"]:
            found.append(f"{about}: refunding {order['refunding']} != pending refunds")
        if order["succeeded"] != order["refunded"]:
            found.append(f"{about}: refunded {order['refunded']} != its refunds")
        if order["paid_outside"] or order["status"] == "pending":
            return found
        charge = await self.life.outside.get(f"/v1/charges/by-key/{order['id']}") or {}
        captured = charge.get("captured_amount", 0)
        if order["captured"] and captured != order["captured"]:
            found.append(f"{about}: captured {order['captured']}, there {captured}")
        back = charge.get("refunded_amount", 0)
        most = order["refunded"] + order["refunding"]
        if order["captured"] and not order["refunded"] <= back <= most:
            found.append(f"{about}: refunded {order['refunded']}..{most}, there {back}")
        return found

    async def _money(self, orders: list[Any]) -> list[str]:
        """What families of orders and replacements brought in is what buyers keep."""
        root = {order["id"]: order["origin_id"] for order in orders}

        def family(order_id: Any) -> Any:
            while root[order_id] != order_id:
                order_id = root[order_id]
            return order_id

        net: Counter[Any] = Counter()
        keep: Counter[Any] = Counter()
        kindness: Counter[Any] = Counter()
        unkind: Counter[Any] = Counter()
        undecided = set()
        for order in orders:
            first = family(order["id"])
            if _is_undecided(order):
                undecided.add(first)
            if order["status"] not in ("pending", "failed"):
                net[first] += _net(order)
                keep[first] += _worth(order) - order["returned"] + order["fees"]
                kindness[first] += order["kindness"]
                # What was owed later counted on it, and it failed: to be tried again.
                unkind[first] += order["unkind"]
        for row in await self.life.shop.db.fetch(_EXCHANGES):
            keep[family(row["order_id"])] += _advance(row)
        return [
            f"order {first}: {net[first]} was paid, {keep[first]} is kept"
            f" (kindness {kindness[first]})"
            for first in net
            if first not in undecided
            and not keep[first] - kindness[first]
            <= net[first]
            <= keep[first] + unkind[first]
        ]


def _worth(order: Any) -> int:
    """What was not canceled, and the shipping of it."""
    return int(order["kept"] + (order["shipping_amount"] if order["sent"] else 0))


def _net(order: Any) -> int:
    """What the shop has of the buyer's money and owes to nobody, or will take."""
    cash = order["captured"] - order["refunded"] - order["refunding"]
    if order["payment_status"] in ("authorized", "voided"):
        cash = max(0, _worth(order) - order["credit_amount"])
    return int(cash - order["failed"] - order["owed_outside"])


def _is_undecided(order: Any) -> bool:
    taken = order["payment_status"] not in ("authorized", "voided")
    return order["status"] == "pending" or (not taken and order["returned"] > 0)


def _advance(row: Any) -> int:
    """What an exchange moves: goods that were given in advance, or a credit kept."""
    earned = 0 if row["received_at"] is None else row["earned"]
    if row["new_id"] is not None and row["new_status"] != "pending":
        # The buyer has both until all of the first goods arrive.
        used = row["new_kept"] + (row["new_shipping"] if row["new_kept"] else 0)
        return -int(max(0, min(row["credit"], used) - earned))
    return int(min(row["credit"], earned)) if row["cart"] == "open" else 0
