"""Short slices are asked for, where there are any, and change nothing else."""

import ctypes
import os
import platform
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.platform.embedded.process import Command, spawn
from holdfast.platform.slices import ANSWERING_NS, SHORTEST_NS, take_short_slices

_GET_ATTRIBUTES = {"x86_64": 315, "aarch64": 275}
_ATTRIBUTES = struct.Struct("IIQiIQQQ")
RELEASE = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))


def slice_of(pid: int) -> tuple[int, int, int]:
    """Policy, niceness and slice in nanoseconds of a process."""
    said = ctypes.create_string_buffer(_ATTRIBUTES.size)
    number = _GET_ATTRIBUTES[platform.machine()]
    assert ctypes.CDLL(None).syscall(number, pid, said, _ATTRIBUTES.size, 0) == 0
    _, policy, _, nice, _, slice_ns, _, _ = _ATTRIBUTES.unpack(said.raw)
    return policy, nice, slice_ns


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        ["nice", "-n", "3", "cat"],  # noqa: S607 - of the system
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.write(b"up\n")
        started.stdin.flush()
        started.stdout.readline()
        yield started
        started.stdin.close()


LINUX_6_12 = pytest.mark.skipif(
    sys.platform != "linux"
    or RELEASE < (6, 12)
    or platform.machine() not in _GET_ATTRIBUTES,
    reason="no such slices here",
)


@LINUX_6_12
class TestTakeShortSlices:
    def test_shortens_them_and_nothing_else(
        self, process: subprocess.Popen[bytes]
    ) -> None:
        assert slice_of(process.pid)[2] > ANSWERING_NS

        assert take_short_slices(process.pid)

        assert slice_of(process.pid) == (os.SCHED_OTHER, 3, ANSWERING_NS)

    def test_is_as_nice_as_it_is_told(self, process: subprocess.Popen[bytes]) -> None:
        assert take_short_slices(
            process.pid, SHORTEST_NS, policy=os.SCHED_BATCH, nice=19
        )

        assert slice_of(process.pid) == (os.SCHED_BATCH, 19, SHORTEST_NS)

    def test_of_a_process_that_is_gone_is_no_error(
        self, process: subprocess.Popen[bytes]
    ) -> None:
        process.communicate()

        assert not take_short_slices(process.pid, nice=0)


@LINUX_6_12
class TestSpawn:
    @pytest.mark.parametrize("answers", [True, False])
    def test_gives_them_to_what_answers_alone(
        self, tmp_path: Path, *, answers: bool
    ) -> None:
        child = spawn(
            Command(
                arguments=("sleep", "60"),
                environ={"PATH": os.defpath},
                log=tmp_path / "log",
                answers=answers,
            )
        )
        try:
            assert (slice_of(child.pid)[2] == ANSWERING_NS) is answers
        finally:
            child.kill()


class TestElsewhere:
    @pytest.mark.parametrize(
        ("system", "release", "machine"),
        [
            ("darwin", "24.1.0", "arm64"),
            ("linux", "6.1.0-18-amd64", "x86_64"),
            ("linux", "6.18.4", "riscv64"),
        ],
    )
    def test_there_are_none(
        self,
        monkeypatch: pytest.MonkeyPatch,
        system: str,
        release: str,
        machine: str,
    ) -> None:
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(platform, "release", lambda: release)
        monkeypatch.setattr(platform, "machine", lambda: machine)

        assert not take_short_slices(os.getpid())
