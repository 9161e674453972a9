"""A Kubernetes cluster as far as its accounts' tokens go: keys, and tokens as Kubernetes signs them."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://kubernetes.default.svc.cluster.local"
UID = "6f1c7d1e-0000-4000-8000-000000000001"
_PLACE = "kubernetes.io/serviceaccount/"


class SigningCluster:
    """`keys` are its signing keys; it signs with the last one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys = [rsa.generate_private_key(65537, 2048)]

    def rotate(self) -> None:
        """One more key, with which it signs from now on."""
        self.keys.append(rsa.generate_private_key(65537, 2048))

    def jwks(self) -> dict[str, Any]:
        """What /openid/v1/jwks answers."""
        keys = [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) for key in self.keys]
        public = [{name: key[name] for name in ("kty", "n", "e")} for key in keys]
        return {"keys": [{"use": "sig", "alg": "RS256", "kid": "k", **key} for key in public]}

    def write(self, folder: Path) -> Path:
        """Its file in clusters/, replaced at once as Git does."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.name}.yaml"
        temporary = folder / f".{self.name}.new"
        temporary.write_text(json.dumps({"issuer": ISSUER, **self.jwks()}))
        temporary.replace(path)
        return path

    def of_secret(self, namespace: str, account: str, *, uid: str = UID, key: int = -1) -> str:
        """The token of a Secret of type kubernetes.io/service-account-token."""
        claims = {
            "iss": "kubernetes/serviceaccount",
            f"{_PLACE}namespace": namespace,
            f"{_PLACE}secret.name": "arcan-account",
            f"{_PLACE}service-account.name": account,
            f"{_PLACE}service-account.uid": uid,
            "sub": f"system:serviceaccount:{namespace}:{account}",
        }
        return jwt.encode(claims, self.keys[key], algorithm="RS256", headers={"kid": "k"})

    def bound(
        self, namespace: str, account: str, *, audience: str = "arcan", seconds: int = 3600, uid: str = UID
    ) -> str:
        """A token as TokenRequest gives it."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": [audience],
            "exp": now + seconds,
            "iat": now - 10,
            "nbf": now - 10,
            "jti": "b0e7",
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}},
            "sub": f"system:serviceaccount:{namespace}:{account}",
        }
        return jwt.encode(claims, self.keys[-1], algorithm="RS256", headers={"kid": "k"})


def unsigned(token: str) -> str:
    """The same claims with `alg: none`, and no signature to speak of."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=")
    return ".".join([header.decode(), token.split(".")[1], "AA"])
