"""Files of levels: taken whole, or refused with what is wrong with each line."""

import pytest
from cases import cases

PATH = "/v1/inventory/import"


@pytest.fixture
def send(client, keeper):
    async def post(text, media="text/csv; charset=utf-8"):
        content = text if isinstance(text, bytes) else text.encode()
        headers = {**keeper, "Content-Type": media}
        return await client.post(PATH, content=content, headers=headers)

    return post


@pytest.fixture
async def products(a_product):
    for sku in ("TEA", "CUP"):
        await a_product(sku, on_hand=10)


class TestImport:
    async def test_sets_levels_and_settings(
        self, send, keep, berlin, products, numbers, balanced
    ):
        answer = await send(
            "\ufeffSKU,on_hand,location,safety_stock,low_stock_threshold\r\n"
            "TEA,3,main,1,\r\n"
            "\r\n"
            'CUP,10,"berlin",,5\r\n'
            "CUP,10,main,,\r\n"
        )

        assert answer.status_code == 200
        assert answer.json() == {"rows": 3, "changed": 2}
        assert await numbers("TEA") == {"main": (3, 0)}
        assert await numbers("CUP") == {"main": (10, 0), "berlin": (10, 0)}
        tea = (await keep("GET", "/v1/inventory/TEA")).json()
        assert tea["available"] == 2
        assert await balanced()

    async def test_a_higher_limit_and_a_lower_level_may_come_together(
        self, send, products, order_of, numbers
    ):
        await order_of("TEA", 8)

        answer = await send("sku,on_hand,backorder_limit\nTEA,2,6\n")
        back = await send("sku,on_hand,backorder_limit\nTEA,8,0\n")

        assert answer.status_code == back.status_code == 200
        assert await numbers("TEA") == {"main": (8, 8)}

    async def test_names_every_line_at_fault_and_changes_nothing(
        self, send, products, order_of, numbers
    ):
        await order_of("CUP", 5)

        answer = await send(
            "sku,on_hand,location\n"
            "TEA,3,\n"
            "TEA,=1+1,main\n"
            "POT,3,\n"
            "CUP,-1,\n"
            "CUP,3,nowhere\n"
            "TEA,3,main\n"
            "CUP,3\n"
            "CUP,1e3,\n"
            "CUP,99999999999999,\n"
            ",3,\n"
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/levels-refused"
        assert [n["line"] for n in answer.json()["faults"]] == [3, 5, 7, 8, 9, 10, 11]
        assert await numbers("TEA") == {"main": (10, 0)}

    async def test_names_what_only_the_shop_can_know(
        self, send, products, order_of, numbers
    ):
        await order_of("CUP", 5)

        unknown = await send("sku,on_hand,location\nTEA,3,\nPOT,3,\nCUP,3,nowhere\n")
        promised = await send("sku,on_hand\nTEA,3\nCUP,4\n")

        assert [n["line"] for n in unknown.json()["faults"]] == [3, 4]
        assert [n["line"] for n in promised.json()["faults"]] == [3]
        assert await numbers("TEA") == {"main": (10, 0)}

    @cases(
        "text",
        [
            "",
            "\n\n",
            "sku\nTEA\n",
            "sku,on_hand\n",
            "sku,on_hand,on_hand\nTEA,1,2\n",
            "sku,on_hand,price\nTEA,1,2\n",
            b"sku,on_hand\nT\xff,1\n",
            'sku,on_hand\n"TEA,1\n',
            "sku,on_hand\nTEA\x00,1\n",
            "sku,on_hand\n" + "x" * 5000 + ",1\n",
            "sku;on_hand\nTEA;1\n",
            b"PK\x03\x04 this is a spreadsheet",
            "sku,on_hand\nTEA,\u0661\n",
            "sku,on_hand\n\"=cmd|' /C calc'!A0\",1\n",
        ],
    )
    async def test_a_file_that_makes_no_sense_is_refused(
        self, send, products, numbers, text
    ):
        answer = await send(text)

        assert answer.status_code == 422, answer.text
        assert answer.json()["type"] == "/problems/levels-refused"
        assert answer.json()["faults"]
        assert len(answer.content) < 5000
        assert await numbers("TEA") == {"main": (10, 0)}

    async def test_lists_a_hundred_faults_and_counts_the_rest(self, send, products):
        rows = "".join(f"POT-{n},1\n" for n in range(130))

        answer = await send(f"sku,on_hand\n{rows}")

        assert len(answer.json()["faults"]) == 100
        assert answer.json()["more"] == 30

    async def test_a_file_with_too_many_rows_is_refused(self, send, products):
        rows = "".join(f"{n},1\n" for n in range(50_001))

        answer = await send(f"sku,on_hand\n{rows}")

        assert "at most 50,000 rows" in answer.text

    async def test_anything_but_csv_is_refused(self, send, products):
        answer = await send("sku,on_hand\nTEA,1\n", "application/json")

        assert answer.status_code == 415
