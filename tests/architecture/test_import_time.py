"""Importing the product does nothing: no connection, no file, no process, no thread."""

import json
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
# From the files: walking packages would import them, unwatched.
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path.name != "__main__.py"
)
IMPORT_ALL = """
import importlib, json, sys, threading, traceback

FORBIDDEN = ("socket.bind", "socket.connect", "socket.sendto", "socket.getaddrinfo",
             "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn",
             "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.putenv",
             "shutil.rmtree", "shutil.copyfile", "sqlite3.connect", "urllib.Request")
WRITING = set("wax+")

def watch(event, arguments):
    if event in FORBIDDEN:
        raise RuntimeError(f"{event} {arguments!r}")
    if event == "open" and isinstance(arguments[1], str):
        if WRITING & set(arguments[1]):
            raise RuntimeError(f"open {arguments[0]!r} for writing")

sys.addaudithook(watch)
problems = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException:
        # By its cause: every module above the culprit fails in the same way.
        problems.setdefault(traceback.format_exc(limit=-2), name)
    if threading.active_count() > 1:
        problems[f"started {threading.enumerate()[1:]}"] = name
        break
print(json.dumps(problems))
"""


class TestImport:
    def test_of_every_module_does_nothing(self, tmp_path):
        # -B: Python itself would write bytecode.
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-B", "-c", IMPORT_ALL, *MODULES],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )

        problems = json.loads(done.stdout.splitlines()[-1])
        assert not problems, "\n".join(
            f"{name}: {why}" for why, name in problems.items()
        )
        assert list(tmp_path.iterdir()) == []

    def test_of_the_command_does_not_load_the_web_framework(self):
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [
                *(sys.executable, "-c"),
                "import sys, holdfast.cli.main; print(*sys.modules, sep='\\n')",
            ],
            check=True,
            capture_output=True,
            text=True,
        )

        heavy = {"litestar", "asyncpg", "aiohttp", "PIL", "pgqueuer", "uvicorn"}
        assert heavy.isdisjoint(done.stdout.split()), "holdfast --help would be slow"
