"""The page about roles says what the product does."""

import re
from pathlib import Path

import pytest

from holdfast.domain import identity

PAGE = Path(__file__).parents[3] / "docs/explanation/roles-and-scopes.md"
IN_ORDER = (
    *("customer", "support", "catalogue_manager"),
    *("fulfilment", "finance", "admin"),
)


@pytest.fixture
def part():
    """A part of the page between its two marks."""

    def cut(name):
        text = PAGE.read_text()
        match = re.search(
            rf"<!-- {name}:.*?-->\n(.*?)\n<!-- end of {name} -->", text, re.DOTALL
        )
        assert match is not None, f"{PAGE.name} has no part about {name}"
        return match[1]

    return cut


class TestRolesAndScopes:
    async def test_table_is_that_of_the_shop(self, database, part):
        roles = [await identity.find_role(database, name) for name in IN_ORDER]
        table = [
            "| scope | what it allows | "
            + " | ".join(f"`{role.name}`" for role in roles)
            + " |",
            "|---|---|" + "---|" * len(roles),
        ]
        for scope, title in identity.SCOPE_TITLES.items():
            held = ["yes" if scope in role.scopes else "" for role in roles]
            table.append(f"| `{scope}` | {title} | {' | '.join(held)} |")

        wanted = "\n".join(table)
        assert part("scopes") == wanted, f"write into {PAGE.name}:\n{wanted}"

    def test_lists_every_kind_of_event(self, part):
        wanted = "\n".join(
            [
                "| kind | what happened |",
                "|---|---|",
                *(
                    f"| `{kind}` | {title} |"
                    for kind, title in identity.EVENT_TITLES.items()
                ),
            ]
        )

        assert part("events") == wanted, f"write into {PAGE.name}:\n{wanted}"
