"""The collections of the demo: one by a rule, and one by hand.

Whoever changes or empties one finds it so after another seeding: what is there stays.
"""

from holdfast.domain import catalog, search
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.workflows import collections as workflows

_GIFTS = catalog.CollectionDraft(
    handle="gifts",
    title="Gifts",
    description_html="<p>Wrapped, or what they are wrapped in.</p>",
    status="active",
    sort="price",
    position=1,
    rule=search.read_rule(
        {
            "conditions": [
                {"field": "tag", "values": ["gift"]},
                {"field": "available", "value": True},
            ]
        }
    ),
)
_BREAKFAST = catalog.CollectionDraft(
    handle="breakfast-by-the-sea",
    title="Breakfast by the sea",
    description_html="<p>What stands on our own table at seven.</p>",
    status="active",
    position=2,
)
_ON_THE_TABLE = (
    *("harbour-breakfast", "stoneware-mug", "milk-jug", "linen-tea-towel"),
    "cast-iron-teapot",
)


async def collect(db: Database, *, clock: Clock, actor: str) -> None:
    """Make those that are not there, once the products are."""
    for draft, products in ((_GIFTS, ()), (_BREAKFAST, _ON_THE_TABLE)):
        try:
            made = await workflows.create(db, draft, clock=clock, actor=actor)
        except catalog.DuplicateHandle:
            continue
        if products:
            await workflows.put_products(
                *(db, made.id, products), clock=clock, actor=actor, versions=None
            )
