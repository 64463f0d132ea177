"""Write ``docs/reference/settings.md`` from the settings themselves.

What a setting is for is the docstring below its field; its name, default and limits
are what ``Settings.read`` asks for when it is given an empty environment. Without
arguments the page is written, with ``--print`` it is shown.
"""

import ast
import inspect
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.kernel.money import CURRENCIES
from holdfast.platform import settings

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/settings.md"
HEAD = """# Settings

<!-- Written by tools/settings_reference.py from holdfast/platform/settings.py. -->

What differs between two deployments comes from the environment, is read once when a
process starts, and is refused as a whole when anything in it is wrong: one message
lists every bad value. An empty value counts as not set. Nothing else is configuration:
limits, costs and timings that are the same everywhere are code.

`holdfast check` prints the settings in force with the secrets masked. Examples for
each kind of environment are in [`deploy/env`](../../deploy/env).

| name | what it is | values | default |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Question:
    """One thing that ``Settings.read`` asks of the environment."""

    kind: str
    name: str
    arguments: tuple[Any, ...]

    @property
    def values(self) -> str:
        """What may be set, in words."""
        match self.kind, self.arguments:
            case "choice", (choices, _) if set(choices) == set(CURRENCIES):
                words = "an ISO 4217 code"
            case "choice", (choices, _):
                words = ", ".join(f"`{choice}`" for choice in choices)
            case "url", (schemes,):
                words = ", ".join(f"`{scheme}://`" for scheme in schemes)
            case "whole", (_, low, high):
                words = f"a whole number, {low} to {high}"
            case "seconds", _:
                words = "seconds, 0.05 to 600"
            case "public_url", _:
                words = "`http://`, `https://`"
            case "data_key", _:
                known = (*settings.KEY_SERVICES, "file:", "base64:")
                words = ", ".join(f"`{start}`" for start in known)
            case kind, _:
                named = {
                    "directory": "a folder",
                    "language": "a BCP 47 tag",
                    "measures": "`LxWxH`, each 1 to 99999",
                    "lines": "text, with `|` between lines",
                    "openid_providers": "JSON",
                    "rates": "`policy=units/period:at once`, `policy=off`",
                    "origins": "`https://` and a host, `*`",
                    "proxies": "addresses, networks, `unix`",
                    "webhook_secrets": "`whsec_` and 24 to 64 bytes in base64",
                }
                words = named.get(kind, "text")
        return words

    @property
    def default(self) -> str:
        """What holds when it is not set; nothing for what is then embedded."""
        if self.kind in ("url", "directory", "openid_providers") or not self.arguments:
            return ""
        if self.kind == "public_url":
            return f"`{settings.Settings.read({}).public_url}`"
        if self.kind == "data_key":
            return "`file:` and `data.key` in `HOLDFAST_HOME`"
        value = self.arguments[-1 if self.kind == "choice" else 0]
        return f"`{value}`" if value != "" else ""


def questions() -> "dict[str, Question]":
    """Everything that is asked of an empty environment, by name."""
    asked: dict[str, Question] = {}

    class Listening(settings.Reader):
        def __getattribute__(self, attribute: str) -> Any:
            method = super().__getattribute__(attribute)
            if attribute.startswith("_") or not callable(method):
                return method

            def listen(*arguments: Any) -> Any:
                if arguments:
                    # One question may ask another about the same variable.
                    asked.setdefault(
                        arguments[0],
                        Question(attribute, arguments[0], arguments[1:]),
                    )
                return method(*arguments)

            return listen

    original = settings.Reader
    settings.Reader = Listening
    try:
        settings.Settings.read({})
    finally:
        settings.Reader = original
    return asked


def purposes() -> "dict[str, str]":
    """What each field is for, from the docstring below it, by variable name."""
    tree = ast.parse(inspect.getsource(settings))
    body = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    docstrings = {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    found = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.keyword) and call.arg in docstrings:
            names = [
                asked.args[0].value
                for asked in ast.walk(call.value)
                if isinstance(asked, ast.Call)
                and isinstance(asked.func, ast.Attribute)
                and asked.args
                and isinstance(asked.args[0], ast.Constant)
            ]
            name = names[0] if names else "HOLDFAST_ENV"
            found[name] = docstrings[call.arg]
    return found


def page() -> str:
    """The whole page."""
    described = purposes()
    rows = [
        f"| `{asked.name}` | {described[asked.name]} | {asked.values} "
        f"| {asked.default or '(none)'} |"
        for asked in questions().values()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    if "--print" in sys.argv:
        print(page(), end="")
    else:
        PAGE.write_text(page())
        print(f"wrote {PAGE}")
