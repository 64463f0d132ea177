"""An error says what happened, in words and in fields, and knows no HTTP."""

from dataclasses import dataclass

import pytest

from holdfast.kernel import errors
from holdfast.kernel.errors import Conflict, DomainError


@dataclass(eq=False)
class ShelfFull(Conflict):
    """There is no more room on this shelf.

    What follows the first line is for the reader of the code.
    """

    shelf: str
    books: int


class TestDomainError:
    def test_its_fields_are_the_details(self):
        assert ShelfFull("A1", 40).details == {"shelf": "A1", "books": 40}

    def test_reads_as_the_first_line_of_its_docstring(self):
        assert str(errors.NotFound()) == "There is no such thing."
        assert str(ShelfFull("A1", 40)) == (
            "There is no more room on this shelf. {'shelf': 'A1', 'books': 40}"
        )

    def test_without_a_docstring_its_name_must_do(self):
        bare = type("Bare", (DomainError,), {"__doc__": None})

        assert str(bare()) == "Bare"

    def test_can_be_raised_caught_and_kept_in_a_set(self):
        with pytest.raises(DomainError) as caught:
            raise ShelfFull("A1", 40)

        assert {caught.value} == {caught.value}

    def test_two_of_the_same_content_are_two_errors(self):
        assert ShelfFull("A1", 40) != ShelfFull("A1", 40)


class TestKinds:
    @pytest.mark.parametrize("kind", DomainError.__subclasses__())
    def test_every_kind_has_a_title(self, kind):
        assert kind.__doc__.endswith(".")
