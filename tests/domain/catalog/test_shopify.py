"""Shopify's CSV, as it is and as it should not be."""

import tracemalloc
from io import BytesIO

import pytest

from holdfast.domain.catalog import (
    Arrival,
    Image,
    NewCategory,
    Option,
    RowFault,
    shopify_portions,
)
from holdfast.domain.catalog.csv_runs import MAX_ROWS
from holdfast.kernel.money import Money

HEADER = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,"
    "Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Qty,"
    "Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Position,"
    "Image Alt Text,Variant Image,Status,Collection,Variant Price Currency"
)


def read_shopify(file, *, currency="EUR"):
    """Products and what keeps others out, in the order of the file."""
    for portion in shopify_portions(file, currency=currency):
        yield from portion.faults
        if portion.arrival is not None:
            yield portion.arrival


@pytest.fixture
def read():
    """Read rows told as ``column=cell`` dicts, or as text."""

    def go(*rows, currency="EUR"):
        names = HEADER.split(",")
        lines = [
            row
            if isinstance(row, str)
            else ",".join(f'"{row.get(name, "")}"' for name in names)
            for row in rows
        ]
        file = BytesIO("\n".join([HEADER, *lines, ""]).encode())
        return list(read_shopify(file, currency=currency))

    return go


@pytest.fixture
def tea():
    """A row that is a product of its own."""

    def make(**other):
        names = {name.replace(" ", "_"): name for name in HEADER.split(",")}
        row = {"Handle": "tea", "Title": "Tea", "Variant Price": "4.90"}
        return row | {names[name]: cell for name, cell in other.items()}

    return make


