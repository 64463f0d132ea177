"""``holdfast export``: the whole catalogue as a file that can be taken in again."""


class TestExport:
    async def test_is_a_file_that_changes_nothing_where_it_came_from(
        self, holdfast, shared_data, tmp_path, database
    ):
        for option, kind in ((("--shopify",), "shopify"), ((), "jsonl")):
            source = shared_data / "shopify" / "apparel.csv"
            await holdfast("import", "shopify", str(source))
            file = tmp_path / kind

            said = await holdfast("export", str(file), *option)
            again = await holdfast("import", kind, str(file))

            assert (said.code, said.err) == (0, "")
            assert said.out == f"{file}: {file.stat().st_size:,} bytes\n"
            assert "0 created, 0 updated, 20 unchanged, 0 rows refused" in again.out

    async def test_goes_to_standard_output_too(self, holdfast, a_product):
        await a_product("TEA")

        said = await holdfast("export", "-")

        assert said.out.startswith('{"title":"Title of TEA"')
        assert said.out.count("\n") == 1

    async def test_overwrites_nothing(self, holdfast, tmp_path):
        file = tmp_path / "products.jsonl"
        file.write_text("mine")

        said = await holdfast("export", str(file))

        assert (said.code, said.err) == (2, f"{file}: is there already\n")
        assert file.read_text() == "mine"

    async def test_says_where_it_cannot_write(self, holdfast, tmp_path):
        said = await holdfast("export", str(tmp_path / "nowhere" / "file"))

        assert said.code == 2
        assert said.err.endswith("No such file or directory\n")


class TestImportJsonLines:
    async def test_names_each_bad_line_and_takes_in_the_rest(
        self, holdfast, tmp_path, database
    ):
        file = tmp_path / "products.jsonl"
        tea = (
            '{"title": "Tea", "variants": [{"sku": "T", "price":'
            ' {"amount": 1, "currency": "EUR"}}]}'
        )
        file.write_text(f"{tea}\n{{\n")

        said = await holdfast("import", "jsonl", str(file))

        assert said.code == 1
        assert said.err == f"{file}:2: this is not JSON: Input data was truncated\n"
        assert "1 created" in said.out
