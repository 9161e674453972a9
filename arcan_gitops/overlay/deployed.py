"""The Kubernetes Secrets that generated overlays make, read from the files as Argo CD gets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from arcan_gitops.names import AppName, InvalidName, OverlayName
from arcan_gitops.yamlio import InvalidFile, read_objects

_APPS: Final = "apps"
_KINDS: Final = ("ExternalSecret", "ClusterExternalSecret")


@dataclass(frozen=True, slots=True, order=True)
class Deployed:
    """A Kubernetes Secret, and the ExternalSecret `external` by which it is there.

    `namespace` is "" where `labels` choose the namespaces. `file` is the path below the folder of overlays.
    """

    overlay: OverlayName
    app: AppName
    kind: str
    namespace: str
    external: str
    secret: str
    is_owned: bool  # it goes when its ExternalSecret goes
    file: str
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> str:
        """The folder that Argo CD deploys it from, below the folder of overlays."""
        return str(PurePosixPath(self.file).parent.parent)

    def is_still(self, other: Deployed) -> bool:
        """Whether another, of the same cluster, is the same Secret; by labels: in no fewer namespaces."""
        return (
            (self.kind, self.namespace, self.external, self.secret)
            == (other.kind, other.namespace, other.external, other.secret)
        ) and set(other.labels) <= set(self.labels)

    def __str__(self) -> str:
        labels = ", ".join(f"{name}={value}" for name, value in self.labels)
        where = f"in namespace '{self.namespace}'" if self.namespace else f"in namespaces with {labels}"
        return f"'{self.secret}' {where}"


def app_of(file: str) -> tuple[OverlayName, AppName] | None:
    """The overlay and the app that a generated file is of: `prod/shop/apps/shop.yaml`; None for others."""
    path = PurePosixPath(file)
    if len(path.parts) < 3 or path.parts[-2] != _APPS:
        return None
    try:
        return OverlayName.parse(path.parts[0]), AppName.parse(path.stem)
    except InvalidName:
        return None


def deployed_by(files: Mapping[str, str]) -> Iterator[Deployed]:
    """All that the files of apps make; a file that cannot be read makes nothing."""
    for file, text in files.items():
        if (owner := app_of(file)) is None:
            continue
        try:
            objects = read_objects(text.encode(), file)
        except InvalidFile:
            continue
        for obj in objects:
            if isinstance(obj, Mapping) and obj.get("kind") in _KINDS:
                yield from _made(*owner, file, obj)


def _made(overlay: OverlayName, app: AppName, file: str, obj: Mapping[str, Any]) -> Iterator[Deployed]:
    kind, metadata, spec = str(obj["kind"]), _mapping(obj, "metadata"), _mapping(obj, "spec")
    external = str(metadata.get("name", ""))
    namespaces = [str(metadata.get("namespace", ""))]
    labels: tuple[tuple[str, str], ...] = ()
    if kind == "ClusterExternalSecret":
        namespaces, labels = list(_chosen(spec)) or [""], tuple(sorted(_labels(spec)))
        spec = _mapping(spec, "externalSecretSpec")
    target = _mapping(spec, "target")
    secret = str(target.get("name") or external)
    is_owned = target.get("creationPolicy", "Owner") == "Owner"
    for namespace in namespaces:
        yield Deployed(overlay, app, kind, namespace, external, secret, is_owned, file, labels)


def _chosen(spec: Mapping[str, Any]) -> Iterator[str]:
    """The namespaces that selectors give by name, as they are generated."""
    for selector in spec.get("namespaceSelectors") or ():
        for expression in _mapping_or_empty(selector).get("matchExpressions") or ():
            yield from map(str, _mapping_or_empty(expression).get("values") or ())


def _labels(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The labels that a selector gives."""
    for selector in spec.get("namespaceSelectors") or ():
        for name, value in _mapping(_mapping_or_empty(selector), "matchLabels").items():
            yield str(name), str(value)


def _mapping(obj: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    return _mapping_or_empty(obj.get(field))


def _mapping_or_empty(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
