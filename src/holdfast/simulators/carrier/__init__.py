"""A carrier with a fixed price table that can be told to fail."""

from holdfast.simulators.carrier.app import build

__all__ = ["build"]
