"""What a store's spec says of where credentials are sent: field by field, as it may be shown."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from arcan_gitops.overlay.ca import CertificateAuthority, ConfigMapCa, EmbeddedCa, SecretCa
from arcan_gitops.webhook import CREDENTIAL_NAME, is_written_out

_MOST: Final = 160  # characters of one field


def ca_text(ca: CertificateAuthority) -> str:
    """`ConfigMap arcan-ca, key ca.crt`."""
    if isinstance(ca, EmbeddedCa):
        return f"certificate {_fingerprint(ca.pem)}"
    if isinstance(ca, ConfigMapCa):
        return f"ConfigMap {ca.name}, key {ca.key}"
    if isinstance(ca, SecretCa):
        return f"Secret {ca.name}, key {ca.key}"
    return "whatever the system of ESO trusts"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """`url is B, and was A`, for each field of one spec that is another in the other one."""
    before, after = dict(_fields(old, "")), dict(_fields(new, ""))
    said = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        shown, former = _shown(name, now), _shown(name, was)
        if now is None:
            said.append(f"{name} is gone, and was {former}")
        elif was is None:
            said.append(f"{name} is {shown}, and was not there")
        else:
            said.append(f"{name} is {shown}, and was {former}")
    return said


def asked_at(spec: Mapping[str, Any]) -> str:
    """Where a provider's spec sends credentials: its url or server, else empty."""
    for name, value in _fields(spec, ""):
        if name.rpartition(".")[2] in ("url", "server", "hostAPI", "endpoint", "vaultUrl", "apiUrl"):
            return _shown(name, value)
    return ""


def _fields(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _fields(child, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for number, child in enumerate(value):
            yield from _fields(child, f"{name}[{number}]")
    elif value is not None:
        yield name, str(value)


def _shown(name: str, value: str | None) -> str:
    if value is None:
        return ""
    field = name.rpartition("headers.")[2] if "headers." in name else ""
    if field and CREDENTIAL_NAME.search(field) and is_written_out(value):
        return (
            f"a credential that is written out (not shown; {hashlib.sha256(value.encode()).hexdigest()[:8]})"
        )
    if name.endswith("caBundle"):
        try:
            return f"certificate {_fingerprint(base64.b64decode(value))}"
        except (binascii.Error, ValueError):
            return f"certificate {_fingerprint(value.encode())}"
    return value if len(value) <= _MOST else f"{value[: _MOST - 3]}..."


def _fingerprint(pem: bytes) -> str:
    """Enough of a digest of the text to tell two apart."""
    return f"sha256 {hashlib.sha256(pem).hexdigest()[:16]}"
