"""Statements are found by name, whole, and a missing one is noticed at the start."""

import sys

import pytest

from holdfast.platform import sql

TWO = """-- Statements of the tea module.

-- name: brew
-- Make a cup. $1 cup.
INSERT INTO cups (id) VALUES ($1);

-- name: drink
-- Empty a cup. $1 cup.
DELETE FROM cups WHERE id = $1;
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An importable package ``tea`` whose ``queries.sql`` can be written."""
    folder = tmp_path / "tea"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tea", raising=False)
    yield folder / "queries.sql"
    sys.modules.pop("tea", None)


class TestLoad:
    def test_gives_each_statement_as_it_stands_in_the_file(self, package):
        package.write_text(TWO)

        statements = sql.load("tea")

        assert list(statements) == ["brew", "drink"]
        assert len(statements) == 2
        assert statements["brew"] == (
            "-- Make a cup. $1 cup.\nINSERT INTO cups (id) VALUES ($1);"
        )

    def test_a_statement_that_is_not_there_is_named(self, package):
        package.write_text(TWO)

        with pytest.raises(LookupError, match="tea has no statement 'spill'"):
            sql.load("tea")["spill"]

    def test_two_statements_of_one_name_are_refused(self, package):
        package.write_text(TWO + TWO)

        with pytest.raises(ValueError, match="tea: two statements share a name"):
            sql.load("tea")

    def test_a_module_without_statements_fails_at_once(self, package):
        with pytest.raises(FileNotFoundError):
            sql.load("tea")


FIRST = """-- Takes a cup. $1 cup, $2 who.
WITH taken AS (
    UPDATE cups SET owner = $2 WHERE id = $1 RETURNING id
)
SELECT id FROM taken;"""
THEN = """-- Tells of it. $1 what, $2 when.
WITH happened AS (/* first */ SELECT 1 /* first */), told AS (
    INSERT INTO told (what, at) SELECT $1, $2 WHERE EXISTS (SELECT FROM happened)
)
SELECT 1 AS happened FROM happened;"""


class TestJoined:
    def test_the_parameters_of_the_first_come_first(self):
        found = sql.joined(FIRST, THEN)

        assert "SET owner = $2 WHERE id = $1" in found
        assert "SELECT $3, $4 WHERE" in found
        assert "happened AS (SELECT id FROM taken), told AS (" in found
        assert found.count("WITH") == 1

    async def test_both_happen_or_neither(self, database):
        async with database.acquire() as connection:
            await connection.execute(
                "CREATE TABLE cups (id int, owner text);"
                "CREATE TABLE told (what text, at int);"
                "INSERT INTO cups VALUES (1, 'nobody')"
            )
            joined = sql.joined(FIRST, THEN)
            first = await connection.fetch(joined, 1, "ada", "tea", 5)
            second = await connection.fetch(joined, 2, "bob", "tea", 6)
            told = await connection.fetch("SELECT what, at FROM told")
            owner = await connection.fetchval("SELECT owner FROM cups")

        assert (len(first), len(second)) == (1, 0)
        assert [tuple(row) for row in told] == [("tea", 5)]
        assert owner == "ada"

    async def test_what_comes_of_two_may_be_the_first_of_a_third(self, database):
        first = sql.Step(FIRST, (1, "ada"))
        told = sql.Step(THEN, ("tea", 5))
        later = THEN.replace("happened", "later").replace("told", "said")
        again = sql.Step(later, (7, 9))
        async with database.acquire() as connection:
            await connection.execute(
                "CREATE TABLE cups (id int, owner text);"
                "CREATE TABLE told (what text, at int);"
                "CREATE TABLE said (what int, at int);"
                "INSERT INTO cups VALUES (1, 'nobody')"
            )
            step = first.then(told).then(again)
            done = await connection.fetch(step.statement, *step.args)
            told = await connection.fetchrow("SELECT what, at FROM told")
            said = await connection.fetchrow("SELECT what, at FROM said")

        assert len(done) == 1
        assert (tuple(told), tuple(said)) == (("tea", 5), (7, 9))

    @pytest.mark.parametrize(
        ("first", "then"),
        [("SELECT 1;", THEN), (FIRST, FIRST)],
        ids=["nothing to join", "no place for it"],
    )
    def test_what_does_not_fit_is_refused(self, first, then):
        with pytest.raises(ValueError, match="where to join"):
            sql.joined(first, then)
