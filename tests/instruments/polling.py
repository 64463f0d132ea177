"""Which statements no request asked for: what every process reads again and again."""

import re

_POLLED = re.compile(r"\bFROM (controls|drops)\b")


def is_polled(statement: str) -> bool:
    """Whether it is of those that follow what operators change."""
    return _POLLED.search(statement) is not None
