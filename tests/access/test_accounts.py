"""Tokens that Kubernetes signed: who is let in, and each reason why somebody is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import AccountRecord, BulkNeedsAllKeys, Forbidden
from arcan_gitops.access.accounts import Accounts, looks_like_jwt
from arcan_gitops.access.cluster import Cluster
from arcan_gitops.access.not_authenticated import AccountNotAuthenticated, AccountReason
from arcan_gitops.access.token import mint
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName, SecretRef
from arcan_gitops.yamlio import InvalidFile

NOW = 1_790_000_000.0
ISSUER = "https://kubernetes.default.svc.cluster.local"
PRODUCTION = RealmName("production")
UID = "6f1c7d1e-0000-4000-8000-000000000001"


def new_key(kind: str = "RSA") -> Any:
    return rsa.generate_private_key(65537, 2048) if kind == "RSA" else ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, **more: str) -> dict[str, str]:
    algorithm = (
        jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    )
    made: dict[str, Any] = json.loads(algorithm.to_jwk(key.public_key()))
    return {name: made[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in made} | more


def cluster(name: str, *keys: Any, issuer: str = ISSUER) -> Cluster:
    text = json.dumps({"issuer": issuer, "keys": [jwk(key, use="sig", kid="k") for key in keys]})
    return Cluster.parse(text.encode(), f"clusters/{name}.yaml", name)


KEY, OLD, OTHER, EC_KEY = new_key(), new_key(), new_key(), new_key("EC")
SECRET = {
    "iss": "kubernetes/serviceaccount",
    "kubernetes.io/serviceaccount/namespace": "shop",
    "kubernetes.io/serviceaccount/secret.name": "arcan-account",
    "kubernetes.io/serviceaccount/service-account.name": "arcan",
    "kubernetes.io/serviceaccount/service-account.uid": UID,
    "sub": "system:serviceaccount:shop:arcan",
}
BOUND = {
    "iss": ISSUER,
    "aud": ["arcan"],
    "exp": int(NOW) + 3600,
    "iat": int(NOW),
    "nbf": int(NOW),
    "jti": "b0e7",
    "kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "arcan", "uid": UID}},
    "sub": "system:serviceaccount:shop:arcan",
}
PLACE = "kubernetes.io/serviceaccount/"


def sign(claims: dict[str, Any], key: Any = KEY, algorithm: str | None = None) -> str:
    kind = algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
    return jwt.encode(claims, key, algorithm=kind)


def accounts(*records: AccountRecord, clusters: tuple[Cluster, ...] = ()) -> Accounts:
    return Accounts(
        clusters or (cluster("eu", KEY, EC_KEY), cluster("us", OTHER)),
        {PRODUCTION: records or (AccountRecord("eu", "shop", "arcan"),)},
    )


def refused(token: str, by: Accounts | None = None) -> AccountNotAuthenticated:
    with pytest.raises(AccountNotAuthenticated) as caught:
        (by or accounts()).authenticate(token, NOW)
    assert caught.value.message == "no valid token"
    assert token not in f"{caught.value} {caught.value.hint} {caught.value.claimed}"
    return caught.value


@pytest.mark.parametrize(
    "claims", [SECRET, BOUND, {**BOUND, "aud": "arcan"}, {**BOUND, "aud": ["x", "arcan"]}]
)
@pytest.mark.parametrize("key", [KEY, EC_KEY])
def test_a_token_of_a_secret_and_a_bound_one_are_the_account_that_kubernetes_signed(
    claims: dict[str, Any], key: Any
) -> None:
    found = accounts().authenticate(sign(claims, key), NOW)
    assert str(found) == "eu/shop/arcan"
    found.require(SecretRef(PRODUCTION, EnvironmentName("prod"), KeyName("URL")))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({**SECRET, "iss": "https://elsewhere.example.org"}, AccountReason.ISSUER),
        ({**SECRET, "iss": ISSUER}, AccountReason.AUDIENCE),
        ({**BOUND, "iss": "kubernetes/serviceaccount"}, AccountReason.CLAIMS),
        ({**BOUND, "aud": ["https://kubernetes.default.svc"]}, AccountReason.AUDIENCE),
        ({**BOUND, "aud": []}, AccountReason.AUDIENCE),
        ({name: value for name, value in BOUND.items() if name != "aud"}, AccountReason.AUDIENCE),
        ({**BOUND, "exp": int(NOW)}, AccountReason.EXPIRED),
        ({name: value for name, value in BOUND.items() if name != "exp"}, AccountReason.CLAIMS),
        ({**BOUND, "exp": str(int(NOW) + 9)}, AccountReason.CLAIMS),
        ({**BOUND, "exp": True}, AccountReason.CLAIMS),
        ({**BOUND, "exp": float("nan")}, AccountReason.CLAIMS),
        ({**BOUND, "nbf": 10**400}, AccountReason.NOT_YET),
        ({**BOUND, "nbf": int(NOW) + 60}, AccountReason.NOT_YET),
        ({**BOUND, "iat": int(NOW) + 60}, AccountReason.NOT_YET),
        ({**BOUND, "kubernetes.io": {"namespace": "shop"}}, AccountReason.CLAIMS),
        ({**BOUND, "kubernetes.io": "shop"}, AccountReason.CLAIMS),
        ({**BOUND, "sub": "system:serviceaccount:other:arcan"}, AccountReason.CLAIMS),
        ({**SECRET, "sub": "system:serviceaccount:other:arcan"}, AccountReason.CLAIMS),
        ({**SECRET, f"{PLACE}namespace": "other"}, AccountReason.CLAIMS),
        ({**SECRET, f"{PLACE}secret.name": ""}, AccountReason.CLAIMS),
        ({**SECRET, f"{PLACE}namespace": ["shop"]}, AccountReason.CLAIMS),
        ({**SECRET, "exp": int(NOW) + 60}, AccountReason.CLAIMS),
        ({**SECRET, f"{PLACE}namespace": "other", "sub": "system:serviceaccount:other:arcan"}, AccountReason.UNKNOWN),
        ({**SECRET, f"{PLACE}service-account.name": "default", "sub": "system:serviceaccount:shop:default"},
         AccountReason.UNKNOWN),
    ],
)  # fmt: skip
def test_claims_that_are_not_the_account_s_are_refused_and_who_was_claimed_is_known(
    claims: dict[str, Any], reason: AccountReason
) -> None:
    error = refused(sign(claims))
    assert error.reason is reason
    assert error.claimed == "eu/" + "/".join(claims["sub"].split(":")[2:])


def test_a_token_of_another_cluster_reads_nothing_of_this_one() -> None:
    """The key alone says where it is from: the claims of two clusters are the same."""
    error = refused(sign(SECRET, OTHER))
    assert (error.reason, error.claimed) == (AccountReason.UNKNOWN, "us/shop/arcan")


def test_a_key_that_was_taken_out_signs_nothing_any_more() -> None:
    rotating = accounts(clusters=(cluster("eu", KEY, OLD),))
    assert str(rotating.authenticate(sign(SECRET, OLD), NOW)) == "eu/shop/arcan"
    error = refused(sign(SECRET, OLD))
    assert (error.reason, error.claimed) == (AccountReason.SIGNATURE, "?/shop/arcan")


def with_header(token: str, **header: Any) -> str:
    _, body, signature = token.split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def public_pem(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem: bytes = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    return pem


def signed_with_the_public_key() -> str:
    """HS256 with what everybody knows as its password."""
    import hashlib
    import hmac

    head, body, _ = with_header(sign(SECRET), alg="HS256", typ="JWT").split(".")
    mac = hmac.new(public_pem(KEY), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (lambda: with_header(sign(SECRET), alg="none"), AccountReason.ALGORITHM),
        (lambda: with_header(sign(SECRET), alg="None"), AccountReason.ALGORITHM),
        (signed_with_the_public_key, AccountReason.ALGORITHM),
        (lambda: sign(SECRET, KEY, "RS384"), AccountReason.ALGORITHM),
        (lambda: sign(SECRET, KEY, "PS256"), AccountReason.ALGORITHM),
        (lambda: with_header(sign(SECRET), alg="ES256"), AccountReason.SIGNATURE),
        (lambda: with_header(sign(SECRET), alg="RS256", crit=["x"], x=1), AccountReason.MALFORMED),
        (lambda: with_header(sign(SECRET), alg=["RS256"]), AccountReason.ALGORITHM),
        (lambda: sign(SECRET)[:-4] + "AAAA", AccountReason.SIGNATURE),
        (lambda: sign(SECRET, new_key("EC")), AccountReason.SIGNATURE),
        (lambda: sign(SECRET) + ".x", AccountReason.MALFORMED),
        (lambda: "a.b.c", AccountReason.MALFORMED),
        (lambda: sign({**SECRET, "x": "y" * 9000}), AccountReason.MALFORMED),
    ],
)
def test_what_is_signed_by_nobody_is_refused(forge: Callable[[], str], reason: AccountReason) -> None:
    assert refused(forge()).reason is reason


@given(st.binary(max_size=200), st.binary(max_size=400))
def test_no_header_and_no_claims_are_more_than_a_refusal(head: bytes, body: bytes) -> None:
    refused(f"{encoded(head)}.{encoded(body)}.{encoded(b'x')}")


@pytest.mark.parametrize(
    "part", [b'{"alg":"RS256","x":' + b"[" * 3000, b"[" * 3000, b'{"sub":' + b"[" * 3000 + b"]" * 3000 + b"}"]
)
def test_deep_json_is_a_refusal_too(part: bytes) -> None:
    head = encoded(b'{"alg":"RS256"}')
    refused(f"{encoded(part)}.{encoded(b'{}')}.{encoded(b'x')}")
    refused(f"{head}.{encoded(part)}.{encoded(b'x')}")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data or b"x").rstrip(b"=").decode()


def test_a_name_that_would_forge_a_line_of_the_log_is_not_repeated() -> None:
    error = refused(sign({**SECRET, "sub": 'system:serviceaccount:a\n"b":arcan'}))
    assert error.claimed == "eu/?/arcan"


def test_one_life_of_an_account_can_be_pinned() -> None:
    assert accounts(AccountRecord("eu", "shop", "arcan", uid=UID)).authenticate(sign(SECRET), NOW)
    pinned = accounts(AccountRecord("eu", "shop", "arcan", uid="another"))
    assert refused(sign(SECRET), pinned).reason is AccountReason.UID


def test_the_scope_of_the_realm_is_what_is_read() -> None:
    record = AccountRecord("eu", "shop", "arcan", environments=("prod",), keys=("DB_*",))
    found = accounts(record).authenticate(sign(BOUND), NOW)
    prod = EnvironmentName("prod")
    found.require(SecretRef(PRODUCTION, prod, KeyName("DB_URL")))
    for ref in (
        SecretRef(PRODUCTION, prod, KeyName("API")),
        SecretRef(PRODUCTION, EnvironmentName("dev"), KeyName("DB_URL")),
        SecretRef(RealmName("platform"), prod, KeyName("DB_URL")),
    ):
        with pytest.raises(Forbidden):
            found.require(ref)
    with pytest.raises(BulkNeedsAllKeys):
        found.require(SecretRef(PRODUCTION, prod))


def test_one_signing_key_in_two_clusters_is_refused() -> None:
    with pytest.raises(ArcanError, match="'eu' and 'copy' have one signing key"):
        accounts(clusters=(cluster("eu", KEY), cluster("copy", OTHER, KEY)))


def private_jwk() -> dict[str, str]:
    made: dict[str, str] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY))
    return {name: made[name] for name in ("kty", "n", "e", "d")}


def small() -> dict[str, str]:
    return jwk(rsa.generate_private_key(65537, 1024))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (lambda: [], "must have 1 to 16 keys"),
        (lambda: [private_jwk()], "a private key is here"),
        (lambda: [small()], "an RSA key of 1024 bits is too small"),
        (lambda: [jwk(ec.generate_private_key(ec.SECP384R1()))], "must be on P-256"),
        (lambda: [{"kty": "oct", "k": "AAAA"}], "a private key is here"),
        (lambda: [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}], "'kty' must be RSA or EC"),
        (lambda: [{"kty": "RSA", "n": "!", "e": "AQAB"}], "no public key that can be read"),
        (lambda: [{"kty": "RSA", "e": "AQAB"}], "no public key that can be read"),
    ],
)
def test_a_key_that_no_cluster_should_sign_with_is_refused(
    keys: Callable[[], list[dict[str, str]]], said: str
) -> None:
    given = keys()
    with pytest.raises(InvalidFile, match=said) as caught:
        Cluster.parse(json.dumps({"issuer": ISSUER, "keys": given}).encode(), "clusters/eu.yaml", "eu")
    assert all(value not in str(caught.value) for key in given for value in key.values() if len(value) > 20)


def test_a_token_of_our_own_is_no_json_web_token() -> None:
    assert not looks_like_jwt(mint().text.reveal())
    assert looks_like_jwt(sign(SECRET))


def test_a_signature_is_verified_once_and_the_time_and_the_realms_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = accounts()
    token = sign(BOUND)
    assert str(known.authenticate(token, NOW)) == "eu/shop/arcan"
    with monkeypatch.context() as patched:
        patched.setattr(jwt, "decode", None)
        assert str(known.authenticate(token, NOW + 3599)) == "eu/shop/arcan"
    with pytest.raises(AccountNotAuthenticated) as caught:
        known.authenticate(token, NOW + 3600)
    assert caught.value.reason is AccountReason.EXPIRED
    head, body, signature = token.split(".")
    other = sign({**BOUND, "sub": "system:serviceaccount:shop:other"}).split(".")[1]
    for forged in (f"{head}.{body}.{signature[:-8]}AAAAAAAA", f"{head}.{other}.{signature}", f"{token[:-2]}"):
        with pytest.raises(AccountNotAuthenticated):
            known.authenticate(forged, NOW)
    # the keys and the realms of a later snapshot are asked anew
    assert refused(token, accounts(clusters=(cluster("eu", OLD),))).reason is AccountReason.SIGNATURE
    assert refused(token, accounts(AccountRecord("eu", "shop", "other"))).reason is AccountReason.UNKNOWN


def test_what_nobody_signed_is_not_kept() -> None:
    known = accounts()
    for _ in range(3):
        refused(sign(BOUND, OLD), known)
    assert known._signed == {}
    for number in range(1100):
        known.authenticate(sign({**BOUND, "jti": str(number)}, EC_KEY), NOW)
    assert 0 < len(known._signed) <= 1024


def test_one_account_stands_for_all_its_tokens_and_another_life_of_it_for_its_own() -> None:
    """What a server keeps by the account is then found for a renewed token too, and for nobody else."""
    known = accounts()
    first = known.authenticate(sign(SECRET), NOW)
    assert known.authenticate(sign({**BOUND, "jti": "renewed"}), NOW) is first
    another = {"namespace": "shop", "serviceaccount": {"name": "arcan", "uid": "another"}}
    assert known.authenticate(sign({**BOUND, "kubernetes.io": another}), NOW) is not first
    for number in range(4200):
        life = {"namespace": "shop", "serviceaccount": {"name": "arcan", "uid": str(number)}}
        known.authenticate(sign({**BOUND, "kubernetes.io": life}, EC_KEY), NOW)
    assert 0 < len(known._granted) <= 4096
