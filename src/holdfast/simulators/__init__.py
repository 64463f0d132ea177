"""A payment provider and a carrier to test against, each a process of its own.

They know nothing of the shop: they speak HTTP, keep their own state, and can be
told to misbehave. In production real providers take their place.
"""
