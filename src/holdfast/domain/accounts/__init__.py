"""People who can sign in: accounts, and how they prove who they are."""

__all__: list[str] = []
