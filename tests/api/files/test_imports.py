"""Importing over HTTP: a file is sent, worked off, and told of."""

import csv
import io
import json

import pytest
from cases import cases

from holdfast.domain import imports
from holdfast.workflows import import_files
from holdfast.workflows.imports import carry_on

TEA = (
    b'{"handle": "tea", "title": "Tea", "status": "active", "variants": [{"sku": "T-1",'
    b' "price": {"amount": 490, "currency": "EUR"}, "on_hand": 5}]}\n'
)


@pytest.fixture
async def staff(an_operator):
    return await an_operator("products:read", "products:write", "inventory:write")


@pytest.fixture
def send(client, staff):
    """Send a file as its body."""

    async def post(content, *, media="application/jsonl", key=None, **query):
        headers = {**staff, "Content-Type": media}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await client.post(
            "/v1/imports", content=content, headers=headers, params=query
        )

    return post


@pytest.fixture
def read(client, staff):
    async def get(path, **query):
        return await client.get(path, headers=staff, params=query)

    return get


@pytest.fixture
def work_off(shop):
    async def turns():
        while await carry_on(shop.db, clock=shop.clock):
            pass

    return turns


class TestCreate:
    async def test_answers_before_the_work_and_tells_of_it_afterwards(
        self, send, read, work_off
    ):
        made = await send(TEA + b"{\n")
        await work_off()
        after = (await read(made.headers["location"])).json()

        assert made.status_code == 201
        assert made.json()["status"] == "queued"
        assert made.json()["size_bytes"] == len(TEA) + 2
        assert after["status"] == "completed"
        assert (after["created"], after["refused"], after["progress"]) == (1, 1, 1.0)
        assert (await read("/v1/products/tea")).json()["variants"][0]["available"] == 5

    async def test_takes_a_file_in_pieces_of_any_size(self, client, staff, work_off):
        async def drops():
            for at in range(0, len(TEA), 11):
                yield TEA[at : at + 11]

        headers = {**staff, "Content-Type": "application/x-ndjson"}
        made = await client.post("/v1/imports", content=drops(), headers=headers)

        assert made.json()["size_bytes"] == len(TEA)

    async def test_reads_shopifys_csv_in_the_currency_that_is_said(
        self, send, read, work_off
    ):
        content = b"Handle,Title,Variant SKU,Variant Price\ntea,Tea,T-1,4.90\n"

        await send(content, media="text/csv; charset=utf-8", currency="GBP")
        await work_off()

        product = (await read("/v1/products/tea")).json()
        assert product["variants"][0]["price"] == {"amount": 490, "currency": "GBP"}

    @cases(
        ("media", "query", "status", "slug"),
        [
            ("application/json", {}, 415, "unsupported-media-type"),
            ("multipart/form-data; boundary=x", {}, 415, "unsupported-media-type"),
            ("", {}, 415, "unsupported-media-type"),
            ("text/csv", {"currency": "XXX"}, 422, "invalid-request"),
            ("text/csv", {"currency": "eur"}, 422, "invalid-request"),
            ("text/csv", {"stock": "some"}, 422, "invalid-request"),
            ("text/csv", {"dry_run": "1"}, 422, "invalid-request"),
        ],
    )
    async def test_refuses_what_it_cannot_read(self, send, media, query, status, slug):
        answer = await send(TEA, media=media, **query)

        assert answer.status_code == status
        assert answer.json()["type"] == f"/problems/{slug}"

    @pytest.mark.parametrize("stock", ["new", "all"])
    @pytest.mark.parametrize("held", ["products:write", "inventory:write"])
    async def test_takes_the_scope_of_products_and_that_of_stock(
        self, client, an_operator, database, stock, held
    ):
        headers = {**await an_operator(held), "Content-Type": "application/jsonl"}

        answer = await client.post(
            "/v1/imports", content=TEA, headers=headers, params={"stock": stock}
        )

        (missing,) = {"products:write", "inventory:write"} - {held}
        assert answer.status_code == 403
        assert answer.json()["scope"] == missing
        assert f'scope="{missing}"' in answer.headers["www-authenticate"]
        assert await database.fetchval("SELECT count(*) FROM import_jobs") == 0

    async def test_refuses_what_is_compressed(self, client, staff):
        headers = {**staff, "Content-Type": "text/csv", "Content-Encoding": "gzip"}

        answer = await client.post("/v1/imports", content=b"x", headers=headers)

        assert answer.status_code == 415

    async def test_refuses_nothing_at_all_and_leaves_none_of_it(
        self, send, read, database
    ):
        answer = await send(b"")

        assert answer.json()["type"] == "/problems/import-file-empty"
        assert (await read("/v1/imports")).json()["items"] == []

    async def test_refuses_more_than_a_gibibyte_before_it_comes(self, client, staff):
        headers = {**staff, "Content-Type": "text/csv", "Content-Length": str(2 << 30)}

        answer = await client.post("/v1/imports", content=b"x", headers=headers)

        assert answer.status_code == 413
        assert answer.json()["limit_bytes"] == 1 << 30

    async def test_a_file_that_is_cut_off_leaves_nothing_behind(self, database, clock):
        class CutOff(Exception):
            pass

        async def cut():
            yield b"x" * (3 << 20)
            raise CutOff

        wanted = import_files.Wanted("jsonl", "EUR", overwrite_stock=False, actor="a")
        with pytest.raises(CutOff):
            await import_files.receive(database, cut(), wanted, clock=clock)

        assert await database.fetchval("SELECT count(*) FROM import_jobs") == 0
        assert await database.fetchval("SELECT count(*) FROM import_chunks") == 0

    async def test_what_died_with_its_process_is_dropped_after_a_while(
        self, send, database, clock
    ):
        await send(TEA)
        await database.fetch("UPDATE import_jobs SET status = 'receiving' RETURNING id")
        clock.advance(minutes=16)

        async with database.transaction() as tx:
            await imports.forget(tx, now=clock(), limit=100)

        assert await database.fetchval("SELECT count(*) FROM import_chunks") == 0


