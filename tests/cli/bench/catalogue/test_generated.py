"""Catalogues that are the same each time, of any size."""

import io
from itertools import islice

import pytest

from holdfast.cli.bench.catalogue import vocabulary
from holdfast.cli.bench.catalogue.generated import (
    CURRENCY,
    SIZES,
    arrivals,
    line,
    shelves,
)
from holdfast.cli.bench.instance import CannotBench
from holdfast.domain import catalog

NAMES = vocabulary.own_names()


class TestArrivals:
    def test_have_as_many_variants_as_are_wanted(self):
        products = list(arrivals(NAMES, 1_003))

        assert sum(len(one.draft.variants) for one in products) == 1_003
        assert {len(one.draft.variants) for one in products} >= {1, 4, 12}

    def test_are_the_same_each_time_and_go_on_where_a_shop_ends(self):
        first = list(arrivals(NAMES, 200))

        assert list(arrivals(NAMES, 200)) == first
        longer = arrivals(NAMES, 200, first=len(first) - 5)
        assert [one.draft.handle for one in islice(longer, 4)] == [
            one.draft.handle for one in first[-5:-1]
        ]

    def test_can_all_go_into_a_catalogue(self):
        products = list(arrivals(NAMES, 2_000))

        assert [
            f for one in products for f in catalog.faults(one.draft.cleaned())
        ] == []
        handles = {one.draft.handle for one in products}
        skus = {v.sku for one in products for v in one.draft.variants}
        assert len(handles) == len(products)
        assert len(skus) == 2_000

    def test_stand_on_shelves_that_are_there(self):
        leaves = {shelf.handle for shelf in shelves()[-1]}

        assert len(leaves) == 240
        assert {one.draft.categories[0] for one in arrivals(NAMES, 500)} <= leaves

    def test_have_something_of_everything_that_is_searched_for(self):
        products = list(arrivals(NAMES, 2_000))

        stock = [units for one in products for units in one.on_hand.values()]
        assert 0.1 < stock.count(0) / len(stock) < 0.2
        assert any(one.draft.options and one.draft.tags for one in products)
        assert any(v.compare_at_price for one in products for v in one.draft.variants)


class TestLine:
    def test_is_read_as_the_product_it_is_of(self):
        products = list(arrivals(NAMES, 300))
        file = io.BytesIO(b"".join(map(line, products)))

        read = list(catalog.jsonl_portions(file))

        assert [portion.faults for portion in read] == [()] * len(products)
        told = [portion.arrival for portion in read]
        assert [one and one.draft for one in told] == [one.draft for one in products]
        assert [one and one.on_hand for one in told] == [
            one.on_hand for one in products
        ]
        assert CURRENCY.encode() in file.getvalue()
        assert SIZES[0].encode() in file.getvalue()


class TestNamesIn:
    def test_takes_what_was_sold_once_and_no_notes_of_clerks(self, tmp_path):
        rows = [f"WHITE LANTERN NO {n}" for n in range(30)]
        said = ["Description", *rows, *rows, "?", "damaged", "WHAT IS THIS?", '""']
        (tmp_path / "2010.csv").write_text("\n".join(said))

        names = vocabulary.names_in(tmp_path)

        assert names == [f"White Lantern No {n}" for n in range(30)]

    def test_refuses_a_folder_that_says_too_little(self, tmp_path):
        with pytest.raises(CannotBench, match="0 descriptions"):
            vocabulary.names_in(tmp_path)


class TestNameOf:
    def test_is_each_name_as_it_is_before_any_are_mixed(self):
        assert [vocabulary.name_of(n, NAMES) for n in range(len(NAMES))] == NAMES

    def test_mixes_names_whose_words_are_those_of_the_data(self):
        mixed = {vocabulary.name_of(n, NAMES) for n in range(len(NAMES), 9_000)}

        words = {word for name in NAMES for word in name.split()}
        assert {word for name in mixed for word in name.split()} <= words
        assert len(mixed) > len(NAMES) / 2
