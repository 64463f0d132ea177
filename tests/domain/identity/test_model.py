from uuid import UUID

import pytest

from holdfast.domain import identity
from holdfast.domain.identity import (
    Anonymous,
    Guest,
    Member,
    Operator,
    RoleInvalid,
    ScopeNotHeld,
    Service,
    UnknownScopes,
)

KEY_ID = UUID("0192f3c4-0000-7000-8000-000000000000")


class TestMay:
    def test_an_operator_may_what_the_key_says(self):
        operator = Operator(KEY_ID, "Ada", frozenset({"orders:read"}))

        assert identity.may(operator, "orders:read")
        assert not identity.may(operator, "orders:write")

    def test_nobody_else_may_anything(self):
        assert not identity.may(Anonymous(), "orders:read")
        assert not identity.may(Guest(b"0" * 32), "orders:read")


class TestActor:
    def test_names_who_did_it_without_their_secret(self):
        assert Anonymous().actor == "anonymous"
        assert Guest(bytes(range(32))).actor == "guest:0001020304050607"
        assert Operator(KEY_ID, "Ada", frozenset()).actor == f"key:{KEY_ID}"
        member = Member(KEY_ID, KEY_ID, "app", frozenset())
        assert member.actor == f"account:{KEY_ID}"
        assert Service("app", frozenset()).actor == "client:app"


class TestScopesOf:
    def test_is_empty_for_who_holds_none(self):
        assert identity.scopes_of(Anonymous()) == frozenset()
        assert identity.scopes_of(Service("app", frozenset({"a"}))) == {"a"}


class TestCheckScopes:
    def test_lets_known_scopes_pass(self):
        identity.check_scopes(identity.KEY_SCOPES)

    def test_gives_no_key_what_only_a_person_can_hold(self):
        with pytest.raises(UnknownScopes) as raised:
            identity.check_scopes(["orders:read", "account:write"])

        assert raised.value.unknown == ["account:write"]

    def test_names_those_that_do_not_exist(self):
        with pytest.raises(UnknownScopes) as raised:
            identity.check_scopes(["orders:read", "moon:land", "all"])

        assert raised.value.unknown == ["all", "moon:land"]
        assert raised.value.known == sorted(identity.KEY_SCOPES)


class TestCheckHeld:
    def test_lets_nobody_give_what_they_do_not_hold(self):
        operator = Operator(KEY_ID, "Ada", frozenset({"roles:write", "orders:read"}))

        with pytest.raises(ScopeNotHeld) as raised:
            identity.check_held(operator, ["users:write", "orders:read", "keys:write"])

        assert raised.value.missing == ["keys:write", "users:write"]

    def test_lets_scopes_about_oneself_be_given_by_anybody(self):
        identity.check_held(Operator(KEY_ID, "Ada", frozenset()), ["account:write"])


class TestCheckRole:
    @pytest.mark.parametrize(
        ("field", "role"),
        [
            ("name", ("Packers", "Packers", "")),
            ("name", ("p", "Packers", "")),
            ("name", ("1packers", "Packers", "")),
            ("name", ("packers\n", "Packers", "")),
            ("name", ("p" * 51, "Packers", "")),
            ("title", ("packers", " ", "")),
            ("title", ("packers", "x" * 101, "")),
            ("description", ("packers", "Packers", "x" * 501)),
        ],
    )
    def test_names_the_field_at_fault(self, field, role):
        with pytest.raises(RoleInvalid) as raised:
            identity.check_role(*role, ["orders:read"])

        assert raised.value.field == field

    def test_takes_personal_scopes_too(self):
        identity.check_role("p" * 50, "Packers", "", ["account:read", "orders:read"])

    def test_refuses_scopes_that_do_not_exist(self):
        with pytest.raises(UnknownScopes) as raised:
            identity.check_role("packers", "Packers", "", ["all"])

        assert raised.value.known == sorted(identity.SCOPES)
