"""Running a program that refuses root when root is who we are.

First choice: a user namespace in which root is an ordinary user. Files stay
root's, so a folder of mode 0700 and a virtual environment below it keep working.
Where namespaces are forbidden (many containers), the program runs as an ordinary
user who keeps one privilege of root's: to read and write past file modes.
"""

import functools
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from holdfast.platform.embedded.process import CannotStart

_NAMESPACE = ("--user", "--map-user=1000", "--map-group=1000")
# initdb insists on a user with a name.
_SPARE_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Unprivileged:
    """How to run a program as somebody who is not root."""

    program: str = ""
    options: tuple[str, ...] = ()
    owner: int | None = None  # to whom its files must belong, if not to us

    @staticmethod
    @functools.cache
    def find() -> "Unprivileged":
        """Try each way once; ``CannotStart`` when this machine allows none."""
        if os.geteuid() != 0:
            return Unprivileged()
        for candidate in _candidates():
            if _works(candidate):
                return candidate
        raise CannotStart(
            "PostgreSQL does not run as root, and this machine allows neither a user "
            "namespace nor setpriv: start as another user, or set DATABASE_URL."
        )

    def prefix(self, *, orphan_signal: signal.Signals | None = None) -> tuple[str, ...]:
        """What to put before a command line."""
        if not self.program:
            return ()
        # A change of user id makes the kernel forget the signal we asked for.
        again = (
            (f"--pdeathsig={orphan_signal.name.removeprefix('SIG')}",)
            if orphan_signal and self.owner is not None
            else ()
        )
        return (self.program, *self.options, *again, "--")

    def take(self, path: Path) -> None:
        """Give a file to whoever the program runs as."""
        if self.owner is not None:
            os.chown(path, self.owner, -1)

    def take_tree(self, path: Path) -> None:
        """Give a folder made in the other way to whoever the program runs as."""
        if os.geteuid() != 0:
            return
        owner = self.owner or 0
        if path.stat().st_uid != owner:
            for found in (path, *path.rglob("*")):
                os.chown(found, owner, -1, follow_symlinks=False)


def _candidates() -> list[Unprivileged]:
    found = []
    if unshare := shutil.which("unshare"):
        found.append(Unprivileged(unshare, _NAMESPACE))
    if setpriv := shutil.which("setpriv"):
        found += [_as_user(setpriv, user) for user in _spare_users()]
    return found


def _as_user(setpriv: str, user: pwd.struct_passwd) -> Unprivileged:
    options = (
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        # Otherwise access(2), by which initdb looks for its programs, ignores the
        # privilege: a checkout below a closed folder would not be found.
        "--securebits=+no_setuid_fixup",
    )
    return Unprivileged(setpriv, options, owner=user.pw_uid)


def _spare_users() -> list[pwd.struct_passwd]:
    by_name = {user.pw_name: user for user in pwd.getpwall()}
    return [by_name[name] for name in _SPARE_USERS if name in by_name]


def _works(candidate: Unprivileged) -> bool:
    true = shutil.which("true")
    if true is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - our own command line
            (*candidate.prefix(), true), capture_output=True, check=False, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
