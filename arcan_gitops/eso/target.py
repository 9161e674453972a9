"""The Kubernetes Secret that an ExternalSecret's data makes: policies, template, metadata.

Source: externalsecret_controller.go (`mutationFunc`), externalsecret_controller_template.go, template/v2;
for what the API server refuses, k8s.io/kubernetes pkg/apis/core/validation (`ValidateSecret`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from arcan_gitops.eso.errors import EsoError, NotSupported
from arcan_gitops.eso.objects import ExternalSecret, KubernetesSecret, TargetTemplate
from arcan_gitops.golang import template
from arcan_gitops.golang.errors import GoError

MANAGED_LABEL: Final = "reconcile.external-secrets.io/managed"
OWNER_LABEL: Final = "reconcile.external-secrets.io/created-by"
DATA_HASH_ANNOTATION: Final = "reconcile.external-secrets.io/data-hash"

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)
_MOST_BYTES: Final = 1 << 20
_REQUIRED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def build_secret(
    external: ExternalSecret, values: Mapping[str, bytes], existing: KubernetesSecret | None
) -> KubernetesSecret:
    """The Secret as ESO would write it over `existing` (None: create it).

    Raises `EsoError` without the wrapping that an update adds, and `NotSupported` for `templateFrom`.
    """
    target = external.target
    secret = existing or KubernetesSecret(external.namespace, target.name, {}, immutable=target.immutable)
    if existing is None or not target.immutable:
        try:
            secret = _filled(external, values, secret)
        except GoError as error:
            raise EsoError(f"could not apply template: {error}") from None
    labels = {**secret.labels, MANAGED_LABEL: "true"}
    labels.pop(OWNER_LABEL, None)
    owned = target.creation == "Owner"
    if owned:
        labels[OWNER_LABEL] = _object_hash(f"{external.namespace}/{external.name}")
    return replace(
        secret,
        labels=labels,
        annotations={**secret.annotations, DATA_HASH_ANNOTATION: _data_hash(secret.data)},
        owner=external.name if owned else (None if secret.owner == external.name else secret.owner),
    )


def _filled(
    external: ExternalSecret, values: Mapping[str, bytes], secret: KubernetesSecret
) -> KubernetesSecret:
    """`ApplyTemplate`: template over data over what was there (kept with creationPolicy Merge only)."""
    made = external.target.template
    data: dict[str, bytes] = {}
    if external.target.creation == "Merge":
        data = {key: value for key, value in secret.data.items() if key not in secret.managed_keys}
    if made is None:
        written = dict(values)
        labels, annotations = dict(external.labels), dict(external.annotations)
    else:
        written = dict(values) if made.merge or not (made.data or made.from_elsewhere) else {}
        written |= _templated(made, values)
        labels = _texts(made.labels, values)
        annotations = _texts(made.annotations, values)
    return replace(
        secret,
        data={**data, **written},
        type=(made.type if made is not None and made.type else secret.type),
        labels={**secret.labels, **labels},
        annotations={**secret.annotations, **annotations},
        managed_keys=frozenset(written),
    )


def _templated(made: TargetTemplate, values: Mapping[str, bytes]) -> dict[str, bytes]:
    if made.from_elsewhere:
        raise NotSupported("target.template.templateFrom")
    return {key: text.encode("utf-8", "surrogateescape") for key, text in _texts(made.data, values).items()}


def _texts(templates: Mapping[str, str], values: Mapping[str, bytes]) -> dict[str, str]:
    """Each template rendered over all values; a key that is not there is an error (missingkey=error)."""
    data = {key: value.decode("utf-8", "surrogateescape") for key, value in values.items()}
    return {key: _rendered(key, text, data) for key, text in sorted(templates.items())}


def _rendered(key: str, text: str, data: Mapping[str, str]) -> str:
    prefix = "could not execute template: could not execute template"
    try:
        tree = template.parse(text, name=key)
    except GoError as error:
        parsing = f"unable to parse template at key {key}: {error}"
        raise EsoError(f"{prefix}: unable to execute template at key {key}: {parsing}") from None
    try:
        return template.render(tree, data, missing_key_is_error=True)
    except GoError as error:
        executing = f"unable to execute template at key {key}: {error}"
        raise EsoError(f"{prefix}: unable to execute template at key {key}: {executing}") from None


def require_storable(secret: KubernetesSecret, existing: KubernetesSecret | None) -> None:
    """Raise `EsoError` with the API server's text if it would refuse the Secret."""
    problems = [
        f'data[{key}]: Invalid value: "{key}": a valid config key must consist of alphanumeric characters, '
        "'-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
        "'[-._a-zA-Z0-9]+')"
        for key in sorted(secret.data)
        if _KEY.fullmatch(key) is None or key == "." or key.startswith("..")
    ]
    if sum(len(value) for value in secret.data.values()) > _MOST_BYTES:
        problems.append(f"data: Too long: may not be more than {_MOST_BYTES} bytes")
    problems += [
        f"data[{key}]: Required value"
        for key in _REQUIRED_KEYS.get(secret.type, ())
        if key not in secret.data
    ]
    if existing is not None and existing.type != secret.type:
        problems.append(f'type: Invalid value: "{secret.type}": field is immutable')
    if problems:
        listed = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise EsoError(f'Secret "{secret.name}" is invalid: {listed}')


def _object_hash(text: str) -> str:
    """`esutils.ObjectHash`: SHA3-224 of what Go's `%+v` prints."""
    return hashlib.sha3_224(text.encode("utf-8")).hexdigest()


def _data_hash(data: Mapping[str, bytes]) -> str:
    items = (f"{key}:[{' '.join(map(str, data[key]))}]" for key in sorted(data))
    return _object_hash(f"map[{' '.join(items)}]")
