"""The keys of personal data are made once, kept wrapped, and never replaced."""

import asyncio
import base64
import stat
import sys

import pytest
from moto.server import ThreadedMotoServer

from holdfast.platform.data_keys import (
    KNOWN_AFTER,
    DataKeys,
    KeysChanged,
    WrappingKeyWrong,
    followed,
    open_vault,
)
from holdfast.platform.db import Database, DatabaseUnavailable
from holdfast.platform.dependencies import KEYS, LIMITS
from holdfast.platform.guard import Guard
from holdfast.platform.migrate import migrate
from holdfast.platform.vault import CannotOpen
from holdfast.platform.wrapping import KeyServiceFailed, wrapper_of
from holdfast.resilience.circuit import State

ONE = "base64:" + base64.b64encode(b"1" * 32).decode()
OTHER = "base64:" + base64.b64encode(b"2" * 32).decode()
OPEN = """
import asyncio, sys
from holdfast.kernel.clock import system_clock
from holdfast.platform.data_keys import open_vault
from holdfast.platform.db import Database, DatabaseUnavailable
from holdfast.platform.migrate import migrate

async def main(url, where):
    db = await Database.connect(url, size=1)
    sys.stdin.readline()
    vault = await open_vault(db, where, clock=system_clock)
    print(vault.prefix.hex(), vault.index("a", purpose="test").hex())
    await db.close()

asyncio.run(main(*sys.argv[1:]))
"""


class TestOpenVault:
    async def test_opens_later_what_it_sealed(self, database, clock):
        sealed = (await open_vault(database, ONE, clock=clock)).seal(b"Ada", place="x")

        again = await open_vault(database, ONE, clock=clock)

        assert again.open(sealed, place="x") == b"Ada"

    async def test_processes_that_start_at_once_have_the_same_keys(
        self, database, database_url, tmp_path
    ):
        where = f"file:{tmp_path}/new/data.key"
        starting = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", OPEN, database_url, where),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            for _ in range(3)
        ]

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            ended = [group.create_task(each.communicate(b"\n")) for each in starting]

        said = {task.result()[0] for task in ended}
        assert len(said) == 1, [task.result()[1] for task in ended]
        assert said != {b""}

    async def test_another_wrapping_key_is_refused(self, database, clock):
        await open_vault(database, ONE, clock=clock)

        with pytest.raises(WrappingKeyWrong, match="is not the key that this shop's"):
            await open_vault(database, OTHER, clock=clock)

    async def test_the_database_holds_no_key_in_clear(self, database, clock):
        vault = await open_vault(database, ONE, clock=clock)
        secret = vault.index("", purpose="")

        rows = await database.fetch("SELECT wrapped, wrapped_by FROM data_keys")

        assert {row["wrapped_by"] for row in rows} == {"base64:..."}
        wrapped = b"".join(row["wrapped"] for row in rows)
        assert secret not in wrapped
        assert vault._index_key not in wrapped


class TestFile:
    async def test_is_for_its_owner_alone(self, database, clock, tmp_path):
        key = tmp_path / "home" / "data.key"

        await open_vault(database, f"file:{key}", clock=clock)

        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert [path.name for path in key.parent.iterdir()] == ["data.key"]

    async def test_is_not_made_again_when_it_is_lost(self, database, clock, tmp_path):
        key = tmp_path / "data.key"
        await open_vault(database, f"file:{key}", clock=clock)
        key.unlink()

        with pytest.raises(WrappingKeyWrong, match="Put the file back"):
            await open_vault(database, f"file:{key}", clock=clock)

        assert not key.exists()

    async def test_that_is_there_already_is_used(self, database, clock, tmp_path):
        key = tmp_path / "data.key"
        key.write_text(ONE.removeprefix("base64:"))

        sealed = (await open_vault(database, f"file:{key}", clock=clock)).seal(
            b"Ada", place="x"
        )

        same = await open_vault(database, ONE, clock=clock)
        assert same.open(sealed, place="x") == b"Ada"

    @pytest.mark.parametrize("held", ["", "not base64!", "AAAA"])
    async def test_that_holds_no_key_is_refused(self, database, clock, tmp_path, held):
        key = tmp_path / "data.key"
        key.write_text(held)

        with pytest.raises(WrappingKeyWrong, match="32 bytes in base64"):
            await open_vault(database, f"file:{key}", clock=clock)


