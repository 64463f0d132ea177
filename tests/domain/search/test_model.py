"""From what was typed to a question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.search.model import (
    Word,
    completed,
    correct,
    has_operators,
    question,
    sample_of,
    slips,
    spans,
    suggestions,
    with_operators,
)

WORDS = st.text("abc", max_size=6)


class TestSlips:
    @pytest.mark.parametrize(
        ("typed", "meant", "count"),
        [
            ("heart", "heart", 0),
            ("hart", "heart", 1),
            ("heaart", "heart", 1),
            ("heert", "heart", 1),
            ("haert", "heart", 1),
            ("hreat", "heart", 2),
            ("", "ab", 2),
        ],
    )
    def test_counts_letters_too_many_too_few_wrong_or_exchanged(
        self, typed, meant, count
    ):
        assert slips(typed, meant) == count

    @given(WORDS, WORDS)
    def test_is_the_same_both_ways_and_none_only_between_equals(self, one, other):
        assert slips(one, other) == slips(other, one)
        assert (slips(one, other) == 0) == (one == other)
        longer = max(len(one), len(other))
        assert abs(len(one) - len(other)) <= slips(one, other) <= longer


class TestCorrect:
    def test_takes_the_nearest_and_of_those_the_most_usual(self):
        near = [("hart", 1), ("chart", 2), ("heart", 9), ("hat", 5), ("hard", 3)]

        assert correct("haart", [("chat", 1), *near[2:]]) == ("heart",)
        assert correct("harx", near) == ("hard", "hart")

    def test_names_no_more_than_three(self):
        near = [(f"{letter}eart", n) for n, letter in enumerate("abcdef")]

        assert correct("heart", near) == ("feart", "eeart", "deart")

    def test_allows_a_second_slip_in_a_long_word(self):
        assert correct("theromometer", [("thermometer", 1)]) == ("thermometer",)
        assert correct("hrat", [("heart", 1)]) == ()

    @pytest.mark.parametrize("typed", ["cat", "mug2", "8512"])
    def test_leaves_short_words_and_codes_as_they_are(self, typed):
        assert correct(typed, [("car", 1), ("mug3", 1), ("8513", 1)]) == ()

    def test_knows_of_nothing_near(self):
        assert correct("heart", []) == ()


class TestSpans:
    def test_takes_the_longest_term_that_has_synonyms(self):
        synonyms = {"tea light": ["candle"], "a tea light": ["x"], "light": ["lamp"]}

        words = ["a", "tea", "light", "tea", "light", "light"]

        assert list(spans(words, synonyms)) == [(0, 3), (3, 5), (5, 6)]


class TestQuestion:
    def test_asks_for_all_words_and_else_for_any(self):
        asked = question([Word("red"), Word("mug")], {}, still_typing=False)

        assert asked.strict == "((('red'))) & ((('mug')))"
        assert asked.relaxed == ("((('red'))) | ((('mug')))",)
        assert asked.corrections == {}

    def test_sets_apart_the_word_that_may_go_on(self):
        asked = question([Word("red"), Word("m")], {}, still_typing=True)

        assert asked.strict == "((('red')))\x1f((('m':*)))"

    def test_has_nothing_less_strict_than_one_word(self):
        asked = question([Word("red")], {}, still_typing=True)

        assert (asked.strict, asked.relaxed) == ("\x1f((('red':*)))", ())

    def test_asks_for_all_words_but_one_before_any(self):
        few = question([Word(w) for w in "abc"], {}, still_typing=False)
        many = question([Word(w) for w in "abcdefghi"], {}, still_typing=False)

        a, b, c = (f"((('{word}')))" for word in "abc")
        assert few.relaxed == (
            f"{b} & {c} | {a} & {c} | {a} & {b}",
            f"{a} | {b} | {c}",
        )
        assert len(many.relaxed) == 1

    def test_takes_a_word_that_many_products_have_as_it_is(self):
        asked = question([Word("red", products=2_001)], {}, still_typing=True)

        assert asked.strict == "\x1f((('red')))"

    def test_goes_on_as_words_do_that_are_known(self):
        typed = [Word("r", longer=(("red", 9), ("rose", 2)))]

        on_sale = question(typed, {}, still_typing=True)
        whatever = question(typed, {}, still_typing=True, on_sale=False)
        done = question(typed, {}, still_typing=False)

        assert on_sale.strict == "\x1f((('r' | 'red' | 'rose')))"
        assert whatever.strict == "\x1f((('r':*)))"
        assert done.strict == "((('r')))"

    @pytest.mark.parametrize(
        ("typed", "asked"), [("5", "'5'"), ("4006", "'4006'"), ("40063", "'40063':*")]
    )
    def test_takes_so_much_of_a_code_that_it_is_not_every_code(self, typed, asked):
        strict = question([Word(typed, known=False)], {}, still_typing=True).strict
        operated = question(
            [Word(typed, known=False)], {}, still_typing=True, on_sale=False
        )

        assert strict == f"\x1f((({asked})))"
        assert operated.strict == f"\x1f((('{typed}':*)))"

    def test_takes_what_no_product_has_for_an_error_or_a_beginning(self):
        unknown = Word("haert", known=False, near=(("heart", 3),))
        begun = Word(
            "regen", known=False, longer=(("regency", 2),), near=(("green", 1),)
        )

        asked = question([begun, unknown], {}, still_typing=False)

        assert asked.strict == "((('regen' | 'regency'))) & ((('haert' | 'heart')))"
        assert asked.corrections == {"haert": ("heart",)}

    def test_keeps_a_word_that_nothing_is_near_to(self):
        asked = question([Word("xyzzy", known=False)], {}, still_typing=False)

        assert asked.strict == "((('xyzzy')))"
        assert asked.corrections == {}

    def test_asks_for_synonyms_beside_the_term(self):
        asked = question(
            [Word("tea"), Word("light")],
            {"tea light": ["tea light", "small candle"]},
            still_typing=False,
        )

        assert asked.strict == "((('tea') & ('light')) | ('small' & 'candle'))"

    def test_is_nothing_without_words(self):
        assert question([], {}, still_typing=True) is None


class TestHasOperators:
    @pytest.mark.parametrize("typed", ['"red mug"', "mug -red", "-red", "mug OR cup"])
    def test_sees_how_words_belong_together(self, typed):
        assert has_operators(typed)

    @pytest.mark.parametrize("typed", ["t-light", "orange", "mug - red", "or-"])
    def test_sees_none_in_plain_words(self, typed):
        assert has_operators(typed) == (typed == "or-")


class TestWithOperators:
    @pytest.mark.parametrize(
        ("typed", "asked"),
        [
            ('"red t-light" -big', '"red t light" -big'),
            ("children's or a_b", "childrens or a b"),
            ('cr-08/x -"a b"', 'cr 08 x -"a b"'),
        ],
    )
    def test_splits_words_as_the_index_does(self, typed, asked):
        assert with_operators(typed) == asked


class TestSuggestions:
    def test_completes_the_last_word(self):
        assert suggestions(["red", "re"], ["reel", "retro"], limit=1) == ["red reel"]
        assert suggestions(["re"], ["reel"], limit=5) == ["reel"]


class TestCompleted:
    def test_begins_with_what_most_products_have(self):
        word = Word("tea", products=3, longer=(("teapot", 5), ("teal", 3)))

        assert completed(word) == ["teapot", "tea", "teal"]
        assert completed(Word("te", longer=(("tea", 1),))) == ["tea"]
        assert completed(Word("x")) == []


class TestSampleOf:
    @pytest.mark.parametrize(
        ("products", "sample"),
        [(0, 0), (80, 0), (159, 0), (160, 1), (1_300, 4), (10**9, 8)],
    )
    def test_leaves_some_times_what_is_wanted(self, products, sample):
        assert sample_of(Word("a", products=products), 10) == sample
        assert sample_of(Word("a", longer=(("ab", products),)), 10) == sample
