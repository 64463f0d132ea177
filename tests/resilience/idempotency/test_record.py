"""What a key is, what it stands for, and what follows: rules that know no store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.idempotency import (
    Decision,
    Kept,
    Record,
    decide,
    fingerprint,
    is_hard_to_guess,
    parse,
)

VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


class TestParse:
    @pytest.mark.parametrize(
        ("value", "key"),
        [
            ("8e03978e", "8e03978e"),
            ('"8e03978e"', "8e03978e"),
            ("  spaced\t", "spaced"),
            (r'"a\"b\\c"', r'a"b\c'),
            ('"unended', '"unended'),
            (r'"odd\escape"', r'"odd\escape"'),
            ("x" * 255, "x" * 255),
        ],
    )
    def test_reads_strings_and_bare_tokens(self, value, key):
        assert parse(value) == key

    @pytest.mark.parametrize(
        "value",
        [
            "",
            " ",
            '""',
            "two words",
            '"two words"',
            "x" * 256,
            "\x7f",
            "k\xe9y",
            "a\nb",
        ],
    )
    def test_takes_nothing_else(self, value):
        assert parse(value) is None

    @given(VISIBLE.filter(lambda key: len(key) <= 255))
    def test_quoting_changes_nothing(self, key):
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')

        assert parse(f'"{quoted}"') == key


class TestHardToGuess:
    @pytest.mark.parametrize(
        "key",
        [
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
            "8E03978E40D543DDBC936894A57F9324",
            "01a205d7-7eeb-7269-b4fc-af9f632690cc",
            "hX7-2kq9ZbVw0LmNe4Rt",
        ],
    )
    def test_is_what_looks_random(self, key):
        assert is_hard_to_guess(key)

    @pytest.mark.parametrize(
        "key",
        [
            "1",
            "checkout",
            "hX7-2kq9ZbVw0LmNe4R",
            "a" * 100,
            "00000000-0000-0000-0000-000000000001",
            "1212121212121212121212121",
        ],
    )
    def test_is_nothing_that_others_use(self, key):
        assert not is_hard_to_guess(key)


class TestFingerprint:
    def test_is_32_bytes(self):
        assert len(fingerprint([])) == 32

    @given(st.lists(st.binary()), st.lists(st.binary()))
    def test_differs_for_every_two_lists(self, one, other):
        assert (fingerprint(one) == fingerprint(other)) == (one == other)


class TestDecide:
    ASKED = b"asked"

    def test_a_free_key_is_taken(self):
        assert decide(None, self.ASKED, now=0) is Decision.EXECUTE

    def test_of_another_request_is_a_mismatch_answered_or_not(self):
        for answer in (None, Kept(200)):
            record = Record(b"other", 0, answer)

            assert decide(record, self.ASKED, now=9) is Decision.MISMATCH

    def test_an_answer_is_told_again_whatever_became_of_the_lease(self):
        record = Record(self.ASKED, 0, Kept(200))

        assert decide(record, self.ASKED, now=9) is Decision.REPLAY

    def test_waits_for_as_long_as_the_lease(self):
        record = Record(self.ASKED, 30)

        assert decide(record, self.ASKED, now=30) is Decision.WAIT
        assert decide(record, self.ASKED, now=30.1) is Decision.TAKE_OVER
