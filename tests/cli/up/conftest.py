"""`holdfast up` as a user runs it, in a home of its own, looked at from outside."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from holdfast.platform.embedded import leftovers

OPEN = "Ctrl-C stops it all."
_SECONDS = 180.0
_number = itertools.count()


class Up:
    """A `holdfast up` that was started, and what it has printed so far."""

    def __init__(self, home: Path, arguments: tuple[str, ...], environ) -> None:
        self.home = home
        self._output = home.parent / f"output-{next(_number)}"
        clean = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251 - handed on
            if not name.startswith("HOLDFAST_") and not name.endswith("_URL")
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "holdfast", "up", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**clean, "HOLDFAST_HOME": str(home), **environ},
                cwd=home.parent,
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    @property
    def url(self) -> str:
        return re.search(r"^  api +(\S+)", self.said, re.MULTILINE)[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def operator_key(self) -> str:
        return (self.home / "operator-key").read_text().strip()

    def pid(self, part: str) -> int:
        """The process of a part, after its latest start."""
        again = re.findall(rf"{part} runs again \(process (\d+)\)", self.said)
        first = re.findall(rf"{part} is ready \(process (\d+)\)", self.said)
        return int((first + again)[-1])

    def wait_until_open(self) -> None:
        self.wait_for(OPEN)

    def wait_for(self, text: str) -> None:
        give_up = time.perf_counter() + _SECONDS
        while text not in self.said:
            assert self.process.poll() is None, f"it ended:\n{self.said}"
            assert time.perf_counter() < give_up, f"no {text!r} in:\n{self.said}"
            time.sleep(0.02)

    def stop(self, which: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(which)
        return self.ended()

    def ended(self) -> int:
        return self.process.wait(_SECONDS)

    def get(self, path: str):
        request = urllib.request.Request(self.url + path)  # noqa: S310 - our own API
        request.add_header("Authorization", f"Bearer {self.operator_key}")
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop that is open while this file is tested."""
    home = tmp_path_factory.mktemp("it's my shop") / "home"
    up = Up(home, ("--port", "0"), {})
    try:
        up.wait_until_open()
        yield up
    finally:
        up.stop()
        leftovers.end(home)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The home of a shop that was open once; copy it before use."""
    home = tmp_path_factory.mktemp("finished") / "home"
    up = Up(home, ("--port", "0", "--no-seed"), {})
    try:
        up.wait_until_open()
    finally:
        up.stop()
    return home


@pytest.fixture
def closed(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "home")


@pytest.fixture
def start(tmp_path: Path):
    """Start `holdfast up` without anything to sell; ended after the test."""
    started: list[Up] = []

    def up(*arguments: str, home: Path | None = None, **environ: str) -> Up:
        chosen = home or tmp_path / "home"
        started.append(Up(chosen, ("--port", "0", "--no-seed", *arguments), environ))
        return started[-1]

    yield up
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        for process in leftovers.find(each.home):
            process.kill()
