"""Sign in by the word of an OpenID provider.

Whoever the provider knows by a `sub` that is linked to an account is let in. For
anybody else the address decides, and only one that the provider has verified: an
account that has it must prove itself here and agree before it is linked, since an
address can change hands and a provider can be wrong; without an account a new one is
made, after a page that says so.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import aiohttp
import msgspec

from holdfast.domain import accounts, customers, identity, ordering
from holdfast.domain.accounts import (
    AccountDisabled,
    Begun,
    EmailNotVerified,
    LinkedIdentityNotFound,
    OutsideSignInRefused,
    Person,
    Provider,
    ProviderNotFound,
)
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform import dependencies
from holdfast.platform.circuits import Circuits
from holdfast.platform.db import Database, Transaction
from holdfast.platform.dependencies import OPENID
from holdfast.platform.guard import Guard
from holdfast.platform.settings import Settings
from holdfast.platform.vault import Vault
from holdfast.resilience.pipeline import Pipeline
from holdfast.workflows.sign_in import Proved

Providers: TypeAlias = Mapping[str, Provider]

BEGUN_LIVES = timedelta(minutes=10)
PENDING_LIVES = timedelta(minutes=15)
_FEDERATED = ("fed",)


class Pending(msgspec.Struct, frozen=True):
    """Somebody a provider has vouched for, before an account is theirs."""

    provider: str
    issuer: str
    subject: str
    email: str
    given_name: str | None
    family_name: str | None
    account_id: UUID | None
    """The account with this address; None if there is none."""
    return_to: str
    vouched_at: datetime
    agreed: bool = False
    """Whether the person wants the account linked, once they have proved it theirs."""


def openid_providers(
    settings: Settings,
    session: aiohttp.ClientSession,
    *,
    circuits: Circuits | None = None,
    clock: Clock,
) -> Providers:
    """The providers of the settings, by id; none of them is asked anything yet."""
    circuits = circuits or Circuits(dependencies.names(settings))
    seconds = settings.openid_timeout_seconds
    return {
        said.id: Provider(
            session,
            said,
            redirect_uri=f"{settings.public_url}/sign-in/with/{said.id}/callback",
            protect=_asking(circuits[f"{OPENID}-{said.id}"], seconds),
            protect_reading=_asking(
                circuits[f"{OPENID}-{said.id}"], seconds / 2, seconds
            ),
            clock=clock,
        )
        for said in settings.openid_providers
    }


def _asking(
    guard: Guard, seconds: float, total_seconds: float | None = None
) -> Pipeline:
    return guard.around(
        timeout_seconds=seconds,
        total_seconds=total_seconds,
        failures=accounts.PROVIDER_FAILURES,
        unreachable=accounts.PROVIDER_UNREACHABLE,
        again_after=accounts.PROVIDER_FAILURES,
    )


class OutsideSignIn:
    """The way in through another's door."""

    def __init__(
        self, db: Database, vault: Vault, providers: Providers, clock: Clock
    ) -> None:
        self._db = db
        self._vault = vault
        self._providers = providers
        self._clock = clock

    async def begin(self, provider_id: str, return_to: str) -> tuple[str, Begun]:
        """Where to send the browser, and what it must bring back, sealed.

        Raises ``ProviderNotFound``, ``ProviderUnavailable``.
        """
        return await self._provider(provider_id).begin(return_to)

    async def finish(
        self,
        provider_id: str,
        begun: Begun,
        answer: Mapping[str, str],
        *,
        origin: Origin,
    ) -> Proved | Pending:
        """Who came back: somebody with an account here, or somebody without yet.

        Raises ``OutsideSignInRefused``, ``ProviderUnavailable``, ``EmailNotVerified``,
        ``AccountDisabled``.
        """
        provider = self._provider(provider_id)
        now = self._clock()
        if now - begun.begun_at > BEGUN_LIVES:
            raise OutsideSignInRefused("expired")
        person = await provider.finish(begun, answer)
        account_id = await accounts.account_of_identity(
            self._db, self._vault, issuer=person.issuer, subject=person.subject
        )
        if account_id is not None:
            return await self._let_in(account_id, person.issuer, origin=origin)
        return await self._pending(person, provider_id, begun.return_to, origin=origin)

    async def link(self, pending: Pending, account_id: UUID, *, origin: Origin) -> None:
        """Let the identity open the account, which has proved itself and agreed.

        Raises ``OutsideSignInRefused`` if it opens another by now.
        """
        if not pending.agreed or pending.account_id != account_id:
            raise OutsideSignInRefused("not_agreed")
        async with self._db.transaction() as tx:
            await self._link(tx, pending, account_id, origin=origin)

    async def create(
        self,
        pending: Pending,
        *,
        given_name: str | None,
        family_name: str | None,
        origin: Origin,
    ) -> Proved:
        """Make the account of somebody who has none, and give it their guest orders.

        Raises ``EmailTaken`` if there is one by now: that one has to be linked.
        """
        now, account_id = self._clock(), new_id()
        async with self._db.transaction() as tx:
            await accounts.create(
                tx,
                self._vault,
                account_id=account_id,
                email=pending.email,
                password=None,
                verified_at=now,
                at=now,
            )
            actor = f"account:{account_id}"
            await identity.grant_role(tx, account_id, "customer", by=actor, at=now)
            await customers.add(
                tx,
                self._vault,
                account_id,
                given_name=given_name,
                family_name=family_name,
                at=now,
            )
            await ordering.attach(
                tx,
                email_index=accounts.email_index(self._vault, pending.email),
                account_id=account_id,
            )
            await self._record(tx, "account.created", account_id, origin, {})
            await self._link(tx, pending, account_id, origin=origin)
        return await self._let_in(account_id, pending.issuer, origin=origin)

    async def unlink(self, account_id: UUID, issuer: str, *, origin: Origin) -> None:
        """Let an issuer's word open an account no longer, known or forgotten here.

        Raises ``LinkedIdentityNotFound``.
        """
        async with self._db.transaction() as tx:
            if not await accounts.unlink_identity(tx, account_id, issuer):
                raise LinkedIdentityNotFound(issuer)
            await self._record(
                tx, "identity.unlinked", account_id, origin, {"issuer": issuer}
            )

    def _provider(self, provider_id: str) -> Provider:
        provider = self._providers.get(provider_id)
        if provider is None:
            raise ProviderNotFound
        return provider

    async def _pending(
        self, person: Person, provider_id: str, return_to: str, *, origin: Origin
    ) -> Pending:
        if person.email is None or not person.email_verified:
            raise EmailNotVerified
        account = await accounts.find_by_email(self._db, self._vault, person.email)
        if account is not None and not account.is_active:
            await self._let_in(account.id, person.issuer, origin=origin)
        return Pending(
            provider=provider_id,
            issuer=person.issuer,
            subject=person.subject,
            email=person.email,
            given_name=person.given_name,
            family_name=person.family_name,
            account_id=None if account is None else account.id,
            return_to=return_to,
            vouched_at=self._clock(),
        )

    async def _let_in(self, account_id: UUID, issuer: str, *, origin: Origin) -> Proved:
        account = await accounts.find(self._db, self._vault, account_id)
        kind = "sign_in.succeeded" if account.is_active else "sign_in.failed"
        async with self._db.transaction() as tx:
            await self._record(
                tx, kind, account_id, origin, {"method": "fed", "issuer": issuer}
            )
        if not account.is_active:
            raise AccountDisabled
        return Proved(account_id, _FEDERATED, self._clock(), "")

    async def _link(
        self, tx: Transaction, pending: Pending, account_id: UUID, *, origin: Origin
    ) -> None:
        opens, is_new = await accounts.link_identity(
            tx,
            self._vault,
            issuer=pending.issuer,
            subject=pending.subject,
            account_id=account_id,
            at=self._clock(),
        )
        if opens != account_id:
            raise OutsideSignInRefused("linked_elsewhere")
        if is_new:
            detail = {"issuer": pending.issuer}
            await self._record(tx, "identity.linked", account_id, origin, detail)

    async def _record(
        self,
        tx: Transaction,
        kind: str,
        account_id: UUID,
        origin: Origin,
        detail: Mapping[str, str],
    ) -> None:
        await identity.record(
            tx,
            self._vault,
            kind,
            actor=f"account:{account_id}",
            origin=origin,
            at=self._clock(),
            account_id=account_id,
            detail=dict(detail),
        )
