"""The words of ``holdfast bench`` and of its sub-command."""

import pytest
from typer.testing import CliRunner

from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection import Cores, Measurement, Outcome, command
from holdfast.cli.bench.protection.measurements import MEASUREMENTS, chosen
from holdfast.cli.main import app
from holdfast.platform.settings import BadSettings


class Broken(Measurement):
    async def measure(self, rig):
        raise CannotBench("The server did not start.")


class Sound(Measurement):
    async def measure(self, rig):
        return Outcome(lines=[f"{rig.seconds:g} s a point"])


class TestBench:
    def test_is_still_a_command_of_its_own(self):
        shown = CliRunner().invoke(app, ["bench", "--help"])

        assert shown.exit_code == 0
        assert "protection" in shown.output
        assert "A: product detail" in shown.output


class TestChosen:
    def test_is_everything_in_its_order_unless_something_is_named(self):
        assert chosen("") == MEASUREMENTS

    def test_refuses_what_there_is_not(self):
        with pytest.raises(BadSettings, match="no measurement luck"):
            chosen("luck")


class TestRun:
    def test_one_that_cannot_be_measured_hides_none_of_the_others(self, capsys):
        wanted = (Broken("broken", "It breaks"), Sound("sound", "It works"))

        with pytest.raises(SystemExit) as ended:
            command.run(command.Options(wanted, seconds=3))

        shown = capsys.readouterr().out
        assert ended.value.code == 2
        assert "void     broken: The server did not start." in shown
        assert "It works\n  3 s a point" in shown


class TestCores:
    def test_are_two_of_those_that_this_process_may_run_on(self):
        cores = Cores.of_this_machine()

        assert cores == Cores() or cores.server != cores.load
