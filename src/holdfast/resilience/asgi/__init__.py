"""Layers around any ASGI app, each usable alone."""

from holdfast.resilience.asgi.allowance import Allowance
from holdfast.resilience.asgi.body_limit import BodyLimit
from holdfast.resilience.asgi.deadline import RequestDeadline
from holdfast.resilience.asgi.idempotency import Idempotency
from holdfast.resilience.asgi.load_shed import Claim, Classify, LoadShed
from holdfast.resilience.asgi.network import network_of
from holdfast.resilience.asgi.rate_limit import RateLimit
from holdfast.resilience.asgi.rejection import Rejection, Render, plain
from holdfast.resilience.asgi.stack import stack
from holdfast.resilience.asgi.types import (
    App,
    Layer,
    Message,
    Receive,
    Reply,
    Scope,
    Send,
)

__all__ = [
    "Allowance",
    "App",
    "BodyLimit",
    "Claim",
    "Classify",
    "Idempotency",
    "Layer",
    "LoadShed",
    "Message",
    "RateLimit",
    "Receive",
    "Rejection",
    "Render",
    "Reply",
    "RequestDeadline",
    "Scope",
    "Send",
    "network_of",
    "plain",
    "stack",
]
