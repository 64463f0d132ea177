"""Finding a TCP port on this machine."""

import socket

LOOPBACK = "127.0.0.1"


def refusal(port: int) -> OSError | None:
    """Why no server could listen there now; ``None`` if one could."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return error
    return None


def is_free(port: int) -> bool:
    """Whether a server could listen there now; nobody holds it for us."""
    return refusal(port) is None


def free_port(*, preferred: int = 0) -> int:
    """Choose a port nobody listens on: *preferred* if that is one.

    Another process may take it before the server does, so whoever starts a server
    on it must be ready to ask again.
    """
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
