"""Attempts at credentials: few, whatever else a caller may do.

Two limits stand before whatever takes a password, a code, a link or an e-mail address
to send one to. The first counts attempts from one address, whichever account they are
for; the second attempts at one account from one address. Both are ``strict``: counted
for all processes together, never leased, and shared out exactly when Redis is gone.

An account is never limited as such, or anybody could keep its owner out from anywhere.
A device on which the account was used before is counted apart from others at its
address. Failures are counted as well, and for longer, by ``accounts.guard``.

Requests for tokens have a limit of their own: an application renews them every few
minutes, and an office of a thousand has one address. One that is refused counts as ten.
"""

from holdfast.api.protection.quotas import Quotas, Who
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.kernel import tokens
from holdfast.kernel.email import canonical
from holdfast.platform.proxies import site_of
from holdfast.resilience.asgi import Message, Scope, Send
from holdfast.resilience.errors import QuotaExceeded

_REFUSED = 400
_REFUSED_COSTS = 10


async def attempt(
    quotas: Quotas,
    purpose: str,
    account: str,
    origin: Origin,
    *,
    place: str | None = None,
) -> None:
    """Count an attempt at *account*, or raise ``QuotaExceeded``.

    *account* is whatever tells one from another: an e-mail address, a challenge.
    *purpose* keeps those apart who sign in, and those who forgot their password.
    """
    familiar = place if place and tokens.plausible(place, tokens.PLACE) else ""
    said = (purpose, canonical(account), site_of(origin.address), familiar)
    await quotas.take(_at(quotas, "guest", "\n".join(said)), 1, "write")


async def attempt_of(quotas: Quotas, caller: Caller, scope: Scope) -> None:
    """Count an attempt by what is known before the body is read."""
    site = site_of(scope["holdfast.client_address"])
    if isinstance(caller, Member):
        who = _at(quotas, "customer", f"account\n{caller.account_id}\n{site}")
    else:
        bundle = quotas.policies.named("credentials-address")
        who = Who("guest", f"try:{quotas.sealed(site)}", bundle)
    await quotas.take(who, 1, "write", scope)


async def asking_for_token(quotas: Quotas, scope: Scope, send: Send) -> Send:
    """Count a request for a token; returns what to answer it with."""
    site = site_of(scope["holdfast.client_address"])
    bundle = quotas.policies.named("token")
    who = Who("guest", f"token:{quotas.sealed(site)}", bundle)
    await quotas.take(who, 1, "write", scope)

    async def watch(message: Message) -> None:
        if message.get("status", 0) >= _REFUSED:
            await _take_what_is_there(quotas, who)
        await send(message)

    return watch


async def _take_what_is_there(quotas: Quotas, who: Who) -> None:
    """Take what a refused request costs more, or the rest if that is less."""
    for cost in (_REFUSED_COSTS - 1, 1):
        try:
            await quotas.take(who, cost, "write")
        except QuotaExceeded:
            continue
        return


def _at(quotas: Quotas, role: str, said: str) -> Who:
    bundle = quotas.policies.named("credentials")
    return Who(role, f"try:{quotas.sealed(said)}", bundle)
