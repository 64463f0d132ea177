"""Folders and processes for the tests of the embedded servers."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.platform.embedded import Child, Command
from holdfast.platform.embedded.process import spawn

Eventually = Callable[[Callable[[], object]], None]


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition of another process holds, or fail after a minute."""

    def wait(condition: Callable[[], object]) -> None:
        give_up = time.perf_counter() + 60
        while not condition():
            assert time.perf_counter() < give_up, "it never came true"
            time.sleep(0.01)

    return wait


@pytest.fixture
def awkward(tmp_path: Path) -> Path:
    """A folder only we may enter, whose name makes shells and parsers stumble."""
    folder = tmp_path / 'it\'s 100% "mine" $HOME é'
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def shell(tmp_path: Path):
    """Start a shell script as a child; it is ended after the test."""
    children: list[Child] = []

    def start(script: str, **options) -> Child:
        command = Command(
            arguments=("/bin/sh", "-c", script),
            environ={"PATH": os.defpath},
            log=tmp_path / "child.log",
            **options,
        )
        children.append(spawn(command))
        return children[-1]

    yield start
    for child in children:
        child.kill()
