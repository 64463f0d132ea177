"""Root runs PostgreSQL as somebody else; everybody else runs it as themselves."""

import os
import shutil
import signal

import pytest

from holdfast.platform.embedded import CannotStart, PostgresServer, privileges
from holdfast.platform.embedded.privileges import Unprivileged

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to")


@pytest.fixture
def forget():
    Unprivileged.find.cache_clear()
    yield
    Unprivileged.find.cache_clear()


class TestFind:
    @pytest.mark.skipif(os.geteuid() == 0, reason="root has to")
    def test_an_ordinary_user_needs_nothing(self):
        assert Unprivileged.find().prefix() == ()

    @root_only
    def test_root_prefers_a_namespace_of_its_own(self):
        assert Unprivileged.find().prefix()[1] == "--user"

    @root_only
    def test_root_says_so_when_nothing_is_allowed(self, forget, monkeypatch):
        monkeypatch.setattr(privileges, "_works", lambda _: False)

        with pytest.raises(CannotStart, match="does not run as root"):
            Unprivileged.find()

    @root_only
    def test_a_machine_without_namespaces_runs_it_as_a_spare_user(
        self, forget, monkeypatch, awkward
    ):
        if shutil.which("setpriv") is None:
            pytest.skip("there is no setpriv here")
        works = privileges._works
        monkeypatch.setattr(
            privileges, "_works", lambda way: way.owner is not None and works(way)
        )

        with PostgresServer(awkward / "server", durable=False) as server:
            owner = (server.data / "PG_VERSION").stat().st_uid
        Unprivileged.find.cache_clear()
        monkeypatch.setattr(privileges, "_works", works)
        with PostgresServer(awkward / "server", durable=False) as server:
            given_back = (server.data / "PG_VERSION").stat().st_uid

        assert owner != 0
        assert given_back == 0


class TestPrefix:
    def test_asks_again_for_the_signal_that_a_change_of_user_forgets(self):
        way = Unprivileged("setpriv", ("--reuid=7",), owner=7)

        prefix = way.prefix(orphan_signal=signal.SIGINT)

        assert prefix == ("setpriv", "--reuid=7", "--pdeathsig=INT", "--")
