"""Prepare ``.venv`` from ``uv.lock`` on a machine that has only Python and make.

``make setup`` runs this file with whatever ``python3`` it finds, so it needs the
standard library only and is written to be *parsed* by Python 3.6, which lets an old
interpreter say one clear sentence in place of a syntax error.

It finds uv in this order: the pinned version on PATH, the one fetched earlier into
``.uv/``, pip in a throw-away virtual environment, and, where a distribution ships
Python without ensurepip, the wheel itself from the package index. Whichever way it
comes, the file must have one of the hashes below. uv then installs exactly what the
lock file says, with this interpreter and no other.

When nothing changed since the last run it does nothing (about 50 ms): a stamp in
``.venv`` remembers lock and project file, interpreter and folder.
"""

import base64
import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

OLDEST, FIRST_UNTRIED = (3, 11), (3, 15)
if not OLDEST <= sys.version_info < FIRST_UNTRIED:
    sys.exit(
        "Holdfast needs Python 3.11 to 3.14, and {} is {}.{}; name another one: "
        "make setup PYTHON=python3.13".format(sys.executable, *sys.version_info[:2])
    )

UV = "0.13.9"
# Key: the machine and its C library.
WHEELS = {
    "linux-x86_64": (
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    "musl-x86_64": (
        "musllinux_1_1_x86_64",
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
    ),
    "linux-aarch64": (
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    "darwin-x86_64": (
        "macosx_10_12_x86_64",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ),
    "darwin-arm64": (
        "macosx_11_0_arm64",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
}
# Of a narrower tag, which pip may prefer, and as good.
ALSO_ACCEPTED = ("ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",)

ROOT = Path(__file__).resolve().parent.parent
VENV, TOOLS = ROOT / ".venv", ROOT / ".uv"
STAMP = VENV / "holdfast-setup"
LOCK_FILE = ROOT / "uv.lock"
EXTRAS = ("--extra=embedded", "--extra=awskms")  # what the tests need


class CannotSetUp(Exception):
    """The environment cannot be prepared; the message is for a person."""


def main(wanted: str) -> None:
    """Carry out ``setup`` or ``lock``; one sentence and status 1 on failure."""
    try:
        if wanted == "setup" and is_current():
            return
        with alone():
            if wanted == "lock":
                run(find_uv(), "lock")
            if not is_current():
                prepare()
    except CannotSetUp as problem:
        sys.exit(f"setup: {problem}")
    except OSError as problem:
        sys.exit(f"setup: {problem.filename or ROOT}: {problem.strerror}")
    except KeyboardInterrupt:
        sys.exit("setup: interrupted; run it again to go on")


def fingerprint() -> str:
    """What the environment depends on; it cannot be moved, so also where it is."""
    digest = hashlib.sha256()
    for part in (LOCK_FILE, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(part.read_bytes())
    digest.update(f"{sys.version}\n{base_python()}\n{ROOT}".encode())
    return digest.hexdigest()


def is_current() -> bool:
    try:
        return STAMP.read_text() == fingerprint() and (VENV / "bin/holdfast").exists()
    except FileNotFoundError:
        return False


def base_python() -> str:
    # Inside an activated environment, what must be used is the Python it came from.
    return getattr(sys, "_base_executable", None) or sys.executable


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one run at a time work in this folder; another one waits for it."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another setup in this folder")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prepare() -> None:
    started = time.perf_counter()
    uv = find_uv()
    drop_a_foreign_environment()
    say(
        "installing the packages of uv.lock into .venv (Python {}.{}.{})".format(
            *sys.version_info[:3]
        )
    )
    # Its absence must not survive an interrupted installation.
    with contextlib.suppress(FileNotFoundError):
        STAMP.unlink()
    index = configured_index()
    if index and index != locked_index():
        install_from(index, uv)
    else:
        run(uv, "sync", "--locked", *EXTRAS)
    run(str(VENV / "bin/python"), "-m", "compileall", "-q", "src")
    STAMP.write_text(fingerprint())
    say(f"done in {time.perf_counter() - started:.0f} s; try .venv/bin/holdfast --help")


def install_from(index: str, uv: str) -> None:
    """Install the locked versions from a mirror, still held to the locked hashes.

    ``uv sync`` takes the addresses in the lock file literally, which is of no use
    behind a wall that only lets a mirror through.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = str(Path(folder) / "requirements.txt")
        exported = ("export", "--frozen", *EXTRAS, "--no-emit-project")
        run(uv, *exported, "--quiet", "--format", "requirements.txt", "-o", wanted)
        if not (VENV / "bin/python").exists():
            run(uv, "venv", "--quiet", str(VENV))
        mirror = {"UV_DEFAULT_INDEX": index, "UV_PYTHON": str(VENV / "bin/python")}
        run(uv, "pip", "sync", "--require-hashes", wanted, **mirror)
        run(uv, "pip", "install", "--no-deps", "--editable", str(ROOT), **mirror)


def drop_a_foreign_environment() -> None:
    """Remove a ``.venv`` copied from elsewhere: its scripts name that place."""
    script = VENV / "bin/holdfast"
    if script.exists() and str(VENV).encode() not in script.read_bytes():
        say("removing .venv, which was made in another folder")
        shutil.rmtree(str(VENV))


# -- finding uv ---------------------------------------------------------------


def find_uv() -> str:
    """The pinned uv, fetched once if need be."""
    kept = TOOLS / "bin/uv"
    for candidate in (shutil.which("uv"), str(kept)):
        if candidate and version_of(candidate) == UV:
            return candidate
    try:
        fetch_with_pip()
    except (CannotSetUp, subprocess.CalledProcessError):
        fetch_wheel()
    if version_of(str(kept)) != UV:
        raise CannotSetUp("the uv that was fetched does not run on this machine")
    return str(kept)


def version_of(uv: str) -> str:
    try:
        answer = subprocess.run(
            [uv, "--version"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        ).stdout.decode()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return [*answer.split(), "", ""][1]


def fetch_with_pip() -> None:
    """Let pip fetch it, since pip knows this machine's proxies and mirrors."""
    with tempfile.TemporaryDirectory(dir=str(TOOLS)) as folder:
        # Not venv.EnvBuilder: Debian's ends this process when ensurepip is absent.
        made = subprocess.run(
            [sys.executable, "-m", "venv", folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if made.returncode != 0:
            raise CannotSetUp("this Python comes without pip")
        say(f"fetching uv {UV} with pip (once)")
        hashes = [digest for _, digest in WHEELS.values()] + list(ALSO_ACCEPTED)
        wanted = Path(folder) / "uv.txt"
        wanted.write_text(
            " ".join([f"uv=={UV}"] + ["--hash=sha256:" + h for h in hashes])
        )
        subprocess.run(
            [
                folder + "/bin/python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary",
                "uv",
                "--require-hashes",
                "--requirement",
                str(wanted),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        keep(Path(folder) / "bin/uv")


def fetch_wheel() -> None:
    """Fetch the wheel from the index by hand, where Python came without pip."""
    tag, digest = WHEELS.get(this_platform()) or (None, None)
    if tag is None:
        raise CannotSetUp(
            f"Python has no pip here and no uv is pinned for {this_platform()}; "
            f"put uv {UV} on PATH"
        )
    name = f"uv-{UV}-py3-none-{tag}.whl"
    index = configured_index() or locked_index()
    say(f"fetching uv {UV} from the package index (once)")
    page = download(index + "/uv/").decode()
    # The same search reads both forms of the simple API (PEP 503 HTML, PEP 691 JSON).
    found = re.search(rf'"([^"\s]*{re.escape(name)}(?:#[^"]*)?)"', page)
    if not found:
        raise CannotSetUp(f"the package index does not offer {name}")
    wheel = download(urllib.parse.urljoin(index + "/uv/", found.group(1)))
    if hashlib.sha256(wheel).hexdigest() != digest:
        raise CannotSetUp(f"{name} is not the file that was pinned; stopping")
    with tempfile.TemporaryDirectory(dir=str(TOOLS)) as folder:
        packed = Path(folder) / name
        packed.write_bytes(wheel)
        with zipfile.ZipFile(str(packed)) as archive:
            script = f"uv-{UV}.data/scripts/uv"
            keep(Path(archive.extract(script, folder)))


def keep(binary: Path) -> None:
    binary.chmod(0o755)
    (TOOLS / "bin").mkdir(exist_ok=True)
    binary.replace(TOOLS / "bin/uv")


def this_platform() -> str:
    system = platform.system().lower()
    if system == "linux" and platform.libc_ver()[0] != "glibc":
        system = "musl" if platform.machine() == "x86_64" else "linux"
    return f"{system}-{platform.machine()}"


# -- the package index --------------------------------------------------------


def configured_index() -> str:
    """The mirror this machine is told to use, or nothing."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):  # noqa: TID251 - runs before the package exists
            return os.environ[name].rstrip("/")  # noqa: TID251 - likewise
    return ""


def locked_index() -> str:
    found = re.search(r'registry = "([^"]+)"', LOCK_FILE.read_text())
    if not found:
        raise CannotSetUp("uv.lock names no package index")
    return found.group(1).rstrip("/")


def download(address: str) -> bytes:
    """Fetch one address; a name and password in it are sent, and never shown."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https"):
        raise CannotSetUp("the package index must be an http or https address")
    credentials, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        urllib.parse.urlunsplit(parts._replace(netloc=host, fragment=""))
    )
    request.add_header("Accept", "application/vnd.pypi.simple.v1+html, text/html, */*")
    if credentials:
        token = base64.b64encode(urllib.parse.unquote(credentials).encode()).decode()
        request.add_unredirected_header("Authorization", "Basic " + token)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.read()
    except (urllib.error.URLError, ssl.SSLError, TimeoutError) as problem:
        raise CannotSetUp(
            "cannot reach the package index at {} ({})".format(
                host, getattr(problem, "reason", problem)
            )
        ) from None


# -- running things -----------------------------------------------------------


def run(*command: str, **extra: str) -> None:
    """Run *command* in the project, passing on what it says but lists of packages."""
    with subprocess.Popen(
        command,
        cwd=str(ROOT),
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stderr or ():
            if not line.startswith((" + ", " - ", " ~ ")):
                print(line, end="", file=sys.stderr, flush=True)
    if process.returncode != 0:
        raise CannotSetUp(
            "{} failed (status {}); the lines above say why".format(
                " ".join([Path(command[0]).name, *command[1:2]]), process.returncode
            )
        )


def environment(**extra: str) -> "dict[str, str]":
    """The caller's environment, less what would lead uv to another place."""
    variables = dict(os.environ)  # noqa: TID251 - handed on to uv
    for name in (
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "UV_FROZEN",
        "UV_NO_SYNC",
        "UV_OFFLINE",
        "PYTHONPATH",
        "PYTHONHOME",
    ):
        variables.pop(name, None)
    variables.update(
        UV_PROJECT_ENVIRONMENT=str(VENV),
        UV_PYTHON=base_python(),
        UV_PYTHON_DOWNLOADS="never",
        UV_COMPILE_BYTECODE="1",
    )
    if "UV_CACHE_DIR" not in variables and not can_write(usual_cache(variables)):
        variables["UV_CACHE_DIR"] = str(TOOLS / "cache")
    variables.update(extra)
    return variables


def usual_cache(variables: "dict[str, str]") -> Path:
    home = variables.get("HOME") or "/nonexistent"
    return Path(variables.get("XDG_CACHE_HOME") or home + "/.cache") / "uv"


def can_write(path: Path) -> bool:
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.access(str(path), os.W_OK | os.X_OK)


def say(sentence: str) -> None:
    print("setup: " + sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "setup")
