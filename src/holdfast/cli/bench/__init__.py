"""``holdfast bench``: what a shop can do here, and what protection is worth.

Imports nothing: a load generator starts as a process of its own, from this package, and
is to be there at once.
"""
