"""Statements put together from parts."""

from holdfast.domain.search.statement import composed, length_for, part, shifted

WHOLE = """-- Of $1 to $4.
SELECT /* as one: */ a > $1 AND true /* among */ /* end one */,
       true /* same one */ /* when more: */, $3 /* when most: */, $4 /* end most */
       /* end more */, $2;"""


class TestComposed:
    def test_leaves_out_what_is_not_wanted_and_numbers_anew(self):
        bare = composed(WHOLE, frozenset(), instead={})
        more = composed(WHOLE, frozenset({"more"}), instead={", $2": ""})

        assert "--" not in bare.sql
        assert "/* when" not in bare.sql
        assert bare.sql.count("a > $1") == 2
        assert bare.pick("wxyz") == ["w", "x"]
        assert "$4" not in more.sql
        assert more.pick("wxyz") == ["w", "y"]

    def test_has_most_only_with_more(self):
        every = composed(WHOLE, frozenset({"more", "most"}), instead={})
        alone = composed(WHOLE, frozenset({"most"}), instead={})

        assert every.pick("wxyz") == ["w", "x", "y", "z"]
        assert alone.pick("wxyz") == ["w", "x"]


class TestWithoutValues:
    OPTIONAL = "SELECT $1::text[] IS NULL OR a && $1, b = $2, $3::uuid IS NOT NULL;"

    def test_says_before_it_is_planned_what_has_a_value(self):
        found = composed(self.OPTIONAL, frozenset(), instead={}, absent={1})

        assert found.sql == ("SELECT True OR a && NULL::text[], b = $1, True;")
        assert found.pick("xyz") == ["y"]

    def test_keeps_the_type_of_what_has_one(self):
        found = composed(self.OPTIONAL, frozenset(), instead={}, absent={3})

        assert found.sql == "SELECT False OR a && $1::text[], b = $2, False;"

    def test_knows_how_far_it_walks(self):
        walk = "SELECT a LIMIT $20::integer + 1;"

        assert composed(walk, frozenset(), instead={}, most=20).sql == (
            "SELECT a LIMIT 20 + 1;"
        )
        assert [length_for(limit) for limit in (1, 20, 21, 100)] == [20, 20, 100, 100]


class TestAmong:
    def test_puts_a_condition_wherever_there_is_room_for_it(self):
        found = composed(WHOLE, frozenset(), instead={}, among="b = $1")

        assert found.sql.count("b = $3") == 2


class TestParts:
    def test_are_found_and_shifted(self):
        assert shifted(part(WHOLE, "one"), 4) == " a > $5 AND true /* among */ "
