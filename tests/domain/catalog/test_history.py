"""What a history says of two states of a product."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import catalog
from holdfast.domain.catalog import Difference, differences
from holdfast.kernel.money import Money

EUR = Money(999, "EUR")
TITLES = st.sampled_from(["Tea", "Cup"])
VARIANTS = st.lists(
    st.builds(
        catalog.VariantDraft,
        sku=st.sampled_from(["A", "B", "C/D", "E~F"]),
        price=st.builds(Money, st.integers(0, 2), st.just("EUR")),
        options=st.just({}),
        id=st.none(),
    ),
    max_size=3,
    unique_by=lambda variant: variant.sku,
).map(tuple)
DRAFTS = st.builds(
    catalog.Draft, handle=st.just("tea"), title=TITLES, variants=VARIANTS
)


class TestDifferences:
    @given(DRAFTS, DRAFTS)
    def test_are_none_exactly_between_equals(self, old, new):
        same = replace(new, variants=tuple(sorted(new.variants, key=lambda v: v.sku)))
        before = replace(old, variants=tuple(sorted(old.variants, key=lambda v: v.sku)))

        assert (differences(before, same) == []) == (before == same)

    @given(DRAFTS, DRAFTS)
    def test_are_told_the_other_way_round_from_the_other_side(self, old, new):
        there = {(d.field, repr(d.old), repr(d.new)) for d in differences(old, new)}
        back = {(d.field, repr(d.new), repr(d.old)) for d in differences(new, old)}

        assert there == back

    def test_follow_a_variant_to_another_sku(self):
        variant = catalog.VariantDraft(sku="A/1", price=EUR, options={}, id=UUID(int=1))
        old = catalog.Draft(handle="tea", title="Tea", variants=(variant,))
        new = replace(old, variants=(replace(variant, sku="B~2"),))

        assert differences(old, new) == [Difference("/variants/B~02/sku", "A/1", "B~2")]

    def test_know_variants_of_files_by_their_sku(self):
        ours = catalog.VariantDraft(sku="A", price=EUR, options={}, id=UUID(int=1))
        theirs = catalog.VariantDraft(sku="A", price=Money(1, "EUR"), options={})
        old = catalog.Draft(handle="tea", title="Tea", variants=(ours,))

        assert differences(old, replace(old, variants=(theirs,))) == [
            Difference(
                "/variants/A/price",
                {"amount": 999, "currency": "EUR"},
                {"amount": 1, "currency": "EUR"},
            )
        ]