class TestKey:
    async def test_the_same_file_again_is_the_same_import(self, send, read, work_off):
        first = await send(TEA, key="k-1")
        await work_off()
        again = await send(TEA, key='"k-1"')

        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"
        assert len((await read("/v1/imports")).json()["items"]) == 1

    @pytest.mark.parametrize(
        ("content", "query"), [(TEA + TEA, {}), (TEA, {"stock": "all"})]
    )
    async def test_another_file_or_wish_is_refused(self, send, content, query):
        await send(TEA, key="k-1")

        answer = await send(content, key="k-1", **query)

        assert answer.json()["type"] == "/problems/idempotency-key-reused"

    async def test_while_the_file_still_comes_nobody_is_told_of_it(
        self, send, shop, staff, monkeypatch, client
    ):
        monkeypatch.setattr(import_files, "_PATIENCE_SECONDS", 0.1)
        first = await send(TEA, key="k-1")
        await shop.db.fetch("UPDATE import_jobs SET status = 'receiving' RETURNING id")

        answer = await send(TEA, key="k-1")

        assert first.status_code == 201
        assert answer.json()["type"] == "/problems/idempotency-key-in-progress"


class TestBrowse:
    async def test_lists_the_newest_first_page_by_page(self, send, read):
        made = [(await send(TEA)).json()["id"] for _ in range(3)]

        first = (await read("/v1/imports", limit=2)).json()
        rest = (await read("/v1/imports", after=first["next"])).json()

        assert [one["id"] for one in first["items"]] == [made[2], made[1]]
        assert [one["id"] for one in rest["items"]] == [made[0]]
        assert rest["next"] is None


class TestCancel:
    async def test_ends_it_once(self, client, staff, send, work_off):
        path = (await send(TEA)).headers["location"] + "/cancel"

        first = await client.post(path, headers=staff)
        again = await client.post(path, headers=staff)
        await work_off()

        assert first.json()["status"] == "canceled"
        assert again.status_code == 409
        assert again.json()["import_status"] == "canceled"


class TestErrors:
    async def test_are_a_file_that_no_spreadsheet_runs(self, send, read, work_off):
        evil = b'{"handle": "=cmd|x", "title": "Tea", "variants": []}\n'
        made = await send(evil + TEA + b'{"title": 7}\n')
        await work_off()
        path = made.headers["location"] + "/errors"

        as_csv = await read(path)
        as_lines = await read(path, format="jsonl")

        rows = list(csv.reader(io.StringIO(as_csv.text)))
        assert as_csv.headers["content-disposition"].endswith('-errors.csv"')
        assert rows[0] == ["Line", "Handle", "Error"]
        assert rows[1][:2] == ["1", "'=cmd|x"]
        assert rows[-1] == ["3", "", "title: Expected `str`, got `int`"]
        told = [json.loads(line) for line in as_lines.text.splitlines()]
        assert told[0]["handle"] == "=cmd|x"
        assert len(told) == len(rows) - 1

    async def test_of_no_import_there_are_none(self, read):
        answer = await read("/v1/imports/01943a00-0000-7000-8000-000000000000/errors")

        assert answer.json()["type"] == "/problems/import-not-found"
