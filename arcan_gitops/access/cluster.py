"""`clusters/<name>.yaml`: the issuer of a Kubernetes cluster and the public keys that it signs with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio import Fields, read_mapping

MAX_KEYS: Final = 16
# kind of key -> the one algorithm that Kubernetes signs with; a smaller RSA key is none that it would make
ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}
_FIELDS: Final = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MIN_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, the algorithm that goes with it, and its thumbprint (RFC 7638), by which it is known.

    `public` is it as a JSON Web Key, with the fields that make the thumbprint and no others.
    """

    key: Any = field(repr=False, compare=False)
    algorithm: str
    thumbprint: str
    public: Mapping[str, str] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster by the project's name for it. `issuer` is that of tokens that end; several keys at once are
    a rotation.
    """

    name: str
    issuer: str
    keys: tuple[SigningKey, ...]

    @classmethod
    def parse(cls, data: bytes, source: str, name: str) -> Cluster:
        """Raises `InvalidFile`, with the line, for anything but an issuer and a set of public keys."""
        fields = read_mapping(data, source)
        issuer = fields.text("issuer")
        entries = fields.mappings("keys")
        fields.done()
        if not issuer or not issuer.isprintable():
            fields.fail("'issuer' must be the cluster's issuer, in one line", field="issuer")
        if not entries or len(entries) > MAX_KEYS:
            fields.fail(f"'keys' must have 1 to {MAX_KEYS} keys", field="keys", hint="arcan cluster add")
        keys: dict[str, SigningKey] = {}
        for entry in entries:
            key = _key(entry)
            keys.setdefault(key.thumbprint, key)
        return cls(name, issuer, tuple(keys.values()))

    def to_plain(self) -> dict[str, Any]:
        """As in the file; for JSON and YAML."""
        return {"issuer": self.issuer, "keys": [dict(key.public) for key in self.keys]}

    @classmethod
    def from_plain(cls, name: str, plain: Mapping[str, Any]) -> Cluster:
        """What `to_plain` gave."""
        return cls.parse(json.dumps(plain).encode(), name, name)


def require_own_keys(clusters: Iterable[Cluster]) -> None:
    """Raise `ArcanError` where two clusters have one key."""
    owners: dict[str, str] = {}
    for cluster in clusters:
        for key in cluster.keys:
            owner = owners.setdefault(key.thumbprint, cluster.name)
            if owner != cluster.name:
                raise one_key_in_two(owner, cluster.name)


SIGNATURE_ONLY: Final[Any] = {
    "verify_signature": True,
    **dict.fromkeys(
        ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"),
        False,
    ),
}
UNREADABLE: Final = (jwt.PyJWTError, ValueError, RecursionError)  # deep JSON in claims that nobody signed


def signer_of(token: str, cluster: Cluster) -> SigningKey | None:
    """The key of the cluster that signed a token, or None; nothing else of the token is looked at."""
    for key in cluster.keys:
        try:
            jwt.decode(token, key.key, [key.algorithm], options=SIGNATURE_ONLY)
        except UNREADABLE:
            continue
        return key
    return None


def one_key_in_two(owner: str, cluster: str) -> ArcanError:
    """Nobody could say of which of them a token is."""
    return ArcanError(
        f"clusters '{owner}' and '{cluster}' have one signing key",
        hint=f"is one a copy of the other? read the keys again: arcan cluster add {cluster}",
    )


def _key(entry: Fields) -> SigningKey:
    """One key of a JWK set; what else a cluster says of it (`kid`, `use`, `alg`) is not needed."""
    given: Mapping[str, str] = {name: entry.text(name) for name in entry.names()}
    if _PRIVATE & set(given):  # not shown
        entry.fail(
            "a private key is here: take it out, and make the cluster another one",
            hint="keep only public keys",
        )
    kind = given.get("kty", "")
    if kind not in ALGORITHMS:
        entry.fail("'kty' must be RSA or EC", field="kty")
    public = {name: given[name] for name in _FIELDS[kind] if name in given}
    try:
        key = jwt.PyJWK.from_json(json.dumps(public), algorithm=ALGORITHMS[kind]).key
        size = key.key_size
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        entry.fail("is no public key that can be read")
    if kind == "RSA" and size < _MIN_RSA_BITS:
        entry.fail(f"an RSA key of {size} bits is too small to be trusted", field="n")
    if kind == "EC" and given.get("crv") != "P-256":
        entry.fail("an EC key must be on P-256, which ES256 signs with", field="crv")
    return SigningKey(key, ALGORITHMS[kind], _thumbprint(public), public)


def _thumbprint(public: Mapping[str, str]) -> str:
    text = json.dumps(dict(sorted(public.items())), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
