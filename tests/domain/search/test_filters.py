"""How filters are written in an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.search import FilterInvalid, Filters, read_chosen, written
from holdfast.domain.search.filters import read_list, read_named

VALUES = st.lists(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20
    ).filter(lambda text: text == text.strip()),
    min_size=1,
    max_size=8,
    unique=True,
)


class TestReadList:
    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("Acme", ("Acme",)),
            (" Acme , Bolt ", ("Acme", "Bolt")),
            ('Acme,"Bolt, Inc."', ("Acme", "Bolt, Inc.")),
            ('"say ""hi"""', ('say "hi"',)),
            ("Acme,Acme", ("Acme",)),
            ("10'', ½", ("10''", "½")),
        ],
    )
    def test_reads_values_between_commas(self, text, values):
        assert read_list("vendor", text) == values

    @pytest.mark.parametrize(
        "text",
        [
            *("", ",", "a,", ",a", "a,,b", '"', '"a', '"a"b', '""'),
            *("a:b", "a;b", "a\x1fb", ",".join(map(str, range(101)))),
        ],
    )
    def test_names_the_parameter_it_cannot_read(self, text):
        with pytest.raises(FilterInvalid) as refused:
            read_list("vendor", text)

        assert refused.value.parameter == "vendor"

    @given(VALUES)
    def test_reads_what_is_written(self, values):
        assert read_list("vendor", written(values)) == tuple(values)


class TestReadNamed:
    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("Size:S", [("Size", ("S",))]),
            ("Size:S,M;Colour:Red", [("Size", ("S", "M")), ("Colour", ("Red",))]),
            ('"A;B":"C:D"', [("A;B", ("C:D",))]),
            ("Size:S;", [("Size", ("S",))]),
        ],
    )
    def test_reads_values_by_name(self, text, named):
        assert list(read_named("option", text)) == named

    @pytest.mark.parametrize(
        "text", [";", "Size", "Size:", ":S", "Size:S:M", "Size,S:M", "Size:S;;", ","]
    )
    def test_refuses_what_has_no_name_or_value(self, text):
        with pytest.raises(FilterInvalid):
            list(read_named("option", text))


class TestReadChosen:
    def test_names_facets_as_the_index_does(self):
        chosen = read_chosen(
            {"vendor": "Acme", "tag": None, "option": "Size:S", "attribute": "fit:slim"}
        )

        assert chosen == {
            "vendor": ("Acme",),
            "option.Size": ("S",),
            "attribute.fit": ("slim",),
        }
        assert Filters(chosen=chosen).names == [
            "vendor",
            "option.Size",
            "attribute.fit",
        ]
        assert Filters(chosen=chosen).sets == [
            ["vendor\x1fAcme"],
            ["option.Size\x1fS"],
            ["attribute.fit\x1fslim"],
            *([None] * 3),
        ]

    @pytest.mark.parametrize("text", ["Size:S;Size:M", "a:1;b:1;c:1;d:1;e:1;f:1;g:1"])
    def test_refuses_a_name_twice_and_more_facets_than_six(self, text):
        with pytest.raises(FilterInvalid):
            read_chosen({"option": text})
