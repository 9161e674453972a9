"""The Kubernetes Secret that an ExternalSecret's data makes: policies, template, metadata.

Source: externalsecret_controller.go (`mutationFunc`), externalsecret_controller_template.go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.errors import EsoError
from arcan_gitops.eso.objects import ExternalSecret, KubernetesSecret
from arcan_gitops.eso.target_template import made_of
from arcan_gitops.golang.errors import GoError

MANAGED_LABEL: Final = "reconcile.external-secrets.io/managed"
OWNER_LABEL: Final = "reconcile.external-secrets.io/created-by"
DATA_HASH_ANNOTATION: Final = "reconcile.external-secrets.io/data-hash"

_KEEPING: Final = ("Merge", "CreateOrMerge")  # what somebody else wrote stays
V = TypeVar("V")


def build_secret(
    external: ExternalSecret,
    values: Mapping[str, bytes],
    existing: KubernetesSecret | None,
    cluster: Cluster,
) -> KubernetesSecret:
    """The Secret as ESO would write it over `existing` (None: create it).

    Raises `EsoError` without the wrapping that an update adds, and `NotSupported`.
    """
    target = external.target
    secret = existing or KubernetesSecret(external.namespace, target.name, {}, immutable=target.immutable)
    if existing is None or not target.immutable:
        try:
            secret = _filled(external, values, _cleared(external, secret), cluster)
        except GoError as error:
            raise EsoError(f"could not apply template: {error}") from None
    labels = {**secret.labels, MANAGED_LABEL: "true"}
    labels.pop(OWNER_LABEL, None)
    owned = target.creation == "Owner"
    if owned:
        labels[OWNER_LABEL] = _object_hash(f"{external.namespace}/{external.name}")
    secret = replace(
        secret,
        labels=labels,
        annotations={**secret.annotations, DATA_HASH_ANNOTATION: _data_hash(secret.data)},
        owner=external.name if owned else (None if secret.owner == external.name else secret.owner),
    )
    return replace(secret, managed=_managed(external, secret, existing))


def _cleared(external: ExternalSecret, secret: KubernetesSecret) -> KubernetesSecret:
    """The Secret without what this ExternalSecret wrote, so that nothing of it is left behind."""
    mine = secret.managed.get(external.name, frozenset())

    def rest(part: str, items: Mapping[str, V]) -> dict[str, V]:
        return {name: value for name, value in items.items() if (part, name) not in mine}

    return replace(
        secret,
        data=rest("data", secret.data) if external.target.creation in _KEEPING else {},
        labels=rest("labels", secret.labels),
        annotations=rest("annotations", secret.annotations),
    )


def _filled(
    external: ExternalSecret, values: Mapping[str, bytes], secret: KubernetesSecret, cluster: Cluster
) -> KubernetesSecret:
    """`ApplyTemplate`: template over data over what is there."""
    made = external.target.template
    if made is None:
        return replace(
            secret,
            data={**secret.data, **values},
            labels={**secret.labels, **external.labels},
            annotations={**secret.annotations, **external.annotations},
        )
    written = dict(values) if made.merge or not (made.data or made.sources) else {}
    parts = made_of(made, values, external.namespace, cluster)
    return replace(
        secret,
        data={**secret.data, **written, **parts["data"]},
        type=made.type or secret.type,
        labels={**secret.labels, **_texts(parts["labels"])},
        annotations={**secret.annotations, **_texts(parts["annotations"])},
    )


def _texts(values: Mapping[str, bytes]) -> dict[str, str]:
    return {name: value.decode("utf-8", "surrogateescape") for name, value in values.items()}


def _managed(
    external: ExternalSecret, secret: KubernetesSecret, existing: KubernetesSecret | None
) -> dict[str, frozenset[tuple[str, str]]]:
    """Who wrote which field last: a field whose value an update leaves as it was stays with its owners."""
    now, before = _fields(secret), {} if existing is None else _fields(existing)
    changed = {field for field, value in now.items() if field not in before or before[field] != value}
    known = {} if existing is None else existing.managed
    mine = {field for field in known.get(external.name, ()) if field in now} | changed
    others = {
        name: frozenset(field for field in fields if field in now and field not in changed)
        for name, fields in known.items()
    }
    return {**others, external.name: frozenset(mine)}


def _fields(secret: KubernetesSecret) -> dict[tuple[str, str], object]:
    parts: dict[str, Mapping[str, object]] = {
        "data": secret.data,
        "labels": secret.labels,
        "annotations": secret.annotations,
    }
    return {(part, name): value for part, items in parts.items() for name, value in items.items()}


def _object_hash(text: str) -> str:
    """`esutils.ObjectHash`: SHA3-224 of what Go's `%+v` prints."""
    return hashlib.sha3_224(text.encode("utf-8")).hexdigest()


def _data_hash(data: Mapping[str, bytes]) -> str:
    items = (f"{key}:[{' '.join(map(str, data[key]))}]" for key in sorted(data))
    return _object_hash(f"map[{' '.join(items)}]")
