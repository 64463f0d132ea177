"""People who sign in, and clients that ask them to."""

from relying import recorded, registered, somebody

__all__ = ["recorded", "registered", "somebody"]
