"""Documents that sops would never write, sealed by hand: for what a holder of the data key could make.

Nothing here uses the code that is tested.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any

import pyrage
import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LASTMODIFIED = "2026-01-02T03:04:05Z"
# (canonical bytes, type) of an encrypted leaf; anything else stands in the document as it is
Leaf = tuple[bytes, str]


def seal(key: bytes, plain: bytes, kind: str, path: str, *, iv_bytes: int = 32) -> str:
    """`ENC[...]` of the bytes; `path` ends with ":" (or is what the MAC's is: lastmodified)."""
    iv = os.urandom(iv_bytes)
    sealed = AESGCM(key).encrypt(iv, plain, path.encode())
    data, tag = sealed[:-16], sealed[-16:]
    encoded = [base64.b64encode(part).decode() for part in (data, iv, tag)]
    return "ENC[AES256_GCM,data:{},iv:{},tag:{},type:{}]".format(*encoded, kind)


def wrap(key: bytes, recipient: str) -> dict[str, str]:
    """An entry of `sops.age`."""
    parse = (
        pyrage.ssh.Recipient.from_str if recipient.startswith("ssh-") else pyrage.x25519.Recipient.from_str
    )
    return {"recipient": recipient, "enc": pyrage.encrypt(key, [parse(recipient)], armored=True).decode()}


def craft(
    tree: dict[str, Any],
    recipients: Sequence[str],
    *,
    clear: bytes = b"",
    key: bytes | None = None,
    mac: Any = None,
    **fields: Any,
) -> dict[str, Any]:
    """The tree with its `Leaf`s sealed, and its `sops` block.

    `clear` are the bytes that the values in clear add to the MAC, behind those of all leaves; `mac` is a
    text to seal as the MAC, or what else stands in its place; `fields` replace what is in the block, and None takes a field out.
    """
    key = os.urandom(32) if key is None else key
    digest = hashlib.sha512(
        hashlib.sha256(b"sops").digest() if fields.get("mac_only_encrypted") is True else b""
    )
    sealed = _sealed(tree, "", key, digest)
    digest.update(clear)
    modified = fields.get("lastmodified", LASTMODIFIED)
    text = mac if isinstance(mac, str) else digest.hexdigest().upper()
    block = {
        "age": [wrap(key, recipient) for recipient in recipients],
        "lastmodified": LASTMODIFIED,
        "mac": seal(key, text.encode(), "str", modified) if isinstance(modified, str) else "",
        "unencrypted_suffix": "_unencrypted",
        "version": "3.11.0",
    }
    block.update(fields if mac is None or isinstance(mac, str) else {**fields, "mac": mac})
    return {**sealed, "sops": {name: value for name, value in block.items() if value is not None}}


def _sealed(value: Any, path: str, key: bytes, digest: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sealed(child, f"{path}{name}:", key, digest) for name, child in value.items()}
    if isinstance(value, list):
        return [_sealed(child, path, key, digest) for child in value]
    if isinstance(value, tuple):
        plain, kind = value
        if kind != "comment":
            digest.update(plain)
        return seal(key, plain, kind, path)
    return value


def as_yaml(tree: dict[str, Any]) -> bytes:
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=1 << 30).encode()


def as_json(tree: dict[str, Any]) -> bytes:
    return json.dumps(tree, indent=2).encode()
