"""A ticket says what was signed, or it is none."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.waiting_room.ticket import (
    Ticket,
    TicketForged,
    read,
    room_of,
    sign,
)

KEY = b"k" * 32
ROOM = UUID(int=7)
tickets = st.builds(
    Ticket,
    room=st.uuids(),
    id=st.uuids(),
    position=st.none() | st.integers(1, 2**63),
    admitted_until=st.none() | st.integers(1, 2**40),
)


class TestTicket:
    @given(tickets)
    def test_is_read_as_it_was_signed(self, ticket: Ticket) -> None:
        text = sign(ticket, KEY)

        assert read(text, KEY) == ticket
        assert room_of(text) == ticket.room
        assert text.isascii()
        assert len(text) == 91

    @given(tickets)
    def test_of_another_key_is_forged(self, ticket: Ticket) -> None:
        with pytest.raises(TicketForged):
            read(sign(ticket, KEY), b"x" * 32)

    @given(tickets, st.integers(4, 89), st.sampled_from("AZaz09-_"))
    def test_that_was_changed_is_forged(
        self, ticket: Ticket, place: int, char: str
    ) -> None:
        text = sign(ticket, KEY)
        changed = text[:place] + char + text[place + 1 :]
        if changed == text:
            return
        with pytest.raises(TicketForged):
            read(changed, KEY)

    @pytest.mark.parametrize(
        "text",
        ["", "hfw_", "hfw_=", "hfw_ä", "hfw_" + "A" * 200, "hfw_A", "hfc_" + "A" * 87],
    )
    def test_that_is_none_is_forged(self, text: str) -> None:
        with pytest.raises(TicketForged):
            read(text, KEY)

    @given(st.text(max_size=120))
    def test_nothing_else_than_forged_is_ever_raised(self, text: str) -> None:
        with pytest.raises(TicketForged):
            read(text, KEY)

    def test_of_another_version_is_forged(self, monkeypatch) -> None:
        monkeypatch.setattr("holdfast.resilience.waiting_room.ticket._VERSION", 2)
        text = sign(Ticket(ROOM, ROOM), KEY)
        monkeypatch.undo()

        with pytest.raises(TicketForged):
            read(text, KEY)
