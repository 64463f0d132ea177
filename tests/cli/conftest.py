"""Commands run as a shell would run them."""

import asyncio
import base64
import sys
from typing import NamedTuple

import pytest

from holdfast.cli import main

# The same as that of the fixture `vault`.
DATA_KEY = "base64:" + base64.b64encode(b"wraps the keys of every test run").decode()


@pytest.fixture
def data_key():
    return DATA_KEY


@pytest.fixture
def tell(capsys):
    """Say something to whoever runs the tests, whether they pass or not."""

    def say(line):
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return say


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def holdfast(monkeypatch, capsys, database_url, tmp_path):
    """Run a command as the shell would, in a thread as it has a loop of its own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("HOLDFAST_DATA_KEY", DATA_KEY)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")

    async def run(*arguments):
        monkeypatch.setattr("sys.argv", ["holdfast", *arguments])
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main.run)
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return run
