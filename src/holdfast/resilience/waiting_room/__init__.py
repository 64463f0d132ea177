"""A waiting room: more people than can be served at once, each with a place in line.

Four pure parts, none of which knows where a line is kept: ``ticket`` signs what a
visitor holds, ``lots`` draws the order of those who came before the doors opened,
``capacity`` measures how many can be served, ``pace`` says how many are let in.
"""

from holdfast.resilience.waiting_room.capacity import Capacity
from holdfast.resilience.waiting_room.lots import commitment, drawn, lot
from holdfast.resilience.waiting_room.pace import Pace, estimate
from holdfast.resilience.waiting_room.ticket import Ticket, TicketForged, read, sign

__all__ = [
    "Capacity",
    "Pace",
    "Ticket",
    "TicketForged",
    "commitment",
    "drawn",
    "estimate",
    "lot",
    "read",
    "sign",
]
