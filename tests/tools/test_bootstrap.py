"""A machine with Python and make only gets its environment, or a clear sentence."""

import ast
import hashlib
import importlib.util
import io
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script, in a folder of its own with a lock file."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "TOOLS", tmp_path / ".uv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv/stamp")
    monkeypatch.setattr(module, "LOCK_FILE", tmp_path / "uv.lock")
    (tmp_path / ".uv").mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "uv.lock").write_text('source = { registry = "https://i.example/s/" }')
    return module


@pytest.fixture
def wheel(bootstrap, monkeypatch):
    """A stand-in for uv's wheel, pinned in place of the real one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        program = f"#!/bin/sh\necho uv {bootstrap.UV}\n"
        archive.writestr(f"uv-{bootstrap.UV}.data/scripts/uv", program)
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    pinned = {bootstrap.this_platform(): ("any", digest)}
    monkeypatch.setattr(bootstrap, "WHEELS", pinned)
    return packed.getvalue()


@pytest.fixture
def index(bootstrap, wheel, monkeypatch):
    """A package index on this machine; a list of what was asked of it."""
    asked = []
    name = f"uv-{bootstrap.UV}-py3-none-any.whl"

    class Index(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            page = f'<a href="../../files/{name}#sha256=0">{name}</a>'.encode()
            body = wheel if self.path.endswith(".whl") else page
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://me:p%40ss@127.0.0.1:{server.server_port}/simple/"
        monkeypatch.setenv("PIP_INDEX_URL", address)
        yield asked
        server.shutdown()


class TestScript:
    def test_can_be_parsed_by_an_old_python(self):
        ast.parse(SCRIPT.read_text(), feature_version=(3, 7))

    @pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 0), (3, 15, 0)])
    def test_another_python_gets_one_sentence(self, version):
        done = subprocess.run(  # noqa: S603 - our own script
            [
                *(sys.executable, "-c"),
                (
                    f"import runpy, sys; sys.version_info = {version}; "
                    f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
                ),
            ],
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 1
        assert done.stderr.startswith("Holdfast needs Python 3.11 to 3.14, and ")
        assert done.stderr.count("\n") == 1


class TestFetchWheel:
    def test_takes_the_pinned_wheel_from_the_configured_index(self, bootstrap, index):
        bootstrap.fetch_wheel()

        kept = str(bootstrap.TOOLS / "bin/uv")
        assert bootstrap.version_of(kept) == bootstrap.UV
        credentials = "Basic bWU6cEBzcw=="
        assert index == [
            ("/simple/uv/", credentials),
            (f"/files/uv-{bootstrap.UV}-py3-none-any.whl", credentials),
        ]

    def test_keeps_nothing_that_was_not_pinned(self, bootstrap, index, monkeypatch):
        other = {bootstrap.this_platform(): ("any", "0" * 64)}
        monkeypatch.setattr(bootstrap, "WHEELS", other)

        with pytest.raises(bootstrap.CannotSetUp, match="is not the file that was pin"):
            bootstrap.fetch_wheel()

        assert not (bootstrap.TOOLS / "bin/uv").exists()

    def test_an_unreachable_index_is_named_without_its_password(
        self, bootstrap, wheel, monkeypatch
    ):
        monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:s3cret@127.0.0.1:9/simple")

        with pytest.raises(bootstrap.CannotSetUp) as refusal:
            bootstrap.fetch_wheel()

        assert "cannot reach the package index at 127.0.0.1:9 " in str(refusal.value)
        assert "s3cret" not in str(refusal.value)

    def test_says_what_to_do_on_a_platform_without_a_pin(self, bootstrap, monkeypatch):
        monkeypatch.setattr(bootstrap, "WHEELS", {})

        with pytest.raises(bootstrap.CannotSetUp, match=r"put uv .* on PATH"):
            bootstrap.fetch_wheel()


class TestIsCurrent:
    @pytest.fixture
    def prepared(self, bootstrap):
        (bootstrap.VENV / "bin").mkdir(parents=True)
        (bootstrap.VENV / "bin/holdfast").touch()
        bootstrap.STAMP.write_text(bootstrap.fingerprint())
        return bootstrap

    def test_nothing_changed_nothing_to_do(self, prepared):
        assert prepared.is_current()

    @pytest.mark.parametrize("file", ["uv.lock", "pyproject.toml"])
    def test_a_changed_file_is_noticed(self, prepared, file):
        (prepared.ROOT / file).write_text("changed")

        assert not prepared.is_current()

    @pytest.mark.parametrize("file", ["bin/holdfast", "stamp"])
    def test_a_missing_file_is_noticed(self, prepared, file):
        (prepared.VENV / file).unlink()

        assert not prepared.is_current()

    def test_a_folder_that_was_moved_is_noticed(self, prepared, monkeypatch, tmp_path):
        monkeypatch.setattr(prepared, "ROOT", tmp_path / "elsewhere/..")

        assert not prepared.is_current()


class TestEnvironment:
    def test_leads_uv_nowhere_else(self, bootstrap, monkeypatch):
        monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
        monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", "/elsewhere")

        variables = bootstrap.environment()

        assert "VIRTUAL_ENV" not in variables
        assert variables["UV_PROJECT_ENVIRONMENT"] == str(bootstrap.VENV)
        assert variables["UV_PYTHON_DOWNLOADS"] == "never"

    def test_a_home_that_cannot_be_written_gets_a_cache_here(
        self, bootstrap, monkeypatch
    ):
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.delenv("UV_CACHE_DIR", raising=False)
        monkeypatch.setenv("HOME", "/proc/1/nowhere")

        assert bootstrap.environment()["UV_CACHE_DIR"] == str(bootstrap.TOOLS / "cache")
