"""Signing in with a password: who gets in, who does not, and what is written down."""

import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import Hasher, SignInBusy
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.workflows.sign_in import InvalidLogin, Proved, SignIn, TooManyAttempts

ELSEWHERE = Origin("198.51.100.1", "curl")


class TestByPassword:
    async def test_the_right_password_proves_who_it_is(self, ada, clock, recorded):
        proved = await ada.enter()

        assert isinstance(proved, Proved)
        assert (proved.account_id, proved.methods) == (ada.account_id, ("pwd",))
        assert proved.authenticated_at == clock()
        assert await recorded() == [("sign_in.succeeded", ada.account_id)]

    async def test_a_wrong_one_does_not(self, ada, recorded):
        with pytest.raises(InvalidLogin):
            await ada.enter("wrong")

        assert await recorded() == [("sign_in.failed", ada.account_id)]

    async def test_the_address_may_be_spelled_otherwise(self, ada, sign_in):
        ada.email = " ADA@Example.COM"

        assert isinstance(await ada.enter(), Proved)

    @pytest.mark.parametrize("why", ["disabled", "unverified", "no password"])
    async def test_an_account_that_cannot_be_used_answers_like_a_wrong_password(
        self, a_person, database, clock, why
    ):
        person = await a_person(
            verified=why != "unverified",
            password=None if why == "no password" else "correct horse battery staple",
        )
        if why == "disabled":
            async with database.transaction() as tx:
                await accounts.disable(tx, person.account_id, clock())

        with pytest.raises(InvalidLogin) as raised:
            await person.enter()

        assert raised.value.details == {}

    async def test_an_erased_account_is_nobodys(self, ada, database, clock, recorded):
        async with database.transaction() as tx:
            await accounts.erase(tx, ada.account_id, clock())

        with pytest.raises(InvalidLogin):
            await ada.enter()

        assert await recorded() == [("sign_in.failed", None)]

    async def test_hashes_the_password_anew_when_the_costs_have_changed(
        self, ada, database, vault, hasher, clock
    ):
        dearer = Hasher(memory_kib=128, passes=1)
        doors = SignIn(database, vault, dearer, clock)
        before = await accounts.password_of(database, vault, ada.account_id)

        await doors.by_password(
            ada.email, "correct horse battery staple", origin=ELSEWHERE
        )

        after = await accounts.password_of(database, vault, ada.account_id)
        assert after != before
        assert not dearer.needs_rehash(after)
        assert isinstance(await ada.enter(), Proved)
        dearer.close()

    async def test_a_guess_that_finds_no_room_is_no_guess(
        self, ada, database, vault, clock
    ):
        full = Hasher(places=1, waiting=-1)
        doors = SignIn(database, vault, full, clock)

        for _ in range(10):
            with pytest.raises(SignInBusy):
                await doors.by_password(ada.email, "guess", origin=ELSEWHERE)

        assert isinstance(await ada.enter(origin=ELSEWHERE), Proved)
        full.close()


class TestGuard:
    async def guess(self, person, times, origin=ELSEWHERE, **where):
        """Guess wrong; returns how many guesses were looked into."""
        looked_into = 0
        for _ in range(times):
            try:
                await person.enter("wrong", origin=origin, **where)
            except InvalidLogin:
                looked_into += 1
            except TooManyAttempts:
                pass
        return looked_into

    async def test_a_flood_from_one_address_is_five_guesses(self, ada, recorded):
        assert await self.guess(ada, 30) == 5

        kinds = [kind for kind, _ in await recorded()]
        assert kinds == ["sign_in.failed"] * 5 + ["sign_in.blocked"]

    async def test_even_the_right_password_is_not_looked_at_while_it_waits(self, ada):
        await self.guess(ada, 5)

        with pytest.raises(TooManyAttempts) as raised:
            await ada.enter(origin=ELSEWHERE)

        assert raised.value.retry_after_seconds == 30

    async def test_is_heard_again_after_the_announced_wait(self, ada, clock):
        await self.guess(ada, 5)
        clock.advance(seconds=30)

        assert isinstance(await ada.enter(origin=ELSEWHERE), Proved)

    async def test_a_right_password_begins_the_count_anew(self, ada):
        for _ in range(3):
            assert await self.guess(ada, 4) == 4
            await ada.enter(origin=ELSEWHERE)

    async def test_a_botnet_keeps_no_owner_from_a_place_known_by_its_token(self, ada):
        place = (await ada.enter()).place
        for n in range(120):
            await self.guess(ada, 1, Origin(f"203.0.113.{n}"))

        moved = await ada.enter(origin=Origin("198.51.100.77"), place=place)

        assert isinstance(moved, Proved)
        assert moved.place == place

    async def test_a_botnet_keeps_no_owner_from_an_address_used_before(self, ada):
        await ada.enter()
        for n in range(120):
            await self.guess(ada, 1, Origin(f"203.0.113.{n}"))

        assert isinstance(await ada.enter(), Proved)
        with pytest.raises(TooManyAttempts):
            await ada.enter(origin=Origin("203.0.113.250"))

    async def test_a_neighbour_at_the_same_address_keeps_no_owner_out(self, ada):
        place = (await ada.enter(origin=ELSEWHERE)).place
        await self.guess(ada, 30)

        assert isinstance(await ada.enter(origin=ELSEWHERE, place=place), Proved)

    async def test_the_place_of_one_account_opens_no_way_to_another(
        self, ada, a_person
    ):
        eve = await a_person("eve@example.com")
        place = (await eve.enter(origin=ELSEWHERE)).place

        assert await self.guess(ada, 30, place=place) == 5

    async def test_a_place_that_the_client_made_up_is_not_adopted(self, ada):
        planted = tokens.new_token(tokens.PLACE)

        first = await ada.enter(place=planted)
        second = await ada.enter(place=first.place)

        assert first.place != planted
        assert second.place == first.place

    @pytest.mark.parametrize("place", ["", "hfp_", "x" * 5000, "hfp_é", "\x00"])
    async def test_a_place_that_is_none_is_like_no_place(self, ada, place):
        assert isinstance(await ada.enter(place=place), Proved)
