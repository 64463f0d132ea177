"""The next start finds what an earlier one left behind, and nothing else."""

import os

from holdfast.platform.embedded import Command, leftovers
from holdfast.platform.embedded.process import spawn


class TestEnd:
    def test_ends_the_processes_of_this_home_and_their_children(
        self, tmp_path, eventually
    ):
        log = tmp_path / "log"
        left = spawn(
            Command(
                ("/bin/sh", "-c", "sleep 600 & sleep 600"),
                {"PATH": os.defpath, **leftovers.mark(tmp_path)},
                log,
            )
        )
        eventually(lambda: len(leftovers.find(tmp_path)) == 3)

        ended = leftovers.end(tmp_path)

        left.kill()
        assert ended == 3
        assert leftovers.find(tmp_path) == []

    def test_leaves_the_processes_of_another_home_alone(self, tmp_path, eventually):
        other = spawn(
            Command(
                ("/bin/sleep", "600"),
                leftovers.mark(tmp_path / "home-2"),
                tmp_path / "log",
            )
        )
        eventually(lambda: leftovers.find(tmp_path / "home-2"))

        ended = leftovers.end(tmp_path / "home")

        assert ended == 0
        assert other.alive()
        other.kill()
