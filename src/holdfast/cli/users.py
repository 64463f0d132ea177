"""``holdfast users``: open accounts and look after them.

For whoever can reach the database, such as to make the first administrator. With
credentials that may, ``/v1/users`` does the same over HTTP.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, TypeVar
from uuid import UUID

import email_validator
import msgspec
from rich.console import Console
from rich.table import Table

from holdfast.cli.opened import Opened, opened
from holdfast.cli.running import settings_of_running_shop
from holdfast.domain import accounts, identity
from holdfast.domain.accounts import Account, Hasher, Status
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import rfc3339, system_clock
from holdfast.platform.embedded import write_private
from holdfast.platform.settings import BadSettings
from holdfast.workflows import first_operator, passwords
from holdfast.workflows.roles import Giver
from holdfast.workflows.users import Users

T = TypeVar("T")

_PAGE = 100
_SOMEBODY_HERE = Giver()


def create(email: str, roles: Sequence[str], *, stdin: bool, generate: bool) -> None:
    """Open an account, with a password or by a link."""
    address = _address(email)
    password = _password(address, stdin=stdin, generate=generate)

    async def make(shop: Opened) -> Account:
        phc = None if password is None else await _hashed(password)
        return await _users(shop).create(address, roles, _SOMEBODY_HERE, password=phc)

    account = asyncio.run(_with(make))
    print(f"Account {account.id} is open for {account.email}.")
    _say_password(password, generate=generate, sent_to=address)


def show_all(status: str | None, *, limit: int, as_json: bool) -> None:
    """List accounts, newest first."""
    if status is not None and status not in accounts.STATUSES:
        raise BadSettings(f"--status is one of {', '.join(accounts.STATUSES)}.")
    wanted: Status | None = next((s for s in accounts.STATUSES if s == status), None)
    found = asyncio.run(_list(wanted, limit))
    if as_json:
        print(msgspec.json.encode([_shown(account) for account in found]).decode())
        return
    table = Table("id", "e-mail", "status", "created", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    table.columns[1].overflow = "fold"
    for account in found:
        table.add_row(
            str(account.id),
            account.email or "",
            account.status,
            f"{account.created_at:%Y-%m-%d}",
        )
    Console().print(table)


def show(who: str, *, as_json: bool) -> None:
    """Show one account and its roles."""

    async def look(shop: Opened) -> dict[str, object]:
        account = await _account(shop, who)
        roles = await identity.roles_of(shop.db, account.id)
        return {**_shown(account), "roles": [role.name for role in roles]}

    shown = asyncio.run(_with(look))
    if as_json:
        print(msgspec.json.encode(shown).decode())
        return
    for name, value in shown.items():
        text = ", ".join(value) if isinstance(value, list) else value
        print(f"{name:<18} {'' if text is None else text}")


def set_status(who: str, status: Literal["active", "disabled"]) -> None:
    """Close an account, or open it again."""

    async def write(shop: Opened) -> Account:
        account = await _account(shop, who)
        return await _users(shop).set_status(account.id, status, _SOMEBODY_HERE)

    account = asyncio.run(_with(write))
    print(f"Account {account.id} of {account.email} is {account.status}.")


def set_email(who: str, email: str) -> None:
    """Give an account its owner's address, to be confirmed by them."""
    address = _address(email)

    async def write(shop: Opened) -> Account:
        account = await _account(shop, who)
        return await _users(shop).correct_email(account.id, address, _SOMEBODY_HERE)

    account = asyncio.run(_with(write))
    print(f"The address of account {account.id} is {account.email}.")
    if account.email_verified_at is None:
        print("A link to confirm it is sent there; until then nobody signs in.")


def reset_password(who: str, *, stdin: bool, generate: bool) -> None:
    """Send a link to choose another password, or set one."""

    async def write(shop: Opened) -> tuple[str, str | None]:
        account = await _account(shop, who)
        if account.email is None:
            raise accounts.AccountErased(account.id)
        password = _password(account.email, stdin=stdin, generate=generate)
        if password is not None:
            phc = await _hashed(password)
            await _users(shop).set_password(account.id, phc, _SOMEBODY_HERE)
        else:
            await passwords.request_reset(
                shop.db,
                shop.vault,
                account.email,
                origin=Origin(),
                clock=system_clock,
            )
        return account.email, password

    email, password = asyncio.run(_with(write))
    if password is not None:
        print(f"The password of {email} is changed; all sessions have ended.")
    _say_password(password, generate=generate, sent_to=email)


