"""The wire contract with the External Secrets Operator: the URL, the JSON shapes, the store's template.

The server answers by it, the generator writes stores for it, and the two never import each other.
Source: ESO providers/v1/webhook/webhook.go and pkg/webhook/webhook.go (v0.16 to v2.9 behave alike).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring
from json.encoder import encode_basestring_ascii as _quoted
from typing import Final

from arcan_gitops.names import EnvironmentName, RealmName

PATH_PREFIX: Final = "/api/v1/eso"
STATUS_PATH: Final = "/api/v1/status"
ENVIRONMENT_PARAMETER: Final = "env"
# A read that names a version is answered from that version or not at all; empty, it names none.
VERSION_PARAMETER: Final = "version"

# What ESO evaluates on our answers. Bracket-quoted: an unquoted path breaks on the first '-' in a name.
VALUE_JSON_PATH: Final = '$["value"]'
DATA_JSON_PATH: Final = '$["data"]'
# For a store that answers both kinds of read; ESO evaluates it as a template (for `extract` since 0.18.0).
UNIFIED_JSON_PATH: Final = (
    f"{{{{ if .remoteRef.property }}}}{VALUE_JSON_PATH}{{{{ else }}}}{DATA_JSON_PATH}{{{{ end }}}}"
)

# `trim`: a token Secret made from a file often ends in a newline, and Go's HTTP client refuses the header.
TOKEN_VARIABLE: Final = "auth"

VERSION_DIGITS: Final = (
    12  # 48 bits: two states of one key never meet by accident, and a manifest stays readable
)

# ESO refuses a webhook store's Secret that lacks this label (since 0.10.0).
SECRET_LABEL_NAME: Final = "external-secrets.io/type"
SECRET_LABEL_VALUE: Final = "webhook"

# What ESO sends in place of a template variable that does not exist.
NO_VALUE: Final = "<no value>"

NAMESPACE_HEADER: Final = "X-Kubernetes-Namespace"

# What headers and parameters are called that carry a credential.
CREDENTIAL_NAME: Final = re.compile(
    r"authorization|token|secret|passw|credential|cookie|(?:api|access|auth|private|subscription)[-_]?key|^auth$|-auth$",
    re.IGNORECASE,
)

_ACTION: Final = re.compile(r"\{\{.*?(?:\}\}|\Z)", re.DOTALL)
# `Bearer `, `Token token=`: the authentication scheme before a credential (RFC 9110, section 11.4)
_AROUND_CREDENTIAL: Final = re.compile(r"\A\s*[A-Za-z-]+\s+|[A-Za-z0-9_.-]+=", re.ASCII)


def version_of_all(keys: Mapping[str, str]) -> str:
    """The version of all keys of an environment together, from the version of each: 12 hexadecimal digits."""
    text = f"[{','.join(f'[{_quoted(key)},{_quoted(keys[key])}]' for key in sorted(keys, key=str))}]"  # JSON
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:VERSION_DIGITS]


def authorization_template(token_key: str) -> str:
    """The `Authorization` header of a store whose `secrets[]` entry is named `auth`."""
    if token_key.isidentifier():
        return f"Bearer {{{{ .{TOKEN_VARIABLE}.{token_key} | trim }}}}"
    return f'Bearer {{{{ index .{TOKEN_VARIABLE} "{token_key}" | trim }}}}'


def is_written_out(header: str) -> bool:
    """Whether a header's text has letters or digits besides templates, a scheme and names of parameters.

    In a header that carries a credential they are one, or a part of it: `Bearer hunter2{{ "" }}`. What a
    template itself has in quotes is not looked at.
    """
    if "{{" not in header:
        return bool(header.strip())
    return any(map(str.isalnum, _AROUND_CREDENTIAL.sub("", _ACTION.sub("\0", header))))


def single_url(server_url: str, realm: RealmName, environment: EnvironmentName) -> str:
    """The URL template of a store that reads one key a request."""
    return f"{_realm_url(server_url, realm)}/{{{{ .remoteRef.key }}}}{_query(environment)}"


def bulk_url(server_url: str, realm: RealmName, environment: EnvironmentName) -> str:
    """The URL template of a store that reads a whole environment."""
    return f"{_realm_url(server_url, realm)}{_query(environment)}"


def unified_url(server_url: str, environment: EnvironmentName) -> str:
    """The URL template of a store for both: `key` is the realm, `property` a key of it or nothing for all."""
    key = "{{ if .remoteRef.property }}/{{ .remoteRef.property }}{{ end }}"
    return f"{_realm_url(server_url, '{{ .remoteRef.key }}')}{key}{_query(environment)}"


def _query(environment: EnvironmentName) -> str:
    return f"?{ENVIRONMENT_PARAMETER}={environment}&{VERSION_PARAMETER}={{{{ .remoteRef.version }}}}"


def _realm_url(server_url: str, realm: str) -> str:
    return f"{server_url.rstrip('/')}{PATH_PREFIX}/{realm}"


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps makes one a call


def _compact(body: object) -> bytes:
    return _ENCODER.encode(body).encode("utf-8")


def value_body(value: str) -> bytes:
    """`{"value": "..."}`; always a JSON string, for ESO rounds numbers."""
    return f'{{"value":{encode_basestring(value)}}}'.encode()


def data_body(values: Mapping[str, str]) -> bytes:
    """`{"data": {"KEY": "..."}}`."""
    return _compact({"data": dict(values)})


def error_body(code: str, message: str) -> bytes:
    """`{"error": {"code": ..., "message": ...}}`; never anything secret."""
    return _compact({"error": {"code": code, "message": message}})
