"""A folder in which a process may die, and who uploads, draws and sweeps there."""

import io
from uuid import UUID

import pytest
from pictures import picture

from holdfast.domain.media import Asset, Picture, Studio, Upload
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import Answer
from holdfast.platform.storage import Folder
from holdfast.workflows.media import Darkroom, Uploading


class Doomed(BaseException):
    """The process dies here."""


class Breaking(Folder):
    """A folder at which a process dies after so many calls; none by default."""

    def __init__(self, root, *, calls=10**9, error=Doomed):
        super().__init__(root)
        self.calls = calls
        self.error = error
        self.root = root

    def _count(self):
        self.calls -= 1
        if self.calls < 0:
            raise self.error

    async def put(self, *args):
        self._count()
        await super().put(*args)
        self._count()

    async def remove(self, *args):
        self._count()
        await super().remove(*args)
        self._count()

    async def remove_folder(self, *args):
        self._count()
        await super().remove_folder(*args)
        self._count()

    @property
    def files(self) -> list[str]:
        """Names of files within folders; what marks the whole is in none."""
        return sorted(p.name for p in self.root.glob("*/**/*") if p.is_file())


@pytest.fixture
def doomed():
    """What a process dies of."""
    return Doomed


@pytest.fixture
def storage(tmp_path):
    return Breaking(tmp_path / "images")


@pytest.fixture
def darkroom(database, storage, clock):
    return Darkroom(database, storage, Studio(), clock)


@pytest.fixture
def upload(database, vault, storage, clock):
    """Upload a picture; returns its id."""

    async def keep(content=None, claim=None):
        content = picture(size=(8, 8)) if content is None else content
        wanted = Upload(
            new_id(), Picture("png", 8, 8), len(content), "00" * 32, "a.png", ""
        )

        def render(asset: Asset) -> Answer:
            return Answer(201, {}, str(asset.id).encode())

        answer, _ = await Uploading(database, vault, storage, clock, render).upload(
            wanted, io.BytesIO(content), actor="test", claim=claim
        )
        return UUID(answer.body.decode())

    return keep


@pytest.fixture
def swept(darkroom, clock):
    """Let time pass, and sweep as the worker does, until nothing is left to do."""

    async def sweep():
        for _ in range(5):
            clock.advance(hours=2)
            await darkroom.sweep()
        assert await darkroom.sweep() == 0

    return sweep


@pytest.fixture
def statuses(database):
    """The statuses of all pictures there are rows of."""

    async def read():
        rows = await database.fetch("SELECT status FROM media_assets ORDER BY id")
        return [row["status"] for row in rows]

    return read
