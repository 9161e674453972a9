"""What a store's spec says of where credentials are sent: field by field, as far as it may be shown."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from arcan_gitops.overlay.ca import CertificateAuthority, ConfigMapCa, EmbeddedCa, SecretCa
from arcan_gitops.webhook import PATH_PREFIX, is_written_out

_MOST: Final = 160  # characters of one field
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/?#@]*@)?(?P<host>[^/?#]+)")
_URLS: Final = frozenset(
    {"url", "server", "hostAPI", "endpoint", "vaultUrl", "apiUrl", "apiURL", "connectHost"}
)
# fields of providers whose text is a name, a place or a choice
_PLAIN: Final = frozenset(
    {
        "apiVersion",
        "environmentSlug",
        "key",
        "kind",
        "method",
        "mountPath",
        "name",
        "namespace",
        "namespaces",
        "path",
        "projectID",
        "projectSlug",
        "region",
        "role",
        "secretsPath",
        "service",
        "timeout",
        "type",
        "version",
    }
)


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
    return [
        _difference(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _difference(name: str, was: str | None, now: str | None) -> str:
    former, shown = _shown(name, was), _shown(name, now)
    if now is None:
        return f"{name} is gone" + (f", and was {former}" if former else "")
    if was is None:
        return f"{name} is new" + (f": {shown}" if shown else "")
    if shown == former or not shown or not former:
        part = " after its host" if _last(name) in _URLS and shown else ""
        return f"{name} is another{part} (not shown)"
    return f"{name} is {shown}, and was {former}"


def asked_at(spec: Mapping[str, Any]) -> str:
    """The host that a provider's spec sends credentials to, else empty."""
    return next((_shown(name, value) for name, value in _fields(spec, "") if _last(name) in _URLS), "")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


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
    """What may be seen of a field: of a URL the host, and the path where it is ours, for others may have a
    credential in it; a header that only templates make; names and places. Nothing of the rest.
    """
    if value is None:
        return ""
    if _last(name) in _URLS:
        return _url(value)
    if name.endswith("caBundle"):
        try:
            return f"certificate {_fingerprint(base64.b64decode(value))}"
        except (binascii.Error, ValueError):
            return f"certificate {_fingerprint(value.encode())}"
    if "headers." in name:
        return "" if is_written_out(value) else value[:_MOST]
    return value[:_MOST] if re.sub(r"\[\d+\]$", "", _last(name)) in _PLAIN else ""


def _url(value: str) -> str:
    match = _URL.match(value)
    if match is None:
        return ""
    path = value[match.end() :].partition("?")[0]
    return f"{match['scheme'] or ''}{match['host']}{path if path.startswith(PATH_PREFIX) else ''}"[:_MOST]


def _fingerprint(pem: bytes) -> str:
    """Enough of a digest of the text to tell two apart."""
    return f"sha256 {hashlib.sha256(pem).hexdigest()[:16]}"
