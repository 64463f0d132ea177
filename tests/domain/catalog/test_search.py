"""What is searched of a product, whatever is said of it."""

from holdfast.workflows.catalog import create_product


class TestIndex:
    async def test_takes_texts_as_long_as_the_rules_allow(
        self, database, clock, a_draft
    ):
        words = " ".join(f"w{n:x}字" for n in range(20_000))
        draft = a_draft(
            description_html=words[:65_000],
            tags=tuple(f"{n:0>250}" for n in range(250)),
            skus=tuple(f"{n:x>255}" for n in range(2_000)),
        )

        made = await create_product(database, draft, clock=clock)

        assert len(made.product().variants) == 2_000