class TestReadShopify:
    def test_reads_the_texts_from_the_first_row(self, read, tea):
        row = tea(
            Vendor="Holdfast",
            Type="Green Tea",
            Tags="a, b ,a,",
            Published="true",
            Variant_SKU="T-1",
            Variant_Grams="50.4",
            Variant_Compare_At_Price="5.90",
            Variant_Barcode="'0123",
            Collection="New, Gifts",
        )
        row["Body (HTML)"] = "<p onclick=x>Fine\ntea</p>"

        (arrival,) = read(row)

        draft = arrival.draft
        assert (draft.handle, draft.title, draft.vendor) == ("tea", "Tea", "Holdfast")
        assert draft.description_html == "<p>Fine\ntea</p>"
        assert (draft.product_type, draft.tags) == ("Green Tea", ("a", "b"))
        assert draft.status == "active"
        assert draft.categories == ("green-tea", "new", "gifts")
        assert arrival.categories[0] == NewCategory("green-tea", "Green Tea")
        (variant,) = draft.variants
        assert (variant.sku, variant.weight_grams) == ("T-1", 50)
        assert variant.price == Money(490, "EUR")
        assert variant.compare_at_price == Money(590, "EUR")
        assert variant.barcode == "0123"
        assert arrival.line == 2

    def test_reads_further_rows_as_variants_and_images(self, read, tea):
        first = tea(
            Option1_Name="Size",
            Option1_Value="S",
            Option2_Name="Colour",
            Option2_Value="Red",
            Image_Src="https://a/2",
            Image_Position="2",
        )
        second = {
            "Handle": "tea",
            "Option1 Value": "L",
            "Option2 Value": "Red",
            "Variant Price": "6",
            "Image Src": "https://a/1",
            "Image Position": "1",
            "Image Alt Text": "One",
        }
        third = {"Handle": "tea", "Image Src": "https://a/1"}

        (arrival,) = read(first, second, third)

        draft = arrival.draft
        assert draft.options == (Option("Size", ("S", "L")), Option("Colour", ("Red",)))
        assert [v.sku for v in draft.variants] == ["tea-1", "tea-2"]
        assert draft.variants[1].options == {"Size": "L", "Colour": "Red"}
        assert draft.images == (Image("https://a/1", "One"), Image("https://a/2"))

    def test_takes_the_image_of_a_variant_from_the_products_or_adds_it(self, read, tea):
        sized = {"Option1_Name": "Size", "Image_Position": "2"}
        first = tea(**sized, Option1_Value="S", Image_Src="https://a/2")
        second = {"Handle": "tea", "Image Src": "https://a/1", "Image Position": "1"}
        others = [
            {
                "Handle": "tea",
                "Option1 Value": size,
                "Variant Price": "6",
                "Variant Image": url,
            }
            for size, url in (("M", "https://a/2"), ("L", "https://a/3"))
        ]

        (arrival,) = read(first, second, *others)

        urls = [image.url for image in arrival.draft.images]
        assert urls == ["https://a/1", "https://a/2", "https://a/3"]
        assert arrival.shown == {"tea-2": 2, "tea-3": 3}

    def test_sees_nothing_to_choose_in_a_default_title(self, read, tea):
        (arrival,) = read(tea(Option1_Name="Title", Option1_Value="Default Title"))

        assert arrival.draft.options == ()
        assert arrival.draft.variants[0].options == {}

    def test_has_a_choice_beside_a_default_title(self, read, tea):
        first = tea(
            Option1_Name="Title",
            Option1_Value="Default Title",
            Option2_Name="Size",
            Option2_Value="S",
        )
        second = {
            "Handle": "tea",
            "Option1 Value": "Default Title",
            "Option2 Value": "L",
            "Variant Price": "5",
        }

        (arrival,) = read(first, second)

        assert [option.name for option in arrival.draft.options] == ["Title", "Size"]

    @pytest.mark.parametrize(
        ("published", "status", "expected"),
        [
            ("", "", "active"),
            ("TRUE", "", "active"),
            ("false", "", "draft"),
            ("true", "draft", "draft"),
            ("true", "Archived", "archived"),
            ("false", "active", "draft"),
        ],
    )
    def test_puts_on_sale_what_was_on_sale(
        self, read, tea, published, status, expected
    ):
        (arrival,) = read(tea(Published=published, Status=status))

        assert arrival.draft.status == expected

    @pytest.mark.parametrize(
        ("written", "units"), [("7", {"tea-1": 7}), ("-3", {"tea-1": 0}), ("", {})]
    )
    def test_counts_stock_where_the_file_does(self, read, tea, written, units):
        (arrival,) = read(tea(Variant_Inventory_Qty=written))

        assert arrival.on_hand == units

    def test_prices_in_the_minor_units_of_the_currency(self, read, tea):
        (arrival,) = read(tea(), currency="JPY")

        assert arrival.draft.variants[0].price == Money(5, "JPY")

    def test_prices_in_the_currency_that_a_row_says(self, read, tea):
        yen = tea(Variant_Price_Currency="jpy", Variant_Compare_At_Price="900")

        said, assumed = read(yen, tea(Handle="coffee"), currency="GBP")

        (variant,) = said.draft.variants
        assert variant.price == Money(5, "JPY")
        assert variant.compare_at_price == Money(900, "JPY")
        assert assumed.draft.variants[0].price == Money(490, "GBP")
        assert (said.says_currency, assumed.says_currency) == (True, False)

    def test_takes_a_price_of_nothing_to_compare_with_as_none(self, read, tea):
        (arrival,) = read(tea(Variant_Compare_At_Price="0.00"))

        assert arrival.draft.variants[0].compare_at_price is None

    def test_hashes_the_product_and_not_the_file(self, read, tea):
        (one,) = read(tea(Variant_Inventory_Qty="3"))
        _, same = read(tea(Handle="other"), tea(Variant_Inventory_Qty="9"))
        (changed,) = read(tea(Vendor="Somebody"))

        assert one.source_hash == same.source_hash
        assert one.source_hash != changed.source_hash

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"Variant_Price": ""}, "the variant has no price"),
            ({"Variant_Price": "-1"}, "'-1' is not an amount"),
            ({"Variant_Price": "NaN"}, "'NaN' is not an amount"),
            ({"Variant_Price": "1e300"}, "is not an amount"),
            ({"Variant_Price": "9" * 60}, "..."),
            ({"Variant_Price": "5 EUR"}, "'5 EUR' is not an amount"),
            ({"Variant_Price_Currency": "EUX"}, "the currency 'EUX' is not one of"),
            ({"Variant_Price_Currency": "e" * 60}, "..."),
            ({"Variant_Compare_At_Price": "x"}, "'x' is not an amount"),
            ({"Variant_Grams": "heavy"}, "grams 'heavy' is not a number"),
            ({"Variant_Grams": "-1"}, "grams '-1' is out of range"),
            ({"Variant_Grams": "Infinity"}, "out of range"),
            ({"Variant_Grams": "1e10"}, "weight_grams must be"),
            ({"Variant_Inventory_Qty": "many"}, "quantity 'many' is not a number"),
            ({"Image_Src": "http://a", "Image_Position": "x"}, "image position 'x'"),
            ({"Image_Src": "javascript:x"}, "images/url must be"),
            ({"Variant_Image": "javascript:x"}, "images/url must be"),
            ({"Title": ""}, "must have a title"),
            ({"Handle": "???"}, "handle must be"),
            ({"Handle": ""}, "handle must be"),
            ({"Status": "sold"}, "status must be"),
            ({"Published": "maybe"}, "published must be"),
            ({"Vendor": "v" * 256}, "vendor must have"),
            ({"Variant_SKU": "s" * 256}, "variants/sku must have"),
            ({"Option2_Name": "Colour"}, "the variant has no 'Colour'"),
        ],
    )
    def test_says_which_row_keeps_a_product_out(self, read, tea, fields, reason):
        bad = tea(Option1_Name="Size", Option1_Value="S") | tea(**fields)

        fault, good = read(bad, tea(Handle="coffee"))

        assert isinstance(fault, RowFault)
        assert fault.line == 2
        assert reason in fault.message
        assert isinstance(good, Arrival)

    def test_keeps_a_product_whole_or_out(self, read, tea):
        first = tea(Option1_Name="Size", Option1_Value="S")
        bad = {"Handle": "tea", "Option1 Value": "L", "Variant Price": "x"}
        worse = {"Handle": "tea", "Vendor": "only a vendor"}

        found = read(first, bad, worse, tea(Handle="coffee"))

        assert [getattr(f, "line", None) for f in found] == [3, 4, 5]
        assert [type(f) for f in found] == [RowFault, RowFault, Arrival]

    def test_names_the_line_of_the_variant_that_is_wrong(self, read, tea):
        first = tea(Option1_Name="Size", Option1_Value="S", Variant_SKU="A")
        twin = {
            "Handle": "tea",
            "Option1 Value": "S",
            "Variant Price": "5",
            "Variant SKU": "B",
        }

        (fault,) = read(first, twin)

        assert fault == RowFault(3, "variants/options are those of another variant")

    def test_names_the_line_of_the_image_that_is_wrong(self, read, tea):
        first = tea(Image_Src="https://a/2", Image_Position="2")
        bad = {"Handle": "tea", "Image Src": "ftp://a/1", "Image Position": "1"}
        twin = {"Handle": "tea", "Image Src": "https://a/2", "Image Position": "2"}
        worse = {"Handle": "tea", "Image Src": "ftp://a/3", "Image Position": "3"}

        found = read(first, bad, twin, worse)

        assert [fault.line for fault in found] == [3, 5]

    def test_names_the_line_of_the_variant_whose_image_is_wrong(self, read, tea):
        first = tea(Option1_Name="Size", Option1_Value="S", Image_Src="https://a/1")
        second = {
            "Handle": "tea",
            "Option1 Value": "L",
            "Variant Price": "5",
            "Variant Image": "ftp://a/2",
        }

        (fault,) = read(first, second)

        assert fault.line == 3
        assert fault.message.startswith("images/url must be")

    @pytest.mark.parametrize(
        "unreadable", ["tea,short", "what is this", 'tea,"a" b', ",,,"]
    )
    def test_an_unreadable_row_keeps_out_the_product_around_it(
        self, read, tea, unreadable
    ):
        image = {"Handle": "tea", "Image Src": "http://a"}

        found = read(tea(), unreadable, image, tea(Handle="coffee"))

        assert [type(f) for f in found] == [RowFault, Arrival]
        assert found[0].line == 3
        assert found[1].draft.handle == "coffee"

    def test_an_unreadable_row_of_another_product_keeps_nobody_else_out(
        self, read, tea
    ):
        found = read(tea(), "other,short", tea(Handle="coffee"))

        assert [type(f) for f in found] == [Arrival, RowFault, Arrival]

    def test_an_unreadable_row_amid_a_product_is_taken_for_its_own(self, read, tea):
        image = {"Handle": "tea", "Image Src": "http://a"}

        found = read(tea(), "other,short", image)

        assert [type(f) for f in found] == [RowFault]

    def test_reports_a_file_of_nothing_but_unreadable_rows(self, read):
        assert [fault.line for fault in read("a,b", "c,d")] == [2, 3]

    def test_reports_a_product_without_end_once(self, read, tea):
        image = {"Handle": "tea", "Image Src": "http://a"}

        (fault,) = read(tea(), *[image] * (MAX_ROWS + 5))

        assert fault == RowFault(MAX_ROWS + 2, "the product is too large")

    def test_reads_both_sample_catalogues_without_a_fault(self, shared_data):
        found = []
        for name in ("apparel.csv", "home-and-garden.csv"):
            with (shared_data / "shopify" / name).open("rb") as file:
                found += read_shopify(file, currency="EUR")

        assert len(found) == 40
        assert all(isinstance(arrival, Arrival) for arrival in found)

    def test_needs_no_more_memory_for_a_longer_file(self, tmp_path, tea):
        path = tmp_path / "long.csv"
        names = HEADER.split(",")
        with path.open("w") as file:
            file.write(HEADER + "\n")
            for number in range(1_500):
                row = tea(Handle=f"tea-{number}") | {"Body (HTML)": "word " * 600}
                cells = (str(row.get(name, "")) for name in names)
                file.write(",".join(cells) + "\n")

        tracemalloc.start()
        with path.open("rb") as file:
            arrivals = sum(1 for _ in read_shopify(file, currency="EUR"))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert arrivals == 1_500
        assert path.stat().st_size > 4_500_000
        assert peak_bytes < 1_000_000