class TestKeyService:
    @pytest.fixture
    def kms(self, monkeypatch):
        """The address of a key at a key service in this process."""
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        boto3 = pytest.importorskip("boto3")
        client = boto3.client("kms", region_name="eu-central-1")
        yield "aws-kms://" + client.create_key()["KeyMetadata"]["Arn"]
        client.close()
        server.stop()

    async def test_wraps_the_keys(self, database, clock, kms):
        sealed = (await open_vault(database, kms, clock=clock)).seal(b"Ada", place="x")

        again = await open_vault(database, kms, clock=clock)

        assert again.open(sealed, place="x") == b"Ada"
        by = await database.fetchval("SELECT DISTINCT wrapped_by FROM data_keys")
        assert by == kms

    async def test_that_has_not_the_key_is_told_in_one_sentence(
        self, database, clock, kms
    ):
        missing = kms.rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"

        with pytest.raises(WrappingKeyWrong, match=r"key service aws-kms://.*help"):
            await open_vault(database, missing, clock=clock)

    async def test_that_is_away_is_told_in_one_sentence(
        self, database, clock, kms, monkeypatch
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")

        with pytest.raises(WrappingKeyWrong, match=r"key service aws-kms://.*help"):
            await open_vault(database, kms, clock=clock)

    async def test_that_keeps_failing_is_left_alone(
        self, database, clock, kms, monkeypatch
    ):
        keys = await DataKeys.open(database, kms, clock=clock)
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
        guard = Guard(KEYS, LIMITS[KEYS])
        later = DataKeys(database, kms, guard=guard, clock=clock)
        while guard.breaker.state is State.CLOSED:
            with pytest.raises(KeyServiceFailed):
                await later.unlock()

        with pytest.raises(KeyServiceFailed, match="does not answer"):
            await later.unlock()
        # Who has the keys goes on with them.
        assert keys.vault.is_open

    async def test_is_asked_once_by_its_own_client(self, kms):
        service = wrapper_of(kms)

        retries = service._aead._client.meta.config.retries
        assert retries["total_max_attempts"] == 1


class TestRotation:
    @pytest.fixture
    async def keys(self, database, clock):
        return await DataKeys.open(database, ONE, clock=clock)

    async def test_a_new_key_is_known_before_it_is_used(self, database, clock, keys):
        other = await DataKeys.open(database, ONE, clock=clock)
        before = keys.vault.prefix

        await keys.add(clock=clock)
        assert keys.vault.prefix == before
        assert await other.reread()
        new = keys.waiting_key
        await keys.use_newest(clock=clock)

        assert keys.vault.prefix == new != before
        assert keys.waiting_key is None
        sealed = keys.vault.seal(b"Ada", place="x")
        assert other.vault.open(sealed, place="x") == b"Ada"

    async def test_what_was_sealed_before_still_opens(self, clock, keys):
        sealed = keys.vault.seal(b"Ada", place="x")
        index = keys.vault.index("ada@example.com", purpose="email")

        await keys.add(clock=clock)
        await keys.use_newest(clock=clock)

        assert keys.vault.open(sealed, place="x") == b"Ada"
        assert keys.vault.index("ada@example.com", purpose="email") == index

    async def test_a_key_in_use_is_kept_and_others_go(self, clock, keys):
        first = keys.vault.prefix
        sealed = keys.vault.seal(b"Ada", place="x")
        await keys.add(clock=clock)
        await keys.use_newest(clock=clock)

        assert await keys.retire({first}, clock=clock) == 0
        assert keys.vault.open(sealed, place="x") == b"Ada"
        assert await keys.retire((), clock=clock) == 1
        with pytest.raises(CannotOpen):
            keys.vault.open(sealed, place="x")

    async def test_of_two_that_change_the_keys_one_is_refused(
        self, database, clock, keys
    ):
        other = await DataKeys.open(database, ONE, clock=clock)
        await keys.add(clock=clock)

        with pytest.raises(KeysChanged):
            await other.add(clock=clock)

    async def test_resealing_waits_until_everybody_knows_the_key(self, clock, keys):
        await keys.note_resealed(1)
        assert not (await keys.standing(clock=clock)).wants_resealing

        await keys.add(clock=clock)
        await keys.use_newest(clock=clock)
        assert not (await keys.standing(clock=clock)).wants_resealing

        clock.advance(seconds=KNOWN_AFTER.total_seconds())
        standing = await keys.standing(clock=clock)
        assert standing.wants_resealing
        await keys.note_resealed(standing.version)
        assert not (await keys.standing(clock=clock)).wants_resealing

    async def test_a_value_under_an_unknown_key_makes_a_process_look_again(
        self, database_url, clock, keys, promised
    ):
        db = await Database.connect(database_url, size=1)
        async with followed(await DataKeys.open(db, ONE, clock=clock)) as vault:
            await keys.add(clock=clock)
            await keys.use_newest(clock=clock)
            sealed = keys.vault.seal(b"Ada", place="x")

            async def opens():
                try:
                    return vault.open(sealed, place="x") == b"Ada"
                except CannotOpen:
                    return False

            await promised(opens, seconds=8)
        await db.close()

    async def test_a_process_that_began_before_the_tables_gets_the_keys_by_itself(
        self, postgres, clock, promised
    ):
        server = await Database.connect(postgres.url, size=1)
        async with server.acquire() as connection:
            await connection.execute('CREATE DATABASE "not_yet"')
        db = await Database.connect(postgres.url_of("not_yet"), size=2)
        later = DataKeys(db, ONE, clock=clock)
        with pytest.raises(DatabaseUnavailable):
            await later.unlock()
        async with followed(later) as vault:
            locked = not vault.is_open
            await migrate(db)

            async def is_open():
                return vault.is_open

            await promised(is_open)
        await db.close()
        async with server.acquire() as connection:
            await connection.execute('DROP DATABASE "not_yet" WITH (FORCE)')
        await server.close()

        assert locked
