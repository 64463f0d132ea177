"""OAuth 2.0: clients, grants, and the tokens they lead to."""

__all__: list[str] = []
