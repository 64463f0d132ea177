"""Files of levels from the command line."""

import pytest

from holdfast.domain import inventory


@pytest.fixture
def write(tmp_path):
    def put(text):
        path = tmp_path / "levels.csv"
        path.write_text(text)
        return str(path)

    return put


class TestImportLevels:
    async def test_sets_levels(self, holdfast, write, database, a_product):
        tea = await a_product("TEA", on_hand=10)

        said = await holdfast("import", "levels", write("sku,on_hand\nTEA,4\n"))

        assert (said.code, said.out) == (0, "1 levels read, 1 changed.\n")
        page = await inventory.movements(database, tea, after=None, limit=1)
        assert (page.items[0].delta, page.items[0].actor) == (-6, "command_line")
        again = await holdfast("import", "levels", write("sku,on_hand\nTEA,4\n"))
        assert again.out == "1 levels read, 0 changed.\n"

    async def test_names_lines_at_fault_and_changes_nothing(
        self, holdfast, write, database, a_product
    ):
        await a_product("TEA", on_hand=10)
        path = write("sku,on_hand\nTEA,4\nPOT,4\n")

        said = await holdfast("import", "levels", path)

        assert said.code == 1
        assert said.err.splitlines() == [
            f"{path}:3: no variant has the SKU POT",
            "Nothing was changed.",
        ]
        assert (await inventory.find(database, "TEA")).on_hand == 10

    async def test_says_when_a_file_cannot_be_read(self, holdfast, tmp_path):
        said = await holdfast("import", "levels", str(tmp_path / "nothing.csv"))

        assert said.code == 2
        assert "No such file" in said.err

    async def test_reads_no_more_than_it_can_hold(self, holdfast, write, monkeypatch):
        monkeypatch.setattr("holdfast.cli.import_levels._LARGEST_BYTES", 8)

        said = await holdfast("import", "levels", write("sku,on_hand\n"))

        assert said.code == 2
        assert "more than 8 bytes" in said.err
