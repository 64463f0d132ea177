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
