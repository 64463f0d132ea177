"""What a person sees while a shop runs, and what happens when nobody looks."""

import io
import sys

import pytest

from holdfast.cli.console import LogFollower, Narrator, SourceWatch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


class TestNarrator:
    def test_writes_plain_lines_where_there_is_no_terminal(self, capsys):
        narrator = Narrator()

        with narrator.busy("starting"):
            narrator.tell("valkey is ready [ok]")
        narrator.show("as it is")

        first, second = capsys.readouterr().out.splitlines()
        assert first.endswith(" s  valkey is ready [ok]")
        assert second == "as it is"

    def test_shows_what_it_is_at_on_a_terminal(self, monkeypatch):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("TERM", "xterm")

        with Narrator().busy("starting"):
            pass

        assert "starting" in terminal.getvalue()

    def test_goes_on_when_the_terminal_is_gone(self, monkeypatch):
        narrator = Narrator()
        monkeypatch.setattr(sys, "stdout", Gone())

        narrator.tell("stopping api")
        narrator.show("stopped")

        assert narrator.seconds >= 0


class TestLogFollower:
    @pytest.fixture
    def log(self, tmp_path):
        log = tmp_path / "api.log"
        log.write_text("from before\n")
        return log

    def test_copies_whole_new_lines_with_their_name(self, log, tmp_path, capsys):
        follower = LogFollower({"api": log, "worker": tmp_path / "none.log"})

        with log.open("a") as file:
            file.write("one\ntwo\nunfini")
        follower.copy()
        with log.open("a") as file:
            file.write("shed\n")
        follower.copy()

        assert capsys.readouterr().out.splitlines() == [
            "api    | one",
            "api    | two",
            "api    | unfinished",
        ]

    def test_goes_on_after_the_log_was_rotated(self, log, capsys):
        follower = LogFollower({"api": log})
        log.unlink()
        follower.copy()
        log.write_text("anew\n")

        follower.copy()

        assert capsys.readouterr().out == "api | anew\n"


class TestSourceWatch:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "api").mkdir()
        (tmp_path / "api" / "app.py").write_text("")
        return tmp_path

    def test_names_a_file_that_changed_once(self, folder):
        watch = SourceWatch(folder)

        (folder / "api" / "queries.sql").write_text("SELECT 1")

        assert watch.changed() == "api/queries.sql"
        assert watch.changed() == ""

    def test_notices_a_file_that_went(self, folder):
        watch = SourceWatch(folder)

        (folder / "api" / "app.py").unlink()

        assert watch.changed() == "api/app.py"

    def test_does_not_mind_compiled_files(self, folder):
        watch = SourceWatch(folder)

        (folder / "api" / "app.pyc").write_bytes(b"")

        assert watch.changed() == ""
