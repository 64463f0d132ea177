"""Attacks by a token that the shop did not make, or not for this; each a test."""

import hashlib
import hmac
import json

import pytest
from cases import cases
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from forging import encoded, es256, halves, put_together, take_apart
from joserfc.jwk import ECKey

from holdfast.domain import accounts, oauth
from holdfast.kernel import tokens

FOR_OPERATORS = "/v1/clients"
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class TestSignature:
    @cases("alg", ["none", "None", "NONE", "nOnE", ""])
    async def test_alg_none(self, refused, holder, alg):
        ours = take_apart(holder.token)
        header = {**ours.header, "alg": alg}

        assert await refused(put_together(header, ours.claims, lambda _: b""))
        assert await refused(
            put_together(header, ours.claims, lambda _: ours.signature)
        )

    @cases("alg", ["HS256", "HS384", "HS512"])
    @cases("form", ["pem", "pem_stripped", "jwk", "jwk_minimal"])
    async def test_algorithm_confusion_with_the_public_key_as_secret(
        self, refused, holder, client, alg, form
    ):
        (listed,) = (await client.get("/oauth/jwks")).json()["keys"]
        pem = ECKey.import_key(dict(listed)).as_pem(private=False)
        minimal = {name: listed[name] for name in ("crv", "kty", "x", "y")}
        secret = {
            "pem": pem,
            "pem_stripped": pem.strip(),
            "jwk": json.dumps(listed).encode(),
            "jwk_minimal": json.dumps(minimal, separators=(",", ":")).encode(),
        }[form]
        ours = take_apart(holder.token)
        digest = getattr(hashlib, alg.replace("HS", "sha"))

        forged = put_together(
            {**ours.header, "alg": alg},
            ours.claims,
            lambda said: hmac.new(secret, said, digest).digest(),
        )

        assert await refused(forged)

    async def test_stripped(self, refused, holder):
        head, claims, _ = holder.token.split(".")

        for stripped in (f"{head}.{claims}.", f"{head}.{claims}", f"{head}..", head):
            assert await refused(stripped)

    async def test_truncated(self, refused, holder):
        for length in (1, 2, 4, 40, 85, 100):
            assert await refused(holder.token[:-length])

    @pytest.mark.parametrize("size", [64, 0], ids=["zeros", "empty"])
    async def test_of_zeros_which_fits_everything_where_nobody_checks(
        self, refused, holder, size
    ):
        ours = take_apart(holder.token)

        assert await refused(put_together(*ours[:2], lambda _: bytes(size)))

    async def test_written_as_der(self, refused, holder):
        ours = take_apart(holder.token)
        r, s = (int.from_bytes(half) for half in halves(ours.signature))

        assert await refused(
            put_together(*ours[:2], lambda _: encode_dss_signature(r, s))
        )

    async def test_of_another_token(self, refused, holder):
        ours, other = take_apart(holder.token), take_apart(await holder.sign())

        assert await refused(put_together(*ours[:2], lambda _: other.signature))

    async def test_turned_over_does_not_outlive_the_token(
        self, ask, refused, holder, shop, clock
    ):
        # (r, n - s) fits as well as (r, s): another spelling of the same token.
        head, claims, _ = holder.token.split(".")
        first, last = halves(take_apart(holder.token).signature)
        turned = (ORDER_OF_P256 - int.from_bytes(last)).to_bytes(32)
        twin = f"{head}.{claims}.{encoded(first + turned)}"
        assert (await ask(twin)).status_code == 200
        async with shop.db.transaction() as tx:
            await accounts.end_session(tx, holder.session_id, reason="x", at=clock())
        clock.advance(seconds=5)

        assert await refused(twin)


