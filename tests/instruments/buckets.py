"""A server that speaks S3, in this process, with one bucket."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer


@contextmanager
def serving_s3() -> Iterator[str]:
    """The address of a bucket, as ``HOLDFAST_MEDIA_URL`` has it but for the prefix.

    ``{}`` in it is for the prefix.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        request = urllib.request.Request(f"{url}/pictures", method="PUT")  # noqa: S310 - our own
        urllib.request.urlopen(request).close()  # noqa: S310 - our own
        yield (
            "s3://key:se%2Fcret@pictures/{}" + f"?region=eu-central-1&endpoint={url}"
        )
    finally:
        server.stop()
