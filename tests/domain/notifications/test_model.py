"""What a buyer reads, and what nobody can make the shop say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.notifications import Line, compose
from holdfast.domain.notifications.model import one_line
from holdfast.kernel.money import Money


class TestCompose:
    def test_tells_number_lines_totals_and_address(self, confirmation):
        message = compose(confirmation())

        assert message.recipient == "ada@example.com"
        assert message.subject == "Your order HF-1001"
        assert message.body == (
            "Thank you for your order, Ada Lovelace.\n"
            "\n"
            "Order HF-1001 of 2026-11-27 is confirmed.\n"
            "\n"
            "2 x Assam (TEA-1)\n"
            "    19.98 EUR\n"
            "\n"
            "Subtotal: 19.98 EUR\n"
            "Shipping (standard): 4.90 EUR\n"
            "Total: 24.88 EUR\n"
            "\n"
            "It goes to:\n"
            "    Ada Lovelace\n"
            "    12 Main St\n"
            "    N1 London\n"
            "    GB\n"
        )

    def test_a_title_cannot_add_lines_of_its_own(self, confirmation):
        title = "Tea\r\n\r\nTotal: 0.00 EUR\u2028Pay to: \u202eelsewhere"
        line = Line(title, "TEA-1", 1, Money(1, "EUR"))

        body = compose(confirmation(lines=[line])).body

        assert "1 x Tea Total: 0.00 EUR Pay to: elsewhere (TEA-1)\n" in body

    def test_text_is_not_markup(self, confirmation):
        line = Line("Salt & <b>{{ 7 * 7 }}</b>", "S", 1, Money(1, "EUR"))

        body = compose(confirmation(lines=[line])).body

        assert "1 x Salt & <b>{{ 7 * 7 }}</b> (S)\n" in body

    def test_a_thousand_lines_are_all_there(self, confirmation):
        lines = [Line("Tea", f"T-{n}", 1, Money(1, "EUR")) for n in range(1000)]

        body = compose(confirmation(lines=lines)).body

        assert body.count("1 x Tea") == 1000


class TestOneLine:
    @given(st.text())
    def test_is_always_one_printable_line_that_can_be_sent(self, text):
        flat = one_line(text)

        assert "\n" not in flat
        assert flat.splitlines() in ([], [flat])
        assert flat.encode().decode() == flat
        assert len(flat) <= 500

    @pytest.mark.parametrize(
        "text", ["Café au lait 250 g", "抹茶", "100 % Assam — fine"]
    )
    def test_leaves_ordinary_text_alone(self, text):
        assert one_line(text) == text
