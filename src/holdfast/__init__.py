"""Holdfast: a headless commerce API that holds under fire."""
