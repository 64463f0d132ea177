"""What an import has met so far, in memory that does not grow with the file."""

import sqlite3


class Seen:
    """Which handles were there before.

    A file may have millions. SQLite keeps them in a temporary file of its own and
    in 4 MB of memory; the shop's database has no business with them.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA cache_size = -4096")
        self._db.execute(
            "CREATE TABLE seen (handle TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID"
        )

    def before(self, handle: str, place: str) -> str | None:
        """Where *handle* was seen first; None if that is here."""
        added = self._db.execute(
            "INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", (handle, place)
        )
        if added.rowcount:
            return None
        found = self._db.execute("SELECT place FROM seen WHERE handle = ?", (handle,))
        return str(found.fetchone()[0])

    def close(self) -> None:
        self._db.close()
