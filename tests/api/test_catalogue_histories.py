"""Who changed what of categories and attributes, as operators read it."""

import pytest
from cases import cases

from holdfast.domain import catalog
from holdfast.kernel.money import Money
from holdfast.workflows.catalog import import_products


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read")
    return {**made, "If-Match": "*"}


@pytest.fixture
def ask(client, operator):
    """Ask for something; returns the answer, which is a good one."""

    async def send(method, path, body=None):
        answer = await client.request(
            method, f"/v1/{path}", json=body, headers=operator
        )
        return answer.raise_for_status()

    return send


@pytest.fixture
def told(ask):
    """The history of something, the latest first."""

    async def read(path):
        return (await ask("GET", f"{path}/history")).json()["items"]

    return read


class TestCategory:
    async def test_tells_every_change_with_its_actor(self, ask, told):
        made = (await ask("POST", "categories", {"name": "Teas"})).json()
        await ask("PATCH", "categories/teas", {"name": "Tea", "position": 3})
        await ask("PATCH", "categories/teas", {"position": 3})
        german = "categories/teas/translations/de"
        for _ in range(2):
            await ask("PUT", german, {"name": "Tee"})
        await ask("DELETE", german)

        notes = await told("categories/teas")
        await ask("DELETE", "categories/teas")
        last, *rest = await told(f"categories/{made['id']}")

        assert [(one["action"], one["version"]) for one in notes] == [
            *(("changed", 4), ("changed", 3), ("changed", 2)),
            ("created", 1),
        ]
        assert {one["actor"][:4] for one in notes} == {"key:"}
        assert notes[2]["changes"] == [
            {"field": "/name", "old": "Teas", "new": "Tea"},
            {"field": "/position", "old": 0, "new": 3},
        ]
        texts = {"field": "/translations/de", "old": None, "new": {"name": "Tee"}}
        assert notes[1]["changes"] == [texts]
        assert notes[0]["changes"] == [{**texts, "old": {"name": "Tee"}, "new": None}]
        assert (last["action"], last["version"]) == ("deleted", 4)
        assert rest == notes

    async def test_tells_what_a_file_has_put_up(self, database, clock, told):
        draft = catalog.Draft(
            handle="sencha",
            title="Sencha",
            categories=("green",),
            variants=(
                catalog.VariantDraft(sku="S", price=Money(1, "EUR"), options={}),
            ),
        )
        shelves = [catalog.NewCategory(one, one) for one in ("drinks", "green")]
        arrival = catalog.Arrival(
            draft, categories=tuple(shelves), parents={"green": "drinks"}
        )

        for _ in range(2):
            await import_products(database, [arrival], clock=clock, actor="key:file")

        for handle in ("drinks", "green"):
            (note,) = await told(f"categories/{handle}")
            assert (note["action"], note["actor"]) == ("created", "key:file")


class TestAttribute:
    async def test_tells_every_change_with_its_actor(self, ask, told):
        body = {"code": "depth", "name": "Depth", "type": "number"}
        await ask("POST", "attributes", body)
        await ask("PATCH", "attributes/depth", {"filterable": True})
        await ask("PATCH", "attributes/depth", {"filterable": True})
        await ask("DELETE", "attributes/depth")
        await ask("POST", "attributes", body)

        notes = await told("attributes/depth")

        assert [(one["action"], one["version"]) for one in notes] == [
            *(("created", 1), ("deleted", 2), ("changed", 2), ("created", 1)),
        ]
        assert {one["actor"][:4] for one in notes} == {"key:"}
        assert notes[2]["changes"] == [
            {"field": "/filterable", "old": False, "new": True}
        ]


class TestHistories:
    async def test_come_in_pages(self, client, operator, ask):
        await ask("POST", "categories", {"name": "Teas"})
        for name in ("A", "B"):
            await ask("PATCH", "categories/teas", {"name": name})

        versions, link = [], "/v1/categories/teas/history?limit=1"
        while link is not None:
            page = await client.get(link, headers=operator)
            versions += [note["version"] for note in page.json()["items"]]
            link = page.links.get("next", {}).get("url")

        assert versions == [3, 2, 1]

    async def test_are_empty_of_what_was_there_before_them(self, ask, told, database):
        await ask("POST", "categories", {"name": "Teas"})
        body = {"code": "depth", "name": "Depth", "type": "number"}
        await ask("POST", "attributes", body)
        async with database.transaction() as tx:
            await tx.execute("TRUNCATE category_changes, attribute_changes")

        assert await told("categories/teas") == []
        assert await told("attributes/depth") == []

    @cases(
        "path",
        [
            *(
                "categories/never",
                "categories/01a20879-66a8-7c01-8ec1-3e3178471f5c",
                "categories/%00",
            ),
            *("attributes/never", "attributes/N%20o", "attributes/%00"),
        ],
    )
    async def test_are_nothing_of_what_there_never_was(self, client, operator, path):
        answer = await client.get(f"/v1/{path}/history", headers=operator)

        assert answer.status_code == 404
