"""Pages for people: sign in, sign up, consent."""

from holdfast.api.policy import Route

ROUTES: tuple[Route, ...] = ()
