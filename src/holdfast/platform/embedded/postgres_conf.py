"""The settings of the embedded PostgreSQL, for a machine with two cores.

They are written to ``holdfast.conf`` in the data folder at every start, so a newer
release brings its own. ``postgresql.conf`` and ``ALTER SYSTEM`` override them.
"""

import os
import sys
from pathlib import Path

# How to write a whole data folder to disk: Linux does it in one call.
SYNC_METHOD = "syncfs" if sys.platform == "linux" else "fsync"

_ALWAYS = {
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "pglz",  # the wheel is built without lz4 and zstd
    "recovery_init_sync_method": SYNC_METHOD,
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than our short statements take
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_duration_statement": "1s",
    "log_checkpoints": "off",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_THROWN_AWAY = {
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "off",
    "autovacuum_naptime": "10min",
}
# A search of a million variants takes 10.2 ms of CPU with 128 MB, and 8.1 with 512 or
# more: it reads pages from all over. Memory is taken as pages are read.
_BUFFERS_SHARE, _LEAST_BUFFERS, _MOST_BUFFERS = 16, 128, 1024
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_MB = 1 << 20


def buffers(memory_bytes: int) -> str:
    """How much PostgreSQL keeps in memory, of a machine or container with so much."""
    share = memory_bytes // _BUFFERS_SHARE // _MB
    return f"{min(max(share, _LEAST_BUFFERS), _MOST_BUFFERS)}MB"


def memory_bytes(limit: Path = _CGROUP_LIMIT) -> int:
    """What there is, or what a container may use of it."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(total, int(limit.read_text()))
    except (OSError, ValueError):
        # No container, or one without a limit ("max").
        return total


def configuration(
    *,
    major: int,
    durable: bool,
    max_connections: int,
    can_count_statements: bool,
    memory_bytes: int,
) -> str:
    """Write the file; a server asked for a library it lacks does not start."""
    settings = {
        **_ALWAYS,
        "shared_buffers": buffers(memory_bytes),
        **(_DURABLE if durable else _THROWN_AWAY),
        "max_connections": str(max_connections),
        "shared_preload_libraries": (
            "pg_stat_statements" if can_count_statements else ""
        ),
    }
    if major >= 18:  # noqa: PLR2004 - the version that brought the setting
        settings["io_method"] = "worker"
        settings["io_workers"] = "2"
    lines = (f"{name} = '{value}'" for name, value in settings.items())
    return "# Written at every start; see postgresql.conf.\n" + "\n".join(lines) + "\n"
