"""Examples of request bodies for the documentation, by the name of their type.

A test decodes each with the type it stands for.
"""

from typing import Any

EXAMPLES: dict[str, list[Any]] = {
    "NewKey": [
        {"name": "Warehouse sync", "scopes": ["inventory:read", "inventory:write"]}
    ],
}
