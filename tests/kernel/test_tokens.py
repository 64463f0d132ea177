import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel import tokens


class TestMint:
    @given(random=st.binary(min_size=32, max_size=32))
    def test_makes_plausible_tokens_of_one_length(self, random):
        token = tokens.mint(tokens.API_KEY, random)

        assert tokens.plausible(token, tokens.API_KEY)
        assert len(token) == 53

    @given(
        one=st.binary(min_size=32, max_size=32), two=st.binary(min_size=32, max_size=32)
    )
    def test_makes_different_tokens_of_different_chances(self, one, two):
        made = {tokens.mint("hfk_", one), tokens.mint("hfk_", two)}

        assert len(made) == (1 if one == two else 2)


class TestPlausible:
    @given(
        random=st.binary(min_size=32, max_size=32),
        place=st.integers(4, 52),
        other=st.sampled_from("abcXYZ019-_"),
    )
    def test_refuses_a_token_with_one_character_mistyped(self, random, place, other):
        token = tokens.mint(tokens.API_KEY, random)
        mistyped = token[:place] + other + token[place + 1 :]

        found = tokens.plausible(mistyped, tokens.API_KEY)

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
        assert not tokens.plausible(token, tokens.API_KEY)

    def test_refuses_a_token_of_another_kind(self):
        token = tokens.mint(tokens.CART, b"0" * 32)

        assert not tokens.plausible(token, tokens.API_KEY)


class TestFingerprint:
    def test_says_nothing_of_the_token(self):
        token = tokens.mint(tokens.API_KEY, b"1" * 32)

        assert len(tokens.fingerprint(token)) == 32
        assert token[4:].encode() not in tokens.fingerprint(token)


class TestShown:
    def test_is_too_little_to_use(self):
        token = tokens.mint(tokens.API_KEY, b"1" * 32)

        assert token.startswith(tokens.shown(token))
        assert len(tokens.shown(token)) == 10


class TestWithoutTokens:
    def test_leaves_nothing_of_a_token_but_what_it_is_for(self):
        token = tokens.new_token(tokens.EMAIL)

        assert tokens.without_tokens(f"see /x?token={token}\nand {token}.") == (
            "see /x?token=hfm_...\nand hfm_...."
        )

    def test_leaves_other_text_alone(self):
        text = "half_hearted hfm_ hfk_short"

        assert tokens.without_tokens(text) == text
