"""What the API server refuses of a Secret, in its words; a text that may come from a secret is left out.

Source: k8s.io/kubernetes pkg/apis/core/validation (`ValidateSecret`), apimachinery validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from arcan_gitops.eso.errors import EsoError
from arcan_gitops.eso.objects import KubernetesSecret
from arcan_gitops.golang import json as go_json
from arcan_gitops.golang.errors import GoError

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)
_MOST_BYTES: Final = 1 << 20
_MOST_ANNOTATION_BYTES: Final = 256 * (1 << 10)
_REQUIRED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}
_LABEL_VALUE: Final = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]|", re.ASCII)
_NAME: Final = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", re.ASCII)
_PREFIX: Final = re.compile(
    r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII
)
_REDACTED: Final = '"[redacted]"'
_SERVICE_ACCOUNT: Final = "kubernetes.io/service-account.name"


def require_storable(secret: KubernetesSecret, existing: KubernetesSecret | None) -> None:
    """Raise `EsoError` with the API server's text if it would refuse the Secret."""
    problems = [*_metadata(secret), *_data(secret), *_type(secret)]
    if existing is not None and existing.type != secret.type:
        problems.append(f'type: Invalid value: "{secret.type}": field is immutable')
    if problems:
        listed = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise EsoError(f'Secret "{secret.name}" is invalid: {listed}')


def _metadata(secret: KubernetesSecret) -> Iterator[str]:
    for name, value in sorted(secret.labels.items()):
        yield from _qualified("metadata.labels", name)
        if len(value) > 63:
            yield f"metadata.labels: Invalid value: {_REDACTED}: must be no more than 63 bytes"
        if _LABEL_VALUE.fullmatch(value) is None:
            yield (
                f"metadata.labels: Invalid value: {_REDACTED}: a valid label must be an empty string or "
                "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
                "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            )
    for name in sorted(secret.annotations):
        yield from _qualified("metadata.annotations", name.lower())
    size = sum(
        len(name) + len(value.encode("utf-8", "surrogateescape"))
        for name, value in secret.annotations.items()
    )
    if size > _MOST_ANNOTATION_BYTES:
        yield f"metadata.annotations: Too long: may not be more than {_MOST_ANNOTATION_BYTES} bytes"


def _qualified(field: str, name: str) -> Iterator[str]:
    """A name of a label or annotation: a part of up to 63 characters, after a domain and `/` at most."""
    prefix, slash, part = name.rpartition("/")
    if (slash and _PREFIX.fullmatch(prefix) is None) or len(prefix) > 253:
        yield f"{field}: Invalid value: {_REDACTED}: prefix part must be a lowercase RFC 1123 subdomain"
    if len(part) > 63 or _NAME.fullmatch(part) is None:
        yield (
            f"{field}: Invalid value: {_REDACTED}: name part must consist of up to 63 alphanumeric "
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character"
        )


def _data(secret: KubernetesSecret) -> Iterator[str]:
    for key in sorted(secret.data):
        if _KEY.fullmatch(key) is None or len(key) > 253 or key == "." or key.startswith(".."):
            yield (
                f'data[{key}]: Invalid value: "{key}": a valid config key must consist of alphanumeric '
                "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used "
                "for validation is '[-._a-zA-Z0-9]+')"
            )
    if sum(len(value) for value in secret.data.values()) > _MOST_BYTES:
        yield f"data: Too long: may not be more than {_MOST_BYTES} bytes"


def _type(secret: KubernetesSecret) -> Iterator[str]:
    for key in _REQUIRED_KEYS.get(secret.type, ()):
        if key not in secret.data:
            yield f"data[{key}]: Required value"
    match secret.type:
        case "kubernetes.io/service-account-token":
            if not secret.annotations.get(_SERVICE_ACCOUNT):
                yield f"metadata.annotations[{_SERVICE_ACCOUNT}]: Required value"
        case "kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg":
            (key,) = _REQUIRED_KEYS[secret.type]
            if key in secret.data and (problem := _not_an_object(secret.data[key])) is not None:
                yield f'data[{key}]: Invalid value: "<secret contents redacted>": {problem}'
        case "kubernetes.io/ssh-auth":
            if not secret.data.get("ssh-privatekey"):
                yield "data[ssh-privatekey]: Required value"
        case "kubernetes.io/basic-auth":
            if not {"username", "password"} & secret.data.keys():
                yield "data[username]: Required value"
                yield "data[password]: Required value"


def _not_an_object(data: bytes) -> str | None:
    """Go's error for what does not go into a map, or None."""
    try:
        value = go_json.parse(data)
    except GoError as error:
        return re.sub(r"invalid character .* (?=in |looking |after )", "invalid character ", str(error))
    if value is None or isinstance(value, Mapping):
        return None
    kinds = {bool: "bool", float: "number", str: "string", list: "array"}
    kind = next(name for known, name in kinds.items() if isinstance(value, known))
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