class TestHeader:
    @pytest.fixture
    def attacker(self):
        return oauth.new_signing_key()

    async def test_embedded_jwk(self, refused, resigned, attacker):
        own = attacker.private.as_dict(private=False)

        assert await refused(resigned(attacker.private, header={"jwk": own}))
        assert await refused(
            resigned(attacker.private, header={"jwk": own, "kid": attacker.id})
        )

    @pytest.mark.parametrize("name", ["jku", "x5u"])
    async def test_link_to_a_key(self, refused, resigned, attacker, name):
        link = {name: "https://attacker.test/keys"}

        assert await refused(resigned(attacker.private, header=link))

    async def test_chain_of_certificates(self, refused, resigned, attacker):
        assert await refused(resigned(attacker.private, header={"x5c": ["MIIB"]}))

    @pytest.mark.parametrize(
        "member",
        [{"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"cty": "JWT"}],
        ids=["crit", "b64", "cty"],
    )
    async def test_member_that_changes_the_rules(self, refused, holder, signer, member):
        ours = take_apart(holder.token)
        header = {**ours.header, **member}

        assert await refused(put_together(header, ours.claims, es256(signer.private)))

    @cases(
        "kid",
        [
            "../../../../dev/null",
            "/dev/null",
            "' OR '1'='1",
            "x' UNION SELECT 'secret' --",
            "$(touch /tmp/holdfast)",
            "\0",
            "",
            "A" * 43,
            "A" * 200,
            "A" * 3000,
            None,
            1,
            ["a"],
        ],
    )
    async def test_kid_that_is_a_trick(self, refused, holder, attacker, kid):
        ours = take_apart(holder.token)
        header = {**ours.header, "kid": kid}

        assert await refused(put_together(header, ours.claims, es256(attacker.private)))

    async def test_kid_of_another_key_of_ours(self, refused, resigned, shop, clock):
        other = oauth.new_signing_key()
        async with shop.db.transaction() as tx:
            at = clock()
            await oauth.add_signing_key(tx, shop.vault, other, signs_from=at, at=at)
        clock.advance(seconds=5)

        assert await refused(resigned(header={"kid": other.id}))

    async def test_kid_left_out(self, refused, holder, signer):
        ours = take_apart(holder.token)
        header = {k: v for k, v in ours.header.items() if k != "kid"}

        assert await refused(put_together(header, ours.claims, es256(signer.private)))


class TestClaims:
    @cases(
        "audience",
        ["storefront", "http://shop.test/", "http://shop.test.attacker.test", "", None],
    )
    async def test_wrong_audience(self, refused, resigned, audience):
        assert await refused(resigned(aud=audience))

    async def test_audience_among_others(self, refused, resigned):
        assert await refused(resigned(aud=["http://shop.test", "https://other.test"]))

    @cases(
        "issuer", ["https://other.test", "HTTP://SHOP.TEST", "http://shop.test/", None]
    )
    async def test_wrong_issuer(self, refused, resigned, issuer):
        assert await refused(resigned(iss=issuer))

    async def test_id_token_as_access_token(self, refused, holder, signer, clock):
        id_token = oauth.sign_id_token(
            signer,
            issuer="http://shop.test",
            client_id="http://shop.test",
            account_id=holder.account_id,
            nonce=None,
            access_token=None,
            authenticated_at=clock(),
            methods=["pwd"],
            session_id=holder.session_id,
            claims={**take_apart(holder.token).claims},
            at=clock(),
        )

        assert await refused(id_token)

    @cases("kind", ["JWT", "AT+JWT", "jwt", "application/at+jwt", ""])
    async def test_wrong_type(self, refused, resigned, kind):
        assert await refused(resigned(header={"typ": kind}))

    @cases(
        "prefix",
        [tokens.REFRESH, tokens.AUTHORIZATION_CODE, tokens.EMAIL, tokens.BROWSER],
    )
    async def test_another_kind_of_token_as_access_token(self, refused, prefix):
        assert await refused(tokens.new_token(prefix))

    async def test_expired(self, refused, holder, clock):
        clock.advance(minutes=10)

        assert await refused(holder.token)

    async def test_from_the_future(self, refused, resigned, clock):
        soon = int(clock().timestamp()) + 31

        assert await refused(resigned(iat=soon, exp=soon + 600))

    async def test_good_for_ever(self, refused, resigned, clock):
        assert await refused(resigned(exp=int(clock().timestamp()) + 10**9))

    async def test_scope_that_was_never_given_opens_nothing(self, ask, resigned):
        greedy = resigned(scope="clients:read clients:write roles:write")

        answer = await ask(greedy, path=FOR_OPERATORS)

        assert answer.status_code == 403
        assert answer.json()["scope"] == "clients:read"
