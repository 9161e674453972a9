"""The wire contract with the External Secrets Operator: the URL, the JSON shapes, the store's template.

The server answers by it, the generator writes stores for it, and the two never import each other.
Source: ESO providers/v1/webhook/webhook.go and pkg/webhook/webhook.go (v0.16 to v2.9 behave alike).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from arcan_gitops.names import EnvironmentName, RealmName

PATH_PREFIX: Final = "/api/v1/eso"
ENVIRONMENT_PARAMETER: Final = "env"

# What ESO evaluates on our answers. Bracket-quoted: an unquoted path breaks on the first '-' in a name.
VALUE_JSON_PATH: Final = '$["value"]'
DATA_JSON_PATH: Final = '$["data"]'

# `trim`: a token Secret made from a file often ends in a newline, and Go's HTTP client refuses the header.
TOKEN_VARIABLE: Final = "auth"

# ESO refuses a webhook store's Secret that lacks this label (since 0.10.0).
SECRET_LABEL_NAME: Final = "external-secrets.io/type"
SECRET_LABEL_VALUE: Final = "webhook"

# What ESO sends in place of a template variable that does not exist.
NO_VALUE: Final = "<no value>"

NAMESPACE_HEADER: Final = "X-Kubernetes-Namespace"


def authorization_template(token_key: str) -> str:
    """The `Authorization` header of a store whose `secrets[]` entry is named `auth`."""
    if token_key.isidentifier():
        return f"Bearer {{{{ .{TOKEN_VARIABLE}.{token_key} | trim }}}}"
    return f'Bearer {{{{ index .{TOKEN_VARIABLE} "{token_key}" | trim }}}}'


def single_url(server_url: str, realm: RealmName, environment: EnvironmentName) -> str:
    """The URL template of a store that reads one key a request."""
    return f"{_realm_url(server_url, realm)}/{{{{ .remoteRef.key }}}}?{ENVIRONMENT_PARAMETER}={environment}"


def bulk_url(server_url: str, realm: RealmName, environment: EnvironmentName) -> str:
    """The URL of a store that reads a whole environment."""
    return f"{_realm_url(server_url, realm)}?{ENVIRONMENT_PARAMETER}={environment}"


def _realm_url(server_url: str, realm: RealmName) -> str:
    return f"{server_url.rstrip('/')}{PATH_PREFIX}/{realm}"


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps makes one a call


def _compact(body: object) -> bytes:
    return _ENCODER.encode(body).encode("utf-8")


def value_body(value: str) -> bytes:
    """`{"value": "..."}`; always a JSON string, for ESO rounds numbers."""
    return _compact({"value": value})


def data_body(values: Mapping[str, str]) -> bytes:
    """`{"data": {"KEY": "..."}}`."""
    return _compact({"data": dict(values)})


def error_body(code: str, message: str) -> bytes:
    """`{"error": {"code": ..., "message": ...}}`; never anything secret."""
    return _compact({"error": {"code": code, "message": message}})
