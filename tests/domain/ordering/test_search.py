"""A search reads what it finds, and not the whole table."""

import pytest

from holdfast.domain.ordering import Sort, Wanted
from holdfast.domain.ordering.search import _SQL, _beyond, _values
from holdfast.kernel.ids import new_id

MANY = """
WITH made AS (
    INSERT INTO carts (id, token_hash, status, currency, created_at, updated_at)
    SELECT uuidv7(), '', 'ordered', 'EUR', now(), now() FROM generate_series(1, 6000)
    RETURNING id
), placed AS (
    INSERT INTO orders (id, cart_id, token_hash, status, payment_status, currency,
                        shipping_method, shipping_amount, shipping_source,
                        subtotal_amount, total_amount, placed_at, settled_at,
                        payment_reference, completed_at, email_index, account_id)
    SELECT uuidv7(), id, '',
           CASE WHEN n % 1000 = 0 THEN 'confirmed' ELSE 'completed' END, 'captured',
           'EUR', 'pickup', 0, 'carrier', n, n, now() + n * interval '1 minute', now(),
           'ch', CASE WHEN n % 1000 <> 0 THEN now() END, decode(md5(n::text), 'hex'),
           gen_random_uuid()
    FROM (SELECT id, row_number() OVER () AS n FROM made) numbered
    RETURNING id, total_amount AS n
)
INSERT INTO order_lines (order_id, position, variant_id, sku, title, quantity,
                         unit_price_amount)
SELECT id, 1, gen_random_uuid(), 'SKU-' || n, 'Tea', 1, n FROM placed
"""


@pytest.fixture
async def plan(database, vault):
    """Say by which indexes a search is answered, among 6,000 orders."""
    async with database.transaction() as tx:
        await tx.execute(MANY)
        await tx.execute("ANALYZE orders, order_lines")

    async def explain(sort=Sort.NEWEST, **wanted) -> str:
        statement, beyond = _beyond(sort, None)
        async with database.transaction() as tx:
            await tx.fetchrow(_SQL["plan_for_values"])
            values = (*_values(vault, Wanted(**wanted)), *beyond, 21)
            rows = await tx.fetch(f"EXPLAIN {statement}", *values)
        return "\n".join(row[0] for row in rows)

    return explain


class TestPlans:
    @pytest.mark.parametrize(
        ("wanted", "index"),
        [
            ({"text": "HF-3000"}, "orders_number_unique"),
            ({"text": "SKU-17"}, "order_lines_by_sku"),
            ({"text": "ada@example.com"}, "orders_by_email"),
            ({"email": "ada@example.com"}, "orders_by_email"),
            ({"account_id": new_id()}, "orders_by_account"),
            ({"sku": "SKU-17"}, "order_lines_by_sku"),
            ({"status": "confirmed"}, "orders_by_status"),
            ({}, "orders_pkey"),
        ],
        ids=[
            *("number", "word", "word_with_at", "email", "account"),
            *("sku", "status", "anything"),
        ],
    )
    async def test_use_the_index_that_leads_there(self, plan, wanted, index):
        said = await plan(**wanted)

        assert index in said
        assert "Seq Scan on order" not in said

    async def test_go_on_from_the_last_page_by_the_key(self, plan):
        assert "orders_pkey" in await plan(Sort.OLDEST)
