"""What is shown or referred to at the very instant it is deleted never dangles.

Two connections, in both orders: whoever has the lock first wins, the other is told.
"""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import catalog, inventory, media
from holdfast.domain.catalog import ProductInvalid, ProductReferenced
from holdfast.domain.media import MediaInUse, Picture, Upload
from holdfast.kernel.ids import new_id
from holdfast.workflows import catalog as products
from holdfast.workflows import media as pictures
from holdfast.workflows.attributes import define
from holdfast.workflows.showing import show


@pytest.fixture
def a_ware(shop, a_product):
    """Put a product into the shop, without stock; its id."""

    async def put(sku):
        variant_id = await a_product(sku, on_hand=0)
        return await shop.db.fetchval(
            "SELECT product_id FROM variants WHERE id = $1", variant_id
        )

    return put


async def refused(error, work):
    """What a piece of work is refused with."""
    with pytest.raises(error) as caught:
        await work
    return caught.value


async def draft_of(shop, product_id):
    document = await catalog.read_by_id(shop.db, [product_id], at=shop.clock())
    return catalog.draft_of(document[product_id].product())


async def change(tx, shop, product_id, draft):
    """Change a product in a transaction that somebody else ends."""
    await catalog.lock_one(tx, product_id, at=shop.clock())
    await catalog.check_attributes(tx, [draft.attributes])
    await catalog.change(tx, [catalog.Entry(product_id, draft)], at=shop.clock())
    await show(tx, [product_id])


class TestPicture:
    @pytest.fixture
    async def asset(self, shop):
        upload = Upload(new_id(), Picture("png", 8, 8), 1, "00" * 32, "a.png", "")
        async with shop.db.transaction() as tx:
            await media.add(tx, upload, actor="test", at=shop.clock())
            return await media.arrived(tx, upload.id, at=shop.clock())

    @pytest.fixture
    def showing(self, asset):
        """The edit that shows it."""
        image = catalog.Image(media.path_of(asset.address, "large.webp"))

        def edit(draft):
            return replace(draft, images=(image,))

        return edit

    async def test_that_is_being_shown_is_not_removed(
        self, shop, a_ware, asset, showing, meanwhile
    ):
        product_id = await a_ware("TEA")
        draft = showing(await draft_of(shop, product_id))
        removing = pictures.remove(shop.db, asset.id, clock=shop.clock)

        async with asyncio.TaskGroup() as tasks, shop.db.transaction() as tx:
            await change(tx, shop, product_id, draft)
            task = await meanwhile(tasks, refused(MediaInUse, removing))

        assert task.result().product_ids == [product_id]
        assert (await media.find(shop.db, asset.id)).id == asset.id

    async def test_that_is_being_removed_is_not_shown(
        self, shop, a_ware, asset, showing, meanwhile
    ):
        product_id = await a_ware("TEA")
        adding = products.change_product(shop.db, product_id, showing, clock=shop.clock)

        async with asyncio.TaskGroup() as tasks, shop.db.transaction() as tx:
            await media.lock(tx, asset.id, versions=None)
            await media.remove(tx, asset.id, at=shop.clock())
            task = await meanwhile(tasks, refused(ProductInvalid, adding))

        assert task.result().errors[0].pointer == "/images/0/url"
        assert (await draft_of(shop, product_id)).images == ()

    async def test_that_an_import_brings_along_need_not_be_here_yet(
        self, shop, a_ware, showing, asset
    ):
        product_id = await a_ware("TEA")
        draft = showing(await draft_of(shop, product_id))
        await pictures.remove(shop.db, asset.id, clock=shop.clock)

        async with shop.db.transaction() as tx:
            await catalog.lock_one(tx, product_id, at=shop.clock())
            entry = catalog.Entry(product_id, draft, source_hash=b"file")
            await catalog.change(tx, [entry], at=shop.clock())
            await show(tx, [product_id])
        # Whoever edits such a product by hand later is not kept from it.
        titled = await products.change_product(
            *(shop.db, product_id, lambda draft: replace(draft, title="Oolong")),
            clock=shop.clock,
        )

        assert titled.product().title == "Oolong"
        assert titled.product().images[0].asset_id is None


class TestReference:
    @pytest.fixture(autouse=True)
    async def defined(self, shop):
        wanted = catalog.AttributeDraft(
            code="goes_with", name="Goes with", type="reference"
        )
        await define(shop.db, wanted, clock=shop.clock)

    @pytest.fixture
    def deletion(self, shop):
        def of(product_id):
            return products.delete_product(
                shop.db, product_id, clock=shop.clock, actor="test", versions=None
            )

        return of

    def refers(self, target):
        def edit(draft):
            return replace(draft, attributes={"goes_with": str(target)})

        return edit

    async def test_to_a_product_keeps_it_from_being_deleted(
        self, shop, a_ware, deletion
    ):
        tea, cup = await a_ware("TEA"), await a_ware("CUP")
        await products.change_product(shop.db, cup, self.refers(tea), clock=shop.clock)

        kept = await refused(ProductReferenced, deletion(tea))
        await products.change_product(
            *(shop.db, cup, lambda draft: replace(draft, attributes={})),
            clock=shop.clock,
        )
        await deletion(tea)

        assert (kept.product_ids, kept.attributes) == ([cup], ["goes_with"])

    async def test_to_itself_does_not(self, shop, a_ware, deletion):
        tea = await a_ware("TEA")
        await products.change_product(shop.db, tea, self.refers(tea), clock=shop.clock)

        await deletion(tea)

        assert await catalog.read_by_id(shop.db, [tea], at=shop.clock()) == {}

    async def test_that_is_being_made_keeps_it_as_well(
        self, shop, a_ware, deletion, meanwhile
    ):
        tea, cup = await a_ware("TEA"), await a_ware("CUP")
        draft = self.refers(tea)(await draft_of(shop, cup))

        async with asyncio.TaskGroup() as tasks, shop.db.transaction() as tx:
            await change(tx, shop, cup, draft)
            task = await meanwhile(tasks, refused(ProductReferenced, deletion(tea)))

        assert task.result().product_ids == [cup]

    async def test_to_what_is_being_deleted_is_refused(self, shop, a_ware, meanwhile):
        tea, cup = await a_ware("TEA"), await a_ware("CUP")
        making = products.change_product(
            shop.db, cup, self.refers(tea), clock=shop.clock
        )

        async with asyncio.TaskGroup() as tasks, shop.db.transaction() as tx:
            product = await catalog.lock_to_delete(tx, tea, at=shop.clock())
            await catalog.check_references(tx, tea)
            await inventory.close_levels(tx, [v.id for v in product.variants])
            await catalog.delete_product(tx, product)
            task = await meanwhile(tasks, refused(ProductInvalid, making))

        assert task.result().errors[0].pointer == "/attributes/goes_with"
        assert (await draft_of(shop, cup)).attributes == {}
