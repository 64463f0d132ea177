"""No product goes in by half, wherever in a file its rows are."""

import pytest

from holdfast.workflows import imports as workflow

HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price"


@pytest.fixture
def take(send, work_off, messages, skus):
    """Take these rows in; returns the SKUs there are, and what was refused."""

    async def go(*rows):
        content = "\n".join([HEADER, *rows, ""]).encode()
        job = await send(content, format="shopify_csv")
        await work_off()
        return sorted(await skus()), [line for line, _ in await messages(job)]

    return go


class TestProduct:
    async def test_whose_first_row_cannot_be_read_stays_out(self, take, database):
        """It went in without that row, which was told of the product before it."""
        taken = await take(
            "a,A,,,A1,1", "b,B,Size,S,B1,1,EXTRA", "b,B,Size,M,B2,1", "c,C,,,C1,1"
        )

        assert taken == (["A1", "C1"], [3])
        told = await database.fetchrow("SELECT line, handle FROM import_faults")
        assert tuple(told) == (3, "b")

    @pytest.mark.parametrize("batch", [1, 1_000])
    async def test_whose_first_rows_were_refused_has_no_others_taken_in(
        self, take, monkeypatch, batch
    ):
        monkeypatch.setattr(workflow, "BATCH_PRODUCTS", batch)
        monkeypatch.setattr(workflow, "BATCH_ROWS", batch)

        taken = await take(
            "a,A,Size,S,A1,free", "b,B,,,B1,1", "a,A,Size,M,A2,1", "A,A,,,A3,1"
        )

        assert taken == (["B1"], [2, 4, 5])
