"""Layers around an app, written in the order a request meets them."""

from holdfast.resilience.asgi.types import App, Layer


def stack(app: App, *layers: Layer) -> App:
    """Wrap *app* so that the first layer sees each request first.

    The list reads in the order a request travels. (Starlette's
    ``add_middleware`` reads the other way round.)
    """
    for layer in reversed(layers):
        app = layer(app)
    return app
