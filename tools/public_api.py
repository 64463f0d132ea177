"""Write down what ``holdfast.resilience`` promises to others, for review.

``python tools/public_api.py`` after a change that is meant; a test compares.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "resilience"))


def main() -> None:
    from test_public_api import FROZEN, surface  # noqa: PLC0415 - needs the path above

    FROZEN.write_text("\n".join(surface()) + "\n")


if __name__ == "__main__":
    main()
