"""One of our commands is ready when it answers, and explains why it never did."""

import os
import signal
import socket

import pytest

from holdfast.platform.embedded import CannotStart, Program, bring_up, free_port
from holdfast.platform.embedded.program import answers, describe


@pytest.fixture
def carrier(tmp_path):
    """A command that starts quickly: the simulated carrier."""
    programs: list[Program] = []

    def make(*arguments: str, **options) -> Program:
        program = Program(
            "carrier simulator",
            *(arguments or ("simulate", "carrier")),
            log=tmp_path / "carrier.log",
            environ={"PATH": os.defpath},
            **{"port": free_port(), **options},
        )
        programs.append(program)
        return program

    yield make
    for program in programs:
        if program.child is not None:
            program.child.stop()


class TestStart:
    def test_is_ready_once_it_answers(self, carrier):
        program = carrier()

        bring_up([program])

        assert answers(program.port, "/livez")
        assert program.url == f"http://127.0.0.1:{program.port}"

    def test_takes_another_port_when_its_own_was_taken_meanwhile(self, carrier):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            program = carrier(port=port)

            bring_up([program])

            assert program.port != port

    def test_says_so_when_the_port_must_be_this_one(self, carrier):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            with pytest.raises(CannotStart, match=f"cannot listen on port {port}"):
                bring_up([carrier(port=port, port_is_fixed=True)])

    def test_shows_what_it_said_when_it_ended_at_once(self, carrier):
        with pytest.raises(
            CannotStart, match=r"ended before .* \(exit code 1"
        ) as refused:
            bring_up([carrier("simulate", "weather")])

        assert "weather" in refused.value.tail

    def test_says_that_its_log_cannot_be_written(self, carrier, tmp_path):
        (tmp_path / "carrier.log").mkdir()

        with pytest.raises(CannotStart, match="carrier simulator cannot start"):
            bring_up([carrier()])


class TestAnswers:
    def test_a_server_that_says_something_else_is_not_ready(self, carrier):
        program = carrier()
        bring_up([program])

        assert not answers(program.port, "/no-such-page")

    def test_nobody_there_is_no_answer(self):
        assert not answers(free_port(), "/livez")


class TestDescribe:
    @pytest.mark.parametrize(
        ("code", "words"),
        [
            (None, "not started"),
            (0, "exit code 0"),
            (-signal.SIGKILL, "killed by SIGKILL"),
        ],
    )
    def test_says_how_it_ended(self, code, words):
        assert describe(code) == words
