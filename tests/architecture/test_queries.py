"""SQL is a first-class language: documented, used, typed by the real schema."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from holdfast.platform import sql

SOURCE = Path(__file__).parents[2] / "src"
PACKAGES = sorted(
    ".".join(path.parent.relative_to(SOURCE).parts)
    for path in SOURCE.rglob("queries.sql")
)
STATEMENTS = [
    (package, name, text)
    for package in PACKAGES
    for name, text in sql.load(package).items()
]
COMMENT = re.compile(r"--[^\n]*")
QUOTED = re.compile(r"'(?:[^']|'')*'")
PARAMETER = re.compile(r"\$\d+\b")
EVERY_COLUMN = re.compile(
    r"\b(?:SELECT|RETURNING)\s+(?:\w+\.)?\*|,\s*\w+\.\*", re.IGNORECASE
)
# `FOR UPDATE` locks and `ON CONFLICT ... DO UPDATE SET` belongs to its INSERT.
WRITES = re.compile(
    r"(?:INSERT\s+INTO|MERGE\s+INTO|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|COPY"
    r"|(?<!FOR\s)(?<!KEY\s)(?<!DO\s)UPDATE(?!\s+SET\b))\s+(?:ONLY\s+)?([a-z_][a-z_0-9.]*)",
    re.IGNORECASE,
)
STARTS_LIKE_SQL = re.compile(
    r"""["']\s*(SELECT\s(?!1["'])|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s)"""
)
# What must run before there is a schema, or outside of it; or in SQLite; or what
# looks at the server and at the books from outside while it measures.
MAY_HOLD_SQL = (
    "holdfast/cli/bench/",
    "holdfast/cli/prove/",
    "holdfast/platform/migrate.py",
    "holdfast/platform/embedded/",
    "holdfast/cli/seen.py",
)


class TestStatements:
    def test_begins_with_a_comment(self):
        bare = [f"{p}:{name}" for p, name, text in STATEMENTS if text[:2] != "--"]

        assert not bare, f"say what these do, what they lock and return: {bare}"

    def test_its_comment_names_every_parameter(self):
        silent = [
            f"{package}:{name} {parameter}"
            for package, name, text in STATEMENTS
            for parameter in sorted(set(PARAMETER.findall(COMMENT.sub("", text))))
            if parameter not in PARAMETER.findall(" ".join(COMMENT.findall(text)))
        ]

        assert not silent, f"say what these parameters are: {silent}"

    def test_is_used_by_its_own_module(self):
        unused = []
        for package, name, _ in STATEMENTS:
            folder = SOURCE / package.replace(".", "/")
            code = "\n".join(path.read_text() for path in folder.glob("*.py"))
            constants = re.findall(rf'^(\w+) = .+\["{name}"\]$', code, re.MULTILINE)
            uses = [len(re.findall(rf"\b{constant}\b", code)) for constant in constants]
            # Once where it is looked up, and once where it is run.
            if not any(count > 1 for count in uses):
                unused.append(f"{package}:{name}")

        assert not unused, f"nothing runs these statements: {unused}"

    def test_names_its_columns(self):
        greedy = [
            f"{package}:{name}"
            for package, name, text in STATEMENTS
            if EVERY_COLUMN.search(QUOTED.sub("''", COMMENT.sub("", text)))
        ]

        assert not greedy, f"these take whatever columns there are: {greedy}"

    async def test_prepares_against_the_migrated_schema(self, database):
        refused = []
        async with database.acquire() as connection:
            for package, name, text in STATEMENTS:
                try:
                    await connection.prepare(text)
                except Exception as problem:  # noqa: BLE001 - all of them are shown
                    refused.append(f"{package}:{name}: {problem}")

        assert not refused, "\n".join(refused)


class TestTables:
    def test_is_written_by_exactly_one_module(self):
        writers = defaultdict(set)
        for package, _, text in STATEMENTS:
            bare = QUOTED.sub("''", COMMENT.sub("", text))
            for table in WRITES.findall(bare):
                writers[table.lower()].add(package)

        shared = {table: who for table, who in writers.items() if len(who) > 1}
        assert not shared, f"tables with two owners: {shared}"

    @pytest.mark.parametrize(
        ("statement", "table"),
        [
            ("INSERT INTO tea (id) VALUES (1)", ["tea"]),
            ("UPDATE tea t SET cups = 1", ["tea"]),
            ("DELETE FROM tea WHERE true", ["tea"]),
            ("SELECT 1 FROM tea FOR UPDATE SKIP LOCKED", []),
            ("SELECT 1 FROM tea t FOR NO KEY UPDATE OF t", []),
            (
                "INSERT INTO tea VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2",
                ["tea"],
            ),
        ],
    )
    def test_a_write_is_told_from_a_lock(self, statement, table):
        assert WRITES.findall(statement) == table


class TestPython:
    def test_holds_no_sql(self):
        found = [
            place
            for path in sorted(SOURCE.rglob("*.py"))
            if not (place := path.relative_to(SOURCE).as_posix()).startswith(
                MAY_HOLD_SQL
            )
            and STARTS_LIKE_SQL.search(path.read_text())
        ]

        assert not found, f"SQL belongs in queries.sql, and these have some: {found}"
