import pytest

from holdfast.resilience.rate import Quota, StoreUnavailable
from holdfast.resilience.rate.script import (
    SHA,
    by_hash,
    by_source,
    keys_of,
    tag_of,
    verdict_of,
    words,
)

QUOTA = Quota("quick", burst=3, tokens=1)


class TestWords:
    def test_are_keys_and_numbers_in_the_order_the_script_reads_them(self):
        arguments = words("ada", [QUOTA], 1, 2)

        assert arguments == (1, "rl:{ada}:quick", 1, 2, 1_000_000, 3_000_000)
        assert by_hash(arguments)[:3] == ("EVALSHA", SHA, 1)
        assert by_source(arguments)[0] == "EVAL"


class TestTagOf:
    @pytest.mark.parametrize("subject", ["customer:7", "2001:db8::/64", "a.b-c_d"])
    def test_is_the_subject_where_that_is_plain(self, subject):
        assert tag_of(subject) == subject

    @pytest.mark.parametrize("subject", ["", "}", "a b", "ada@example.com", "x" * 81])
    def test_is_a_digest_of_what_is_not(self, subject):
        assert tag_of(subject)[0] == "#"
        assert len(tag_of(subject)) == 41
        assert tag_of(tag_of(subject)) != tag_of(subject)

    def test_tells_subjects_apart(self):
        tags = {tag_of(subject) for subject in ("a b", "a  b", "ab", "#ab")}

        assert len(tags) == 4

    def test_is_the_same_in_all_keys_of_a_subject(self):
        keys = keys_of("odd }{ one", [QUOTA, Quota("other", 1, 1)])

        assert len({key[: key.index("}")] for key in keys}) == 1


class TestVerdictOf:
    @pytest.mark.parametrize("reply", [None, b"OK", [], [1, 2], [1, 2, 3, 4]])
    def test_knows_an_answer_that_is_none(self, reply):
        with pytest.raises(StoreUnavailable, match="none"):
            verdict_of(reply, [QUOTA], 1)
