"""Work in spare time is done, gives way, and leaves no process behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from holdfast.platform.spare_time import NoAnswer, SpareTime

_PROGRAM = """
import os, sys
from holdfast.platform.spare_time import serve

def answer(question):
    if question == b"die":
        os._exit(1)
    if question == b"die once" and not os.path.exists(sys.argv[0] + ".died"):
        open(sys.argv[0] + ".died", "w").close()
        os._exit(1)
    return question.upper()

serve(answer)
"""
_PARENT = """
import sys, time
from pathlib import Path
from holdfast.platform.spare_time import SpareTime
shouting = SpareTime(Path(sys.argv[1]))
shouting.ask(b"x")
print(shouting.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Answers in capitals."""
    path = tmp_path / "shouting.py"
    path.write_text(_PROGRAM, "utf-8")
    return path


@pytest.fixture
def shouting(program: Path) -> Iterator[SpareTime]:
    process = SpareTime(program)
    yield process
    process.close()


@pytest.fixture
def child_of_the_dead(program: Path) -> psutil.Process:
    """A process in spare time, whoever had started it was killed."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _PARENT, str(program)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    return child


def group_of(pid: int | None) -> list[str] | None:
    """The name of a process's group and how nice it is, in words."""
    try:
        return Path(f"/proc/{pid}/autogroup").read_text("ascii").split()
    except OSError:
        return None


class TestAsk:
    def test_gives_the_answer(self, shouting: SpareTime) -> None:
        assert shouting.ask(b"one") == b"ONE"
        assert shouting.ask(b"") == b""

    def test_starts_no_process_before_the_first_question(
        self, shouting: SpareTime
    ) -> None:
        assert shouting.pid is None

    def test_keeps_the_process_for_the_next(self, shouting: SpareTime) -> None:
        shouting.ask(b"one")
        pid = shouting.pid

        shouting.ask(b"two")

        assert shouting.pid == pid

    def test_asks_again_where_the_process_died(self, shouting: SpareTime) -> None:
        assert shouting.ask(b"die once") == b"DIE ONCE"

    def test_gives_up_on_a_question_that_kills(self, shouting: SpareTime) -> None:
        with pytest.raises(NoAnswer):
            shouting.ask(b"die")

        assert shouting.ask(b"one") == b"ONE"

    def test_answers_nothing_once_closed(self, shouting: SpareTime) -> None:
        shouting.close()

        with pytest.raises(NoAnswer):
            shouting.ask(b"one")


@pytest.mark.skipif(sys.platform != "linux", reason="no such priorities elsewhere")
class TestGivesWay:
    async def test_to_everything_else(
        self, shouting: SpareTime, promised: Callable[..., Awaitable[None]]
    ) -> None:
        shouting.ask(b"one")
        assert shouting.pid is not None

        async def gives_way() -> bool:
            # In short slices where there are any (Linux 6.12), idle elsewhere.
            policy = os.sched_getscheduler(shouting.pid or 0)
            nicest = os.getpriority(os.PRIO_PROCESS, shouting.pid or 0) == 19
            return policy == os.SCHED_IDLE or (policy == os.SCHED_BATCH and nicest)

        await promised(gives_way)
        assert os.sched_getscheduler(0) == os.SCHED_OTHER

    async def test_with_its_group_of_processes(
        self, shouting: SpareTime, promised: Callable[..., Awaitable[None]]
    ) -> None:
        if group_of(os.getpid()) is None:
            pytest.skip("this kernel makes no such groups")
        shouting.ask(b"one")

        async def nice() -> bool:
            group = group_of(shouting.pid)
            return group is not None and group[1:] == ["nice", "19"]

        await promised(nice)
        assert group_of(os.getpid()) != group_of(shouting.pid)


class TestEnd:
    def test_closing_leaves_no_process(self, shouting: SpareTime) -> None:
        shouting.ask(b"one")
        process = psutil.Process(shouting.pid)

        shouting.close()

        assert not process.is_running()

    def test_being_told_to_stop_is_for_who_started_it(
        self, shouting: SpareTime
    ) -> None:
        shouting.ask(b"one")
        assert shouting.pid is not None

        os.kill(shouting.pid, signal.SIGTERM)

        pid = shouting.pid
        assert shouting.ask(b"two") == b"TWO"
        assert shouting.pid == pid

    async def test_ends_with_who_started_it(
        self,
        child_of_the_dead: psutil.Process,
        promised: Callable[..., Awaitable[None]],
    ) -> None:
        async def ended() -> bool:
            return not child_of_the_dead.is_running()

        await promised(ended)
