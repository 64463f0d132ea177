"""A cursor leads back to where it was made, and nothing else is one."""

import base64
import json
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.kernel.page import (
    BadCursor,
    Page,
    decode_cursor,
    decode_id_cursor,
    encode_cursor,
)

# What PostgreSQL can store as text: no NUL, and whole characters only.
storable = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
)


class TestPage:
    def test_ends_with_no_cursor(self):
        assert Page([1, 2], None).next is None


class TestEncodeCursor:
    @given(st.lists(storable, min_size=1, max_size=3))
    def test_needs_no_quoting_in_a_url(self, key):
        assert set(encode_cursor(*key)) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        )


class TestDecodeCursor:
    @given(st.lists(storable, min_size=1, max_size=3))
    def test_gives_back_the_key_that_was_packed(self, key):
        assert decode_cursor(encode_cursor(*key), len(key)) == tuple(key)

    @given(st.text(max_size=600), st.integers(1, 3))
    @example("é", 1)
    @example("A", 1)
    @example("A" * 513, 1)
    def test_any_text_is_a_key_or_refused(self, text, parts):
        try:
            key = decode_cursor(text, parts)
        except BadCursor:
            return
        assert len(key) == parts
        assert all(isinstance(part, str) for part in key)

    @pytest.mark.parametrize(
        "content",
        [
            b"{}",
            b'"a"',
            b"[]",
            b'["a","b"]',
            b"[1]",
            b"[null]",
            b'["\\u0000"]',
            b'["\\ud800"]',
            b'["\xff"]',
            b"[" * 300,
            b"",
        ],
    )
    def test_refuses_what_no_list_gave_out(self, content):
        cursor = base64.urlsafe_b64encode(content).rstrip(b"=").decode()

        with pytest.raises(BadCursor):
            decode_cursor(cursor, 1)

    def test_refuses_a_cursor_of_another_list(self):
        with pytest.raises(BadCursor):
            decode_cursor(encode_cursor("a", "b"), 1)

    def test_refuses_nesting_deeper_than_the_parser_goes(self, monkeypatch):
        def too_deep(_text):
            raise RecursionError

        monkeypatch.setattr(json, "loads", too_deep)
        with pytest.raises(BadCursor):
            decode_cursor("AAAA", 1)


class TestDecodeIdCursor:
    @given(st.uuids())
    def test_gives_back_the_id_that_was_packed(self, row_id: UUID):
        assert decode_id_cursor(encode_cursor(str(row_id))) == row_id

    def test_refuses_a_key_that_is_no_id(self):
        with pytest.raises(BadCursor):
            decode_id_cursor(encode_cursor("tea"))
