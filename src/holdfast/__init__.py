"""Holdfast: a headless commerce API that holds under fire."""

__version__ = "0.1.0"
"""The same as in ``pyproject.toml``; a test compares them."""
