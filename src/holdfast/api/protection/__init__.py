"""The protection of the shop's own edge: which policies apply to what."""
