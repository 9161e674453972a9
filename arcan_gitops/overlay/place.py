"""Where the Kubernetes Secrets of an app are: a namespace, one for each overlay, or many namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from arcan_gitops.names import Namespace, OverlayName, TokenName
from arcan_gitops.overlay.labels import read_labels
from arcan_gitops.overlay.references import mapping
from arcan_gitops.yamlio import Fields

_Name = TypeVar("_Name", Namespace, TokenName)
_NAME_LABEL: Final = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class ManyNamespaces:
    """Namespaces that all get the same Secrets: by name, or every one with these labels."""

    names: tuple[Namespace, ...] = ()
    labels: Mapping[str, str] | None = None

    def selector(self) -> dict[str, object]:
        """As a Kubernetes label selector; every namespace has its own name as a label."""
        if self.labels is not None:
            return {"matchLabels": dict(self.labels)}
        names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(map(str, self.names))}
        return {"matchExpressions": [names]}


# The same everywhere, or a namespace for each overlay.
Place = Namespace | ManyNamespaces | Mapping[OverlayName, Namespace]


def read_overlays(fields: Fields) -> tuple[OverlayName, ...] | None:
    """The field `overlays`; None is all of them. Raises `InvalidFile`."""
    texts = fields.optional_texts("overlays")
    if texts is not None and not texts:
        hint = "leave 'overlays' out for all of them; or remove the file"
        fields.fail("'overlays' is empty", field="overlays", hint=hint)
    return None if texts is None else tuple(fields.parse("overlays", OverlayName, text) for text in texts)


def read_place(fields: Fields) -> Place:
    """The field `namespace`, or `namespaces`. Raises `InvalidFile`."""
    if "namespaces" in fields:
        if "namespace" in fields:
            fields.fail("has both 'namespace' and 'namespaces'", field="namespaces", hint="keep one of them")
        return _many(fields)
    return by_overlay(fields, "namespace", Namespace)


def by_overlay(fields: Fields, field: str, name: type[_Name]) -> _Name | Mapping[OverlayName, _Name]:
    """A name, the same everywhere; or a mapping of overlays to names. Raises `InvalidFile`."""
    if not fields.is_mapping(field):
        same: _Name = fields.parse(field, name, fields.text(field))
        return same
    found = mapping(fields, field, "NAME, or {OVERLAY: NAME}")
    return {
        found.parse(overlay, OverlayName, overlay): found.parse(overlay, name, found.text(overlay))
        for overlay in found.names()
    }


def _many(fields: Fields) -> ManyNamespaces:
    if fields.is_mapping("namespaces"):
        selector = mapping(fields, "namespaces", "{matchLabels: {NAME: VALUE}}")
        selector.only("matchLabels")
        labels = read_labels(selector, "matchLabels")
        if _NAME_LABEL in labels:
            selector.fail(
                f"'{_NAME_LABEL}' is the name of a namespace",
                field="matchLabels",
                hint="write namespaces: [NAME]",
            )
        if not labels:
            hint = "name at least one label: an empty selector is every namespace of the cluster"
            selector.fail("'matchLabels' is empty", field="matchLabels", hint=hint)
        return ManyNamespaces(labels=labels)
    names = [
        fields.parse("namespaces", Namespace, text) for text in fields.optional_texts("namespaces") or ()
    ]
    if not names:
        fields.fail(
            "'namespaces' is empty", field="namespaces", hint="name at least one, or give 'matchLabels'"
        )
    return ManyNamespaces(names=tuple(sorted(set(names))))
