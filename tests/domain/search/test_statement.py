"""Statements put together from parts."""

from holdfast.domain.search.statement import among, composed, part, shifted

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


class TestAmong:
    def test_puts_a_condition_wherever_there_is_room_for_it(self):
        bare = composed(WHOLE, frozenset(), instead={})

        text = among(bare.sql, "b = $1", 2)

        assert text.count("b = $3") == 2


class TestParts:
    def test_are_found_and_shifted(self):
        assert shifted(part(WHOLE, "one"), 4) == " a > $5 AND true /* among */ "
