"""Every route there is: who may call it, what it costs, what is shed first.

Add a line to add an endpoint. The lines stand in the order of the paths.
"""

from holdfast.api.policy import Priority, Route

__all__ = ["ROUTES", "Priority", "Route"]

ROUTES: tuple[Route, ...] = ()