def remove_second_factor(who: str) -> None:
    """Ask somebody for the password alone, until they set up a device again."""

    async def write(shop: Opened) -> tuple[Account, bool]:
        account = await _account(shop, who)
        users = _users(shop)
        return account, await users.remove_second_factor(account.id, _SOMEBODY_HERE)

    account, removed = asyncio.run(_with(write))
    outcome = "is removed; its owner is told" if removed else "was not there"
    print(f"The second factor of {account.email} {outcome}.")


def first(keep: Path) -> None:
    """See to an operator whose password is kept in a file; tell what came of it."""
    kept = keep.read_text().strip() if keep.exists() else None

    async def see_to(shop: Opened) -> first_operator.FirstOperator:
        settings = settings_of_running_shop()
        with closing(Hasher()) as hasher:
            return await first_operator.see_to(
                shop.db,
                shop.vault,
                hasher,
                kept=kept,
                shortest=settings.password_shortest,
                public_url=settings.public_url,
                clock=system_clock,
            )

    operator = asyncio.run(_with(see_to))
    if operator.password is None:
        keep.unlink(missing_ok=True)
    elif operator.password != kept:
        keep.unlink(missing_ok=True)
        write_private(keep, operator.password)
    print(f"{operator.email} is {operator.outcome}")


def _address(text: str) -> str:
    try:
        checked = email_validator.validate_email(text, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise BadSettings(f"{text!r} is not an e-mail address: {error}") from None
    return checked.normalized


def _password(email: str, *, stdin: bool, generate: bool) -> str | None:
    if not (generate or stdin):
        return None
    shortest = settings_of_running_shop().password_shortest
    if generate:
        return first_operator.new_password(shortest)
    password = sys.stdin.readline().rstrip("\r\n")
    accounts.check_password_rules(password, email=email, shortest=shortest)
    return password


async def _hashed(password: str) -> str:
    with closing(Hasher()) as hasher:
        return await hasher.hash(password)


def _say_password(password: str | None, *, generate: bool, sent_to: str) -> None:
    if password is None:
        print(f"A link to choose a password is sent to {sent_to}.")
    elif generate:
        print(f"Password: {password}")
        print("It is not shown again.")


async def _list(status: Status | None, limit: int) -> list[Account]:
    async with opened() as shop:
        found: list[Account] = []
        after = None
        while len(found) < limit:
            page = await accounts.browse(
                shop.db,
                shop.vault,
                after=after,
                limit=min(_PAGE, limit - len(found)),
                status=status,
            )
            found += page.items
            after = page.next
            if after is None:
                break
        return found


async def _with(work: Callable[[Opened], Awaitable[T]]) -> T:
    async with opened() as shop:
        return await work(shop)


async def _account(shop: Opened, who: str) -> Account:
    """The account that an id or an e-mail address names."""
    if "@" not in who:
        try:
            account_id = UUID(who)
        except ValueError:
            raise BadSettings(
                "Name the account by its e-mail address or its id."
            ) from None
        return await accounts.find(shop.db, shop.vault, account_id)
    account = await accounts.find_by_email(shop.db, shop.vault, who)
    if account is None:
        raise BadSettings("No account has this e-mail address.")
    return account


def _users(shop: Opened) -> Users:
    return Users(shop.db, shop.vault, system_clock)


def _shown(account: Account) -> dict[str, object]:
    verified = account.email_verified_at
    return {
        "id": str(account.id),
        "email": account.email,
        "status": account.status,
        "email_verified_at": rfc3339(verified) if verified else None,
        "has_password": account.has_password,
        "second_factor": account.second_factor,
        "created_at": rfc3339(account.created_at),
        "updated_at": rfc3339(account.updated_at),
    }
