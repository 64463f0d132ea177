"""What the library promises to others is what a reviewed file says, and no more."""

import importlib
import inspect
from pathlib import Path

FROZEN = Path(__file__).with_name("public_api.txt")
PACKAGES = (
    "holdfast.resilience",
    "holdfast.resilience.asgi",
    "holdfast.resilience.circuit",
    "holdfast.resilience.concurrency",
    "holdfast.resilience.idempotency",
    "holdfast.resilience.load",
    "holdfast.resilience.rate",
    "holdfast.resilience.waiting_room",
)


def surface() -> list[str]:
    """Every public name with its parameters, one a line."""
    lines = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            lines.append(f"{package}.{name}{_signature(thing)}")
            if inspect.isclass(thing):
                lines += [
                    f"{package}.{name}.{member}{_signature(value)}"
                    for member, value in sorted(vars(thing).items())
                    if not member.startswith("_") and callable(value)
                ]
    return sorted(lines)


def _signature(thing: object) -> str:
    if not callable(thing):
        return ""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return ""
    said = []
    for parameter in parameters:
        star = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
        word = star.get(parameter.kind.name, "") + parameter.name
        if parameter.kind.name == "KEYWORD_ONLY":
            word = f"{parameter.name}="
        if parameter.default is not inspect.Parameter.empty:
            word += "?"
        said.append(word)
    return f"({', '.join(said)})"


class TestPublicApi:
    def test_is_what_was_reviewed(self):
        """Write the file anew with ``tools/public_api.py``, and review what differs."""
        assert "\n".join(surface()) + "\n" == FROZEN.read_text()

    def test_has_a_docstring_for_each_name(self):
        bare = [
            f"{package}.{name}"
            for package in PACKAGES
            for name in importlib.import_module(package).__all__
            if inspect.isclass(thing := getattr(importlib.import_module(package), name))
            and not thing.__doc__
        ]
        assert bare == []
