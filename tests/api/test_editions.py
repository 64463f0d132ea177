"""Nobody overwrites what they have not seen, and nobody is sent what they have."""

import pytest
from cases import cases

from holdfast.api import editions
from holdfast.api.decoding import InvalidRequest

BODY = {
    "title": "Tea",
    "status": "active",
    "images": [{"url": "/images/demo/a.webp"}, {"url": "/images/demo/a.webp"}],
    "variants": [{"sku": "TEA-1", "price": {"amount": 490, "currency": "EUR"}}],
}


@pytest.fixture
async def operator(an_operator):
    return await an_operator("products:write", "products:read", "inventory:write")


@pytest.fixture
async def made(client, operator):
    """The answer to the making of a product."""
    answer = await client.post("/v1/products", json=BODY, headers=operator)
    return answer.raise_for_status()


class TestVersions:
    @pytest.mark.parametrize(
        ("said", "versions"),
        [
            ("*", None),
            ('"7"', {7}),
            ('"7.Ab-_9"', {7}),
            ('"7.x", "8.y"', {7, 8}),
            ('W/"7"', set()),
            ('"0"', set()),
            ('"07"', set()),
            ('"99999999999999999999"', set()),
            ('"seven"', set()),
            ('""', set()),
        ],
    )
    def test_are_those_that_strong_tags_name(self, said, versions):
        assert editions.versions(said) == versions

    def test_must_be_named(self):
        with pytest.raises(editions.PreconditionRequired):
            editions.versions(None)

    @pytest.mark.parametrize("said", ["7", "", '"7', '"7" "8"', "\x00", '"é"'])
    def test_must_be_tags(self, said):
        with pytest.raises(InvalidRequest):
            editions.versions(said)


class TestReads:
    async def test_of_a_product_have_the_same_tag_by_any_name(self, client, made):
        by_id = await client.get(made.headers["Location"])
        by_handle = await client.get("/v1/products/tea")

        assert by_id.headers["ETag"] == by_handle.headers["ETag"]
        assert by_id.headers["ETag"].startswith('"1.')

    async def test_are_spared_whoever_has_it(self, client, made):
        tag = made.headers["ETag"]
        for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await client.get(
                "/v1/products/tea", headers={"If-None-Match": said}
            )

            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == tag

    @cases("said", ['"1"', "nonsense", '"', ""])
    @pytest.mark.usefixtures("made")
    async def test_are_whole_for_who_has_something_else(self, client, said):
        answer = await client.get("/v1/products/tea", headers={"If-None-Match": said})

        assert answer.status_code == 200

    async def test_tell_of_stock_though_no_version_does(self, client, operator, made):
        await client.put("/v1/inventory/TEA-1", json={"on_hand": 5}, headers=operator)

        now = await client.get(
            "/v1/products/tea", headers={"If-None-Match": made.headers["ETag"]}
        )

        assert now.status_code == 200
        assert now.json()["variants"][0]["available"] == 5
        assert now.json()["version"] == made.json()["version"]

    @pytest.mark.usefixtures("made")
    async def test_of_lists_have_tags_as_well(self, client):
        first = await client.get("/v1/products")
        tag = first.headers["ETag"]

        same = await client.get("/v1/products", headers={"If-None-Match": tag})
        other = await client.get("/v1/products?q=zzz", headers={"If-None-Match": tag})

        assert same.status_code == 304
        assert other.status_code == 200


class TestWrites:
    async def test_need_the_version_they_were_made_for(self, client, operator, made):
        path = made.headers["Location"]

        blind = await client.patch(path, json={"title": "Blind"}, headers=operator)
        first = await client.patch(
            path,
            json={"title": "First"},
            headers={**operator, "If-Match": made.headers["ETag"]},
        )
        late = await client.patch(
            path,
            json={"title": "Late"},
            headers={**operator, "If-Match": made.headers["ETag"]},
        )

        assert (blind.status_code, first.status_code, late.status_code) == (
            *(428, 200, 412),
        )
        assert late.json()["version"] == first.json()["version"] == 2
        assert (await client.get(path)).json()["title"] == "First"

    async def test_that_change_nothing_raise_no_version(self, client, operator, made):
        same = await client.patch(
            made.headers["Location"],
            json={"title": "Tea", "images": BODY["images"]},
            headers={**operator, "If-Match": "*"},
        )

        assert same.json() == made.json()

    async def test_keep_the_ids_of_images_that_stay(self, client, operator, made):
        first, second = (image["id"] for image in made.json()["images"])
        images = [{"url": "/images/demo/b.webp"}, *BODY["images"]]

        changed = await client.patch(
            made.headers["Location"],
            json={"images": images},
            headers={**operator, "If-Match": "*"},
        )

        assert [image["id"] for image in changed.json()["images"]][1:] == [
            *(first, second),
        ]
