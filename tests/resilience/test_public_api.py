"""What the library promises to others is what a reviewed file says, and no more."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

FROZEN = Path(__file__).with_name("public_api.txt")
ROOT = Path(__file__).parents[2]
GUIDES = [
    ROOT / "src/holdfast/resilience/README.md",
    *sorted((ROOT / "docs/explanation/protection").glob("*.md")),
    ROOT / "docs/tutorial/build-a-layer.md",
    *sorted((ROOT / "examples").glob("*.py")),
]
PACKAGES = (
    "holdfast.resilience",
    "holdfast.resilience.asgi",
    "holdfast.resilience.circuit",
    "holdfast.resilience.concurrency",
    "holdfast.resilience.deadline",
    "holdfast.resilience.errors",
    "holdfast.resilience.events",
    "holdfast.resilience.idempotency",
    "holdfast.resilience.load",
    "holdfast.resilience.rate",
    "holdfast.resilience.rate.redis",
    "holdfast.resilience.rate.redis_cluster",
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
                    if not member.startswith("_") and _is_promised(value)
                ]
    return sorted(lines)


def _imports(text: str) -> Iterator[tuple[str, str]]:
    """What the Python in a page, or a file of it, imports from the library."""
    pieces = re.findall(r"```python\n(.*?)```", text, re.DOTALL) or [text]
    for piece in pieces:
        try:
            tree = ast.parse(piece)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.startswith("holdfast.res"):
                for one in node.names:
                    yield module, one.name


def _is_promised(value: object) -> bool:
    """What can be called, and what is worked out; fields are in the signature."""
    return callable(value) or isinstance(value, property | classmethod)


def _signature(thing: object) -> str:
    if isinstance(thing, classmethod):
        thing = thing.__func__
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
            if (
                inspect.isclass(
                    thing := getattr(importlib.import_module(package), name)
                )
                or inspect.isfunction(thing)
            )
            and not thing.__doc__
        ]
        assert bare == []

    def test_has_every_error_and_every_event(self):
        """Who handles them has to find them: none is left out of its list."""
        for name in ("errors", "events"):
            module = importlib.import_module(f"holdfast.resilience.{name}")
            classes = {
                name
                for name, thing in vars(module).items()
                if inspect.isclass(thing) and thing.__module__ == module.__name__
            }
            assert classes <= set(module.__all__)

    def test_names_in_the_readme_are_promised(self):
        """Every import that the guides show is of a name in the list."""
        promised = {line.partition("(")[0] for line in surface()}
        shown = {
            f"{module}.{name}"
            for page in GUIDES
            for module, name in _imports(page.read_text())
        }
        modules = set(PACKAGES)
        assert sorted(shown - promised - modules) == []
        assert len(shown) > 20
