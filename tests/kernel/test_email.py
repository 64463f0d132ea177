import pytest

from holdfast.kernel.email import canonical, without_addresses


class TestCanonical:
    @pytest.mark.parametrize(
        "typed", ["ada@example.com", " Ada@Example.COM ", "ADA@EXAMPLE.COM"]
    )
    def test_is_one_for_all_ways_to_type_an_address(self, typed):
        assert canonical(typed) == "ada@example.com"

    def test_is_one_for_composed_and_decomposed_letters(self):
        assert canonical("zo\u00eb@example.com") == canonical("zoe\u0308@example.com")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            # Two domains, for either of which somebody else may be the owner.
            ("ada@strasse.example", "ada@stra\N{LATIN SMALL LETTER SHARP S}e.example"),
            ("ada@example.com", "\N{CYRILLIC SMALL LETTER A}da@example.com"),
            ("ada@example.com", "\N{FULLWIDTH LATIN SMALL LETTER A}da@example.com"),
            ("sam@example.com", "\N{LATIN SMALL LETTER LONG S}am@example.com"),
            ("fia@example.com", "\N{LATIN SMALL LIGATURE FI}a@example.com"),
            ("ines@example.com", "\N{LATIN SMALL LETTER DOTLESS I}nes@example.com"),
        ],
        ids=["sharp s", "Cyrillic", "full width", "long s", "ligature", "dotless i"],
    )
    def test_keeps_addresses_apart_that_only_look_alike(self, one, other):
        assert canonical(one) != canonical(other)

    @pytest.mark.parametrize(
        "typed",
        ["\u0130@example.com", "ST\u0301\u0323@example.com", "\u212a@x.example"],
    )
    def test_of_a_canonical_one_changes_nothing(self, typed):
        assert canonical(canonical(typed)) == canonical(typed)

    def test_keeps_dots_and_tags(self):
        assert canonical("a.da+tea@example.com") == "a.da+tea@example.com"

    def test_does_not_compose_a_megabyte_of_accents(self):
        # Unbounded, this would run for most of an hour.
        assert len(canonical("a" + "\u0301\u0323" * 500_000)) <= 512


class TestWithoutAddresses:
    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            ("550 <ada@example.com> is unknown", "550 <[address]> is unknown"),
            ("{'ada@example.com': (550, b'no')}", "{'[address]': (550, b'no')}"),
            ("TO:ada+tea@b.example, bob@c.example", "TO:[address], [address]"),
            ("421 too busy", "421 too busy"),
        ],
    )
    def test_takes_every_address_out_of_a_text(self, said, kept):
        assert without_addresses(said) == kept
