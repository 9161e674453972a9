"""An ExternalSecret whose spec is written as ESO has it, for what a declared Secret cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.names import ObjectName
from arcan_gitops.overlay.labels import read_annotations, read_labels
from arcan_gitops.overlay.references import mapping
from arcan_gitops.overlay.removal import REMOVED
from arcan_gitops.yamlio import Fields

RAW_FIELDS: Final = ("name", "spec", "labels", "annotations", REMOVED)


@dataclass(frozen=True, slots=True)
class RawSecret:
    """`name` is the ExternalSecret's; `spec` goes into the manifest as it is."""

    name: ObjectName
    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    where: str  # `file:line`, for errors

    @property
    def names_its_store(self) -> bool:
        """Whether it reads from a store of its own choice, and not from the app's."""
        return "secretStoreRef" in self.spec

    @property
    def is_bulk(self) -> bool:
        """Whether it reads whole answers only, so that the store for those is the one."""
        return not self.spec.get("data") and bool(self.spec.get("dataFrom"))

    @property
    def asks_for_all(self) -> bool:
        """Whether it reads anything whole from the app's store."""
        return not self.names_its_store and bool(self.spec.get("dataFrom"))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the app's store that it names; those of a unified store are its properties."""
        data = self.spec.get("data")
        if self.names_its_store or not isinstance(data, list):
            return ()
        refs = [entry.get("remoteRef") for entry in data if isinstance(entry, Mapping)]
        found = [ref.get("property") or ref.get("key") for ref in refs if isinstance(ref, Mapping)]
        return tuple(key for key in found if isinstance(key, str))

    @property
    def target(self) -> str:
        """The name of the Kubernetes Secret."""
        target = self.spec.get("target")
        named = target.get("name") if isinstance(target, Mapping) else None
        return str(named or self.name)

    @classmethod
    def parse(cls, fields: Fields) -> RawSecret:
        """Raises `InvalidFile`. The spec itself is judged by ESO's schema, once it is generated."""
        fields.only(*RAW_FIELDS)
        spec = mapping(fields, "spec", "{data: [...]}, the spec of an ExternalSecret as ESO has it")
        return cls(
            name=fields.parse("name", ObjectName, fields.text("name")),
            spec=spec.plain(),
            labels=read_labels(fields, "labels"),
            annotations=read_annotations(fields, "annotations"),
            where=f"{fields.source}:{fields.line}",
        )
