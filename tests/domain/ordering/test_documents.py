"""The pictures of the states are those of the tables."""

import re
from pathlib import Path

import pytest

from holdfast.domain.ordering import FULFILMENT, ORDER, PAYMENT, RETURN

PAGES = Path(__file__).parents[3] / "docs/explanation"
PICTURE = re.compile(r"```mermaid\nstateDiagram-v2\n(.*?)```", re.DOTALL)
PICTURES = [
    picture
    for page in ("orders.md", "returns.md")
    for picture in PICTURE.findall((PAGES / page).read_text())
]


@pytest.mark.parametrize(
    ("number", "machine"),
    [
        pytest.param(number, machine, id=machine.kind)
        for number, machine in enumerate((ORDER, PAYMENT, FULFILMENT, RETURN))
    ],
)
def test_shows_every_step_there_is(number, machine):
    shown = {
        tuple(line.strip().split(" --> "))
        for line in PICTURES[number].strip().splitlines()
    }

    assert shown == {("[*]", machine.start)} | {
        (start, end) for start, ends in machine.transitions.items() for end in ends
    }
