"""``holdfast import shopify``: the good rows go in, each bad one is named."""

import pytest

from holdfast.domain import catalog, inventory
from holdfast.domain.inventory import Wanted
from holdfast.kernel.ids import new_id

HEADER = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,"
    "Variant Price"
)


@pytest.fixture
def write(tmp_path):
    """Write a file of rows under the header."""

    def put(*rows, name="products.csv"):
        path = tmp_path / name
        path.write_bytes("\r\n".join([HEADER, *rows, ""]).encode())
        return path

    return put


@pytest.fixture
def skus(database):
    """The SKUs in the shop and their stock."""

    async def read():
        ids = await database.fetch("SELECT id FROM products")
        found = await catalog.read_by_id(database, [row["id"] for row in ids])
        return {
            variant.sku: variant.available
            for document in found.values()
            for variant in document.product().variants
        }

    return read


class TestImportShopify:
    async def test_takes_in_both_sample_catalogues_and_then_changes_nothing(
        self, holdfast, shared_data, database
    ):
        files = [str(f) for f in sorted((shared_data / "shopify").glob("*.csv"))]

        first = await holdfast("import", "shopify", *files)
        changed_at = await database.fetchval("SELECT max(updated_at) FROM products")
        second = await holdfast("import", "shopify", *files)

        assert (first.code, first.err) == (0, "")
        assert "20 created, 0 updated, 0 unchanged, 0 rows refused" in first.out
        assert (second.code, second.err) == (0, "")
        assert "0 created, 0 updated, 20 unchanged, 0 rows refused" in second.out
        assert changed_at == await database.fetchval(
            "SELECT max(updated_at) FROM products"
        )
        assert await database.fetchval("SELECT count(*) FROM products") == 40
        assert await inventory.drift(database) == []

    async def test_names_each_bad_row_and_takes_in_the_rest(
        self, holdfast, write, skus
    ):
        path = write(
            "tea,Tea,,,T-1,5,4.90",
            "bad,Bad,,,B-1,5,free",
            "coffee,Coffee,,,C-1,7,6",
            "short,row",
        )

        said = await holdfast("import", "shopify", str(path))

        assert said.code == 1
        assert said.err.splitlines() == [
            f"{path}:3: the price 'free' is not an amount",
            f"{path}:5: has 2 columns where the header has 7",
        ]
        assert said.out == (
            f"{path}: 2 created, 0 updated, 0 unchanged, 2 rows refused\n"
        )
        assert await skus() == {"T-1": 5, "C-1": 7}

    async def test_names_a_sku_that_is_there_already(self, holdfast, write, skus):
        path = write(
            "tea,Tea,,,T-1,5,4.90", "chai,Chai,,,T-1,1,5", "coffee,Coffee,,,C-1,7,6"
        )

        said = await holdfast("import", "shopify", str(path))
        again = await holdfast("import", "shopify", str(path))

        assert said.code == again.code == 1
        assert said.err == again.err
        assert said.err.splitlines() == [
            f"{path}:3: a variant of another product has this SKU: sku 'T-1'"
        ]
        assert await skus() == {"T-1": 5, "C-1": 7}

    async def test_names_a_product_that_began_before(self, holdfast, write):
        path = write(
            "tea,Tea,,,T-1,5,4.90", "coffee,Coffee,,,C-1,7,6", "tea,Tea,,,T-2,5,4.90"
        )

        said = await holdfast("import", "shopify", str(path))

        assert said.code == 1
        assert said.err.splitlines() == [
            f"{path}:4: the product 'tea' began already at {path}:2"
        ]

    async def test_takes_no_half_of_a_product_in(self, holdfast, write, skus):
        path = write(
            "tea,Tea,Size,S,T-1,5,4.90,more",
            "tea,Tea,Size,L,T-2,5,4.90",
            "coffee,Coffee,,,C-1,7,6",
            "tea,Tea,Size,M,T-3,5,4.90",
        )

        said = await holdfast("import", "shopify", str(path))

        assert said.err.splitlines() == [
            f"{path}:2: has 8 columns where the header has 7",
            f"{path}:5: the product 'tea' began already at {path}:3",
        ]
        assert await skus() == {"C-1": 7}

    async def test_names_what_only_the_shop_can_know(
        self, holdfast, write, database, clock
    ):
        path = write("tea,Tea,,,T-1,5,4.90")
        await holdfast("import", "shopify", str(path))
        offer = (await catalog.offers(database, ["T-1"]))["T-1"]
        async with database.transaction() as tx:
            wanted = [Wanted(offer.variant_id, "T-1", 3)]
            await inventory.reserve(tx, new_id(), wanted, at=clock())
        less = write("tea,Tea,,,T-1,2,4.90", "coffee,Coffee,,,C-1,7,6")

        said = await holdfast("import", "shopify", "--stock", str(less))

        assert said.code == 1
        assert said.err.startswith(f"{less}:2: the stock cannot be set below")
        assert "1 created, 0 updated, 0 unchanged, 1 row refused" in said.out

    async def test_leaves_stock_alone_unless_told(self, holdfast, write, skus):
        await holdfast("import", "shopify", str(write("tea,Tea,,,T-1,5,4.90")))
        changed = str(write("tea,Tea!,,,T-1,9,4.90"))

        said = await holdfast("import", "shopify", changed)
        assert "0 created, 1 updated" in said.out
        assert await skus() == {"T-1": 5}

        await holdfast("import", "shopify", changed, "--stock")
        assert await skus() == {"T-1": 9}

    async def test_says_which_rule_an_update_breaks(self, holdfast, write):
        rows = "tea,Tea,Size,S,T-1,5,4.90", "tea,,,L,T-2,5,4.90"
        await holdfast("import", "shopify", str(write(*rows)))

        said = await holdfast("import", "shopify", str(write("tea,Tea,,,T-1,5,4.90")))

        assert said.code == 1
        assert "variants/1/options must be given for exactly" in said.err

    async def test_takes_in_more_than_one_batch(self, holdfast, write, skus):
        rows = [f"tea-{n},Tea,,,T-{n},{n},1" for n in range(120)]

        said = await holdfast("import", "shopify", str(write(*rows)))

        assert said.code == 0
        assert len(await skus()) == 120

    async def test_prices_in_the_currency_it_is_told(self, holdfast, write, database):
        path = write("tea,Tea,,,T-1,5,490")

        said = await holdfast("import", "shopify", "--currency", "jpy", str(path))

        assert said.code == 0
        offer = (await catalog.offers(database, ["T-1"]))["T-1"]
        assert str(offer.price) == "490 JPY"

    async def test_refuses_a_currency_that_is_none(self, holdfast, write):
        said = await holdfast("import", "shopify", "--currency", "XXX", str(write()))

        assert said.code == 2
        assert said.err == "'XXX' is not an ISO 4217 currency\n"

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "the file is empty"),
            (b"a,b\n", "the header has no column Handle, Title, Variant Price"),
            (HEADER.encode("utf-16"), "the file is UTF-16"),
        ],
    )
    async def test_refuses_a_file_it_cannot_use_and_takes_the_others(
        self, holdfast, write, skus, tmp_path, content, reason
    ):
        unusable = tmp_path / "unusable.csv"
        unusable.write_bytes(content)
        good = write("tea,Tea,,,T-1,5,4.90")

        said = await holdfast("import", "shopify", str(unusable), str(good))

        assert said.code == 2
        assert said.err.startswith(f"{unusable}:1: {reason}")
        assert await skus() == {"T-1": 5}

    async def test_refuses_a_file_that_is_not_there(self, holdfast, tmp_path):
        said = await holdfast("import", "shopify", str(tmp_path / "none.csv"))

        assert said.code == 2
        assert said.err == f"{tmp_path / 'none.csv'}: No such file or directory\n"
