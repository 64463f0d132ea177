import pytest

from holdfast.api.problems import InvalidRequest
from holdfast.api.shapes import email_address


class TestEmailAddress:
    def test_is_shown_in_its_normal_form(self):
        assert email_address("Ada@EXAMPLE.com", "/email") == "Ada@example.com"

    @pytest.mark.parametrize(
        "text",
        ["ada", "a" * 250 + "@example.com", "a" + "\u0301\u0323" * 500_000 + "@b.com"],
        ids=["no address", "long", "a megabyte of accents"],
    )
    def test_names_the_field_at_fault(self, text):
        with pytest.raises(InvalidRequest) as refused:
            email_address(text, "/email")

        assert refused.value.errors[0]["pointer"] == "/email"
