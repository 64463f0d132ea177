"""Who buys: profiles, addresses, preferences."""

__all__: list[str] = []
