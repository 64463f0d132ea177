"""Layers around an app, written in the order a request meets them."""

from holdfast.resilience.asgi.types import App, Layer


def stack(app: App, *layers: Layer) -> App:
    """Wrap *app* so that the first layer sees each request first.

    The list reads in the order a request travels. (Starlette's
    ``add_middleware`` reads the other way round.)

    A layer that has nothing to do afterwards need not be a coroutine function: it
    returns what the next one returns. Every coroutine between server and handler is
    made for each request, and resumed whenever the handler is. The outermost must be
    one, though: servers tell by it what kind of application they have.
    """
    for layer in reversed(layers):
        app = layer(app)
    return app
