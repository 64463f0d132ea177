"""Orders of before the three states say the same afterwards, in new words."""

import asyncpg
import pytest

from holdfast.platform import migrate

BEFORE = """
INSERT INTO carts (id, token_hash, status, currency, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, '', 'ordered', 'EUR',
       now(), now() FROM generate_series(1, 3) n;
INSERT INTO orders (id, cart_id, token_hash, status, currency, shipping_method,
                    shipping_amount, shipping_source, subtotal_amount, total_amount,
                    payment_reference, failure_reason, placed_at, settled_at)
SELECT c.id, c.id, '', s.status, 'EUR', 'pickup', 100, 'carrier', 900, 1000,
       CASE WHEN s.status = 'paid' THEN 'ch_1' END,
       CASE WHEN s.status = 'payment_failed' THEN 'declined' END,
       now(), CASE WHEN s.status <> 'pending' THEN now() END
FROM (VALUES (1, 'paid'), (2, 'payment_failed'), (3, 'pending')) AS s (n, status)
JOIN carts c ON right(c.id::text, 1) = s.n::text;
INSERT INTO order_lines (order_id, position, variant_id, sku, title, quantity,
                         unit_price_amount)
SELECT id, 1, id, 'TEA', 'Tea', 9, 100 FROM orders;
"""


@pytest.fixture
async def migrated(postgres):
    """A database from before with three orders, brought to the newest schema."""
    server = await asyncpg.connect(postgres.url)
    await server.execute('CREATE DATABASE "orders_of_before"')
    connection = await asyncpg.connect(postgres.url_of("orders_of_before"))
    for migration in migrate.available():
        if migration.name.startswith("0004"):
            await connection.execute(BEFORE)
        await connection.execute(migration.sql)
    yield connection
    await connection.close()
    await server.execute('DROP DATABASE "orders_of_before"')
    await server.close()


async def test_paid_orders_are_complete_and_the_others_where_they_were(migrated):
    rows = await migrated.fetch(
        "SELECT o.status, o.payment_status, o.fulfilment_status, o.captured_amount,"
        " l.fulfilled_quantity, o.completed_at = o.settled_at AS then"
        " FROM orders o JOIN order_lines l ON l.order_id = o.id ORDER BY o.id"
    )

    assert [tuple(row) for row in rows] == [
        ("completed", "captured", "fulfilled", 1000, 9, True),
        ("failed", "failed", "unfulfilled", 0, 0, None),
        ("pending", "pending", "unfulfilled", 0, 0, None),
    ]
