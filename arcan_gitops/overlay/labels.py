"""Labels and annotations, by Kubernetes's own grammar.

Source: k8s.io/apimachinery pkg/util/validation (IsQualifiedName, IsValidLabelValue).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from arcan_gitops.overlay.references import mapping
from arcan_gitops.yamlio import Fields

_PART: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_PREFIX: Final = r"(?=[^/]{1,253}/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/"
NAME: Final = re.compile(rf"(?:{_PREFIX})?{_PART}", re.ASCII)
VALUE: Final = re.compile(rf"(?:{_PART})?", re.ASCII)
# What ESO, Argo CD and this generator write themselves; what makes a Secret a cluster or repository of Argo
# CD's; and what makes Kustomize leave an object out (kyaml, kio/kioutil and resource annotations).
_RESERVED: Final = (
    "reconcile.external-secrets.io/",
    "argocd.argoproj.io/sync-wave",
    "argocd.argoproj.io/secret-type",
    "app.kubernetes.io/managed-by",
    "config.kubernetes.io/",
    "internal.config.kubernetes.io/",
    "kustomize.config.k8s.io/",
)


def read_labels(fields: Fields, field: str) -> Mapping[str, str]:
    """A mapping of labels; empty where the field is missing. Raises `InvalidFile`."""
    labels = _read(fields, field)
    for name, value in labels.items():
        if VALUE.fullmatch(value) is None:
            hint = "a label's value is at most 63 letters, digits, '.', '_' and '-'"
            mapping(fields, field, "").fail(
                f"the value of label '{name}' is not valid", field=name, hint=hint
            )
    return labels


def read_annotations(fields: Fields, field: str) -> Mapping[str, str]:
    """A mapping of annotations; empty where the field is missing. Raises `InvalidFile`."""
    return _read(fields, field)


def _read(fields: Fields, field: str) -> Mapping[str, str]:
    if field not in fields:
        return {}
    found = mapping(fields, field, "{NAME: TEXT}")
    for name in found.names():
        if NAME.fullmatch(name) is None:
            hint = "write it as 'name' or 'example.com/name'"
            found.fail(f"{name[:80]!r} is not a valid name in '{field}'", field=name, hint=hint)
        if name.startswith(_RESERVED):
            found.fail(f"'{name}' is not an app's to write", field=name, hint="leave it out")
    return {name: found.text(name) for name in found.names()}
