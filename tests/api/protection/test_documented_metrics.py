"""What the pages about protection say is counted is there to be asked for."""

import re
from pathlib import Path

import pytest

from holdfast.platform.settings import Settings

PAGES = Path(__file__).parents[3] / "docs/explanation/protection"
# Of the worker, which alone counts rows.
ELSEWHERE = {"holdfast_idempotency_rows"}


@pytest.fixture
def settings(settings, valkey):
    """Some things are counted only where there is a Redis."""
    return Settings.read({**settings.raw, "REDIS_URL": valkey.url})


@pytest.fixture
def exposed(shop):
    """Names as they are asked for: a counter's with its ending."""
    lines = shop.metrics.expose().decode().splitlines()
    return {line.split()[2] for line in lines if line.startswith("# TYPE ")}


class TestMetrics:
    async def test_of_every_page_are_there(self, exposed):
        missing = {
            page.stem: sorted(unknown)
            for page in PAGES.glob("*.md")
            if (
                unknown := set(
                    re.findall(r"\bholdfast_[a-z_]+[a-z]\b", page.read_text())
                )
                - exposed
                - ELSEWHERE
            )
        }

        assert missing == {}
        assert len(exposed) > 40
