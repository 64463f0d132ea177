"""What the embedded PostgreSQL may use of a machine."""

import os

import pytest

from holdfast.platform.embedded.postgres_conf import (
    buffers,
    configuration,
    memory_bytes,
)

MB = 1 << 20
GB = 1 << 30


class TestBuffers:
    @pytest.mark.parametrize(
        ("there_is", "kept"),
        [(512 * MB, "128MB"), (8 * GB, "512MB"), (24 * GB, "1024MB")],
    )
    def test_are_a_sixteenth_within_bounds(self, there_is, kept):
        assert buffers(there_is) == kept

    @pytest.mark.parametrize(("durable", "kept"), [(True, "512MB"), (False, "128MB")])
    def test_are_few_where_data_is_thrown_away(self, durable, kept):
        text = configuration(
            major=18,
            durable=durable,
            max_connections=10,
            can_count_statements=True,
            memory_bytes=8 * GB,
        )

        assert f"shared_buffers = '{kept}'" in text


class TestMemory:
    @pytest.mark.parametrize(("said", "least"), [("max\n", None), ("4096\n", 4096)])
    def test_is_that_of_the_container_if_it_has_a_limit(self, tmp_path, said, least):
        limit = tmp_path / "memory.max"
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

        assert memory_bytes(limit) == machine

        limit.write_text(said)

        assert memory_bytes(limit) == (least or machine)
