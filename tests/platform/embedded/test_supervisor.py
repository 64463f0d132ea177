"""The supervisor keeps its parts running, stops them in order, and gives up aloud."""

import os
import signal

import pytest

from holdfast.platform.embedded import (
    CannotStart,
    Child,
    Command,
    Interrupted,
    Signals,
    Supervisor,
)
from holdfast.platform.embedded.part import Tick, bring_up, go_on
from holdfast.platform.embedded.process import spawn

FOREVER = "echo ready; exec sleep 600"


class Script:
    """A part that is a shell script, ready once it says so."""

    start_seconds = 10.0

    def __init__(self, name, folder, script=FOREVER) -> None:
        self.name = name
        self.child: Child | None = None
        self.launches = 0
        self._folder = folder
        self._script = script

    def launch(self, *, tick: Tick = go_on) -> None:
        self.launches += 1
        self.child = spawn(
            Command(
                ("/bin/sh", "-c", self._script),
                {"PATH": os.defpath},
                self._folder / f"{self.name}.log",
            )
        )

    def is_ready(self) -> bool:
        return "ready" in self.child.tail()

    def explain_end(self) -> None:
        if self.launches == 3:
            raise CannotStart(f"{self.name} would not run.", tail=self.child.tail())


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def signals():
    signals = Signals()
    with signals.listening():
        yield signals


@pytest.fixture
def supervisor(signals, said):
    supervisor = Supervisor(signals, say=said.append)
    yield supervisor
    supervisor.stop()


class TestBringUp:
    def test_returns_when_all_are_ready_and_names_each(self, tmp_path):
        parts = [Script("one", tmp_path), Script("two", tmp_path)]
        ready: list[str] = []

        bring_up(parts, ready=lambda part: ready.append(part.name))

        assert sorted(ready) == ["one", "two"]
        for part in parts:
            assert part.child.alive()
            part.child.kill()

    def test_launches_again_until_a_part_explains_its_end(self, tmp_path):
        part = Script("one", tmp_path, "echo sorry; exit 1")

        with pytest.raises(CannotStart, match="would not run") as refused:
            bring_up([part])

        assert part.launches == 3
        assert refused.value.tail == "sorry"

    def test_does_not_wait_for_ever(self, tmp_path):
        part = Script("one", tmp_path, "echo thinking; exec sleep 600")
        part.start_seconds = 0.05

        with pytest.raises(CannotStart, match="one did not answer within"):
            bring_up([part])

        part.child.kill()


class TestWatch:
    def test_brings_back_a_part_that_was_killed(self, supervisor, tmp_path, said):
        part = Script("api", tmp_path)
        supervisor.start(part, ready=lambda _: None)
        first = part.child.pid
        os.kill(first, signal.SIGKILL)

        def each() -> None:
            if any("runs again" in line for line in said):
                raise Interrupted

        with pytest.raises(Interrupted):
            supervisor.watch(each=each)

        assert said[0] == "api ended (killed by SIGKILL); starting it again in 0.2 s"
        assert said[1] == f"api runs again (process {part.child.pid})"
        assert part.child.pid != first

    def test_gives_up_on_a_part_that_keeps_ending(self, signals, tmp_path, said):
        # A second passes at each look, so that few of them are needed.
        clock = iter(range(10_000))
        supervisor = Supervisor(signals, say=said.append, now=lambda: next(clock))
        part = Script("worker", tmp_path, "echo ready; exit 7")
        supervisor.start(part, ready=lambda _: None)

        with pytest.raises(CannotStart, match=r"worker ended 6 times .*exit code 7"):
            supervisor.watch()

        assert said[-1].endswith("starting it again in 3.2 s")

    def test_a_part_whose_code_is_being_edited_gets_another_chance(
        self, signals, tmp_path, said
    ):
        clock = iter(range(10_000))
        supervisor = Supervisor(
            signals, say=said.append, forgiving=True, now=lambda: next(clock)
        )
        part = Script("worker", tmp_path, "echo ready; exit 7")
        supervisor.start(part, ready=lambda _: None)

        def each() -> None:
            if "6.4 s" in said[-1]:
                raise Interrupted

        with pytest.raises(Interrupted):
            supervisor.watch(each=each)

        supervisor.stop()
        assert part.launches >= 6

    def test_ends_when_it_is_asked_to(self, supervisor, tmp_path):
        supervisor.start(Script("api", tmp_path), ready=lambda _: None)

        with pytest.raises(Interrupted):
            supervisor.watch(each=lambda: os.kill(os.getpid(), signal.SIGTERM))

    def test_a_start_ends_when_it_is_asked_to(self, supervisor, tmp_path):
        slow = Script("api", tmp_path, "exec sleep 600")
        os.kill(os.getpid(), signal.SIGHUP)

        with pytest.raises(Interrupted):
            supervisor.start(slow, ready=lambda _: None)


class TestRestart:
    def test_starts_the_named_parts_again_and_no_other(self, supervisor, tmp_path):
        database, api = Script("database", tmp_path), Script("api", tmp_path)
        supervisor.start(database, api, ready=lambda _: None)
        before = database.child.pid, api.child.pid

        def each() -> None:
            if api.launches == 2:
                raise Interrupted

        supervisor.restart([api])
        with pytest.raises(Interrupted):
            supervisor.watch(each=each)

        assert database.child.pid == before[0]
        assert api.child.pid != before[1]


class TestStop:
    def test_stops_what_was_named_last_first(self, supervisor, tmp_path, said):
        database, api = Script("database", tmp_path), Script("api", tmp_path)
        supervisor.start(database, ready=lambda _: None)
        supervisor.start(api, ready=lambda _: None)

        supervisor.stop()

        assert said == ["stopping api", "stopping database"]
        assert not database.child.alive()
        assert not api.child.alive()

    def test_a_second_signal_does_not_wait_for_the_stubborn(self, supervisor, tmp_path):
        stubborn = Script(
            "api", tmp_path, "trap '' TERM; echo ready; while :; do sleep 1; done"
        )
        supervisor.start(stubborn, ready=lambda _: None)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

        supervisor.stop()

        assert stubborn.child.exit_code == -signal.SIGKILL
