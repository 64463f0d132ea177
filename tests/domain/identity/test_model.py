from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import identity
from holdfast.domain.identity import Anonymous, Guest, Operator, UnknownScopes

KEY_ID = UUID("0192f3c4-0000-7000-8000-000000000000")


class TestMint:
    @given(random=st.binary(min_size=32, max_size=32))
    def test_makes_plausible_tokens_of_one_length(self, random):
        token = identity.mint(identity.KEY_PREFIX, random)

        assert identity.plausible(token, identity.KEY_PREFIX)
        assert len(token) == 53

    @given(
        one=st.binary(min_size=32, max_size=32), two=st.binary(min_size=32, max_size=32)
    )
    def test_makes_different_tokens_of_different_chances(self, one, two):
        tokens = {identity.mint("hfk_", one), identity.mint("hfk_", two)}

        assert len(tokens) == (1 if one == two else 2)


class TestPlausible:
    @given(
        random=st.binary(min_size=32, max_size=32),
        place=st.integers(4, 52),
        other=st.sampled_from("abcXYZ019-_"),
    )
    def test_refuses_a_token_with_one_character_mistyped(self, random, place, other):
        token = identity.mint(identity.KEY_PREFIX, random)
        mistyped = token[:place] + other + token[place + 1 :]

        found = identity.plausible(mistyped, identity.KEY_PREFIX)

        assert found is (mistyped == token)

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "hfk_",
            "hfk_" + "a" * 49,
            "x" * 53,
            "hfk_" + "é" * 49,
            "hfk_" + "\x00" * 49,
        ],
    )
    def test_refuses_what_nobody_made(self, token):
        assert not identity.plausible(token, identity.KEY_PREFIX)

    def test_refuses_a_token_of_another_kind(self):
        token = identity.mint(identity.CART_PREFIX, b"0" * 32)

        assert not identity.plausible(token, identity.KEY_PREFIX)


class TestFingerprint:
    def test_says_nothing_of_the_token(self):
        token = identity.mint(identity.KEY_PREFIX, b"1" * 32)

        assert len(identity.fingerprint(token)) == 32
        assert token[4:].encode() not in identity.fingerprint(token)


class TestShown:
    def test_is_too_little_to_use(self):
        token = identity.mint(identity.KEY_PREFIX, b"1" * 32)

        assert token.startswith(identity.shown(token))
        assert len(identity.shown(token)) == 10


class TestMay:
    def test_an_operator_may_what_the_key_says(self):
        operator = Operator(KEY_ID, "Ada", frozenset({"orders:read"}))

        assert identity.may(operator, "orders:read")
        assert not identity.may(operator, "orders:write")

    def test_nobody_else_may_anything(self):
        assert not identity.may(Anonymous(), "orders:read")
        assert not identity.may(Guest(b"0" * 32), "orders:read")


class TestActor:
    def test_names_who_did_it_without_their_secret(self):
        assert Anonymous().actor == "anonymous"
        assert Guest(bytes(range(32))).actor == "guest:0001020304050607"
        assert Operator(KEY_ID, "Ada", frozenset()).actor == f"key:{KEY_ID}"


class TestCheckScopes:
    def test_lets_known_scopes_pass(self):
        identity.check_scopes(identity.SCOPES)

    def test_names_those_that_do_not_exist(self):
        with pytest.raises(UnknownScopes) as raised:
            identity.check_scopes(["orders:read", "moon:land", "all"])

        assert raised.value.unknown == ["all", "moon:land"]
        assert raised.value.known == sorted(identity.SCOPES)
