"""Carts name their version, and change only from the one that was read."""

import pytest
from cases import cases


class TestETag:
    async def test_is_the_version_of_the_cart(self, client, opened):
        cart, owner = await opened()
        path = f"/v1/carts/{cart['id']}"

        read = await client.get(path, headers=owner)
        changed = await client.patch(
            path, json={"email": "ada@example.com"}, headers=owner
        )

        assert (read.headers["etag"], read.json()["version"]) == ('"1"', 1)
        assert (changed.headers["etag"], changed.json()["version"]) == ('"2"', 2)

    async def test_is_there_in_every_answer_that_shows_a_cart(self, client, opened):
        cart, owner = await opened()
        path = f"/v1/carts/{cart['id']}"
        line = f"{path}/lines/{cart['lines'][0]['id']}"

        made = await client.post("/v1/carts", json={})
        added = await client.post(
            f"{path}/lines", json={"sku": "TEA", "quantity": 1}, headers=owner
        )
        changed = await client.patch(line, json={"quantity": 2}, headers=owner)
        removed = await client.delete(line, headers=owner)

        tags = [answer.headers["etag"] for answer in (made, added, changed, removed)]
        assert tags == ['"1"', '"2"', '"3"', '"4"']


class TestIfMatch:
    @pytest.mark.parametrize("tags", ['"1"', "*", '"9", "1"', ' "x" , "1" '])
    async def test_the_version_that_was_read_is_changed(self, client, opened, tags):
        cart, owner = await opened()

        answer = await client.patch(
            f"/v1/carts/{cart['id']}",
            json={"email": "ada@example.com"},
            headers={**owner, "If-Match": tags},
        )

        assert answer.status_code == 200

    @cases(
        "tags",
        [
            '"2"',
            'W/"1"',
            '""',
            '"01"',
            '"+1"',
            '"1.0"',
            f'"{10**18}"',
            '"' + "9" * 5000,
        ],
    )
    async def test_any_other_is_not(self, client, opened, tags):
        cart, owner = await opened()
        path = f"/v1/carts/{cart['id']}"
        line = f"{path}/lines/{cart['lines'][0]['id']}"
        said = {**owner, "If-Match": tags + '"' if tags.endswith("99") else tags}

        for method, where, body in (
            ("PATCH", path, {"email": "ada@example.com"}),
            ("POST", f"{path}/lines", {"sku": "TEA", "quantity": 1}),
            ("PATCH", line, {"quantity": 2}),
            ("DELETE", line, None),
        ):
            more = {} if body is None else {"json": body}
            answer = await client.request(method, where, headers=said, **more)

            assert answer.status_code == 412, answer.text
            assert answer.json()["type"] == "/problems/cart-changed"
            assert answer.json()["version"] == 1
        assert (await client.get(path, headers=owner)).json() == {
            key: value for key, value in cart.items() if key != "token"
        }

    @cases("tags", ["1", '"1', '"1" "2"', ",", '"é"', "W/"])
    async def test_what_is_no_etag_is_refused(self, client, opened, tags, faults):
        cart, owner = await opened()

        answer = await client.patch(
            f"/v1/carts/{cart['id']}",
            json={},
            headers={**owner, "If-Match": tags.encode("latin-1")},
        )

        assert faults(answer) == ["If-Match"]

    async def test_a_stranger_learns_no_version(self, client, opened):
        cart, _ = await opened()
        _, stranger = await opened()

        answer = await client.patch(
            f"/v1/carts/{cart['id']}", json={}, headers={**stranger, "If-Match": '"7"'}
        )

        assert answer.status_code == 404
