"""What can be wrong with a client, or with what it asks for."""

from dataclasses import dataclass

from holdfast.kernel.errors import Conflict, Invalid, NotFound

NOT_AUTHENTICATED = "The client's credentials are not valid"


@dataclass(eq=False)
class ClientNotFound(NotFound):
    """There is no such client."""

    client_id: str


@dataclass(eq=False)
class ClientInvalid(Invalid):
    """A client cannot be registered like this."""

    errors: list[dict[str, str]]


@dataclass(eq=False)
class ClientHasNoSecret(Conflict):
    """A public client has no secret that could be changed."""

    client_id: str


@dataclass(eq=False)
class ConsentNotFound(NotFound):
    """You allowed nothing to this client."""

    client_id: str


@dataclass(eq=False)
class AuthorizationRefused(Invalid):
    """The request to sign in does not come from a client that we know."""

    # Shown where it is, never sent anywhere: the address to send it to is what
    # cannot be trusted (RFC 6749 4.1.2.1).
    detail: str


class AuthorizationError(Exception):
    """A request to sign in that is answered at the client (RFC 6749 4.1.2.1)."""

    def __init__(self, redirect_to: str, error: str, description: str) -> None:
        super().__init__(error)
        self.redirect_to = redirect_to
        self.error = error
        self.description = description


class RequestRefused(Exception):
    """A request of a client that is answered as RFC 6749 5.2 says.

    No problem document and no page: the error codes are the standard's.
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class ClientRefused(RequestRefused):
    """A client that there is brought another secret than its own, or none."""

    def __init__(self, client_id: str) -> None:
        # As of a client that there is not: which of the two, is nobody's business.
        super().__init__("invalid_client", NOT_AUTHENTICATED)
        self.client_id = client_id
