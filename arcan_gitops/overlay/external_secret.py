"""ExternalSecrets and ClusterExternalSecrets, with every default of the CRD written out.

An API server adds the defaults that a manifest leaves out, and Argo CD then shows drift for ever (ESO #1028).
conversionStrategy, decodingStrategy and metadataPolicy have defaults up to 2.8 and none from 2.9 on, so only
writing them is stable everywhere; nullBytePolicy exists from 2.3 on only and has no default: left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arcan_gitops.names import Namespace, ObjectName
from arcan_gitops.overlay.manifest import API_VERSION, LABELS, Manifest, metadata
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.refresh import Refresh
from arcan_gitops.overlay.stores.store import Store


@dataclass(frozen=True, slots=True)
class Remote:
    """What one entry asks the store for; `version` makes the server answer that version or not at all."""

    key: str
    property: str | None = None
    version: str | None = None
    decode: str = "None"

    def spec(self) -> dict[str, str]:
        """`remoteRef`, or `extract`."""
        optional = {"property": self.property, "version": self.version}
        return {
            "key": str(self.key),
            **{name: str(text) for name, text in optional.items() if text is not None},
            "conversionStrategy": "Default",
            "decodingStrategy": self.decode,
            "metadataPolicy": "None",
        }


@dataclass(frozen=True, slots=True)
class ExternalSecret:
    """The Kubernetes Secret `name` to be, in one namespace or in many; its own name is the same unless given.

    `data` are pairs (key of the Secret, what it is); `extract` gives all fields of an entry, renamed by
    `rewrites`. `template` is `target.template` as it is written.
    """

    name: ObjectName
    place: Namespace | ManyNamespaces
    store: Store
    refresh: Refresh
    data: Sequence[tuple[str, Remote]] = ()
    extract: Sequence[Remote] = ()
    rewrites: Sequence[Mapping[str, Any]] = ()
    template: Mapping[str, Any] | None = None
    # Retain: whatever the server answers, a Secret that pods run on is never deleted.
    creation: str = "Owner"
    deletion: str = "Retain"
    immutable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    own_name: ObjectName | None = None

    def manifest(self) -> Manifest:
        """An ExternalSecret, or the ClusterExternalSecret that makes one in each namespace."""
        own_name = self.own_name or self.name
        return manifest_of(own_name, self.place, self._spec(), self.labels, self.annotations)

    def _spec(self) -> dict[str, Any]:
        target: dict[str, Any] = {
            "name": str(self.name),
            "creationPolicy": self.creation,
            "deletionPolicy": self.deletion,
        }
        if self.immutable:
            target["immutable"] = True
        if self.template is not None:
            target["template"] = dict(self.template)
        rewrites = {"rewrite": [dict(rewrite) for rewrite in self.rewrites]} if self.rewrites else {}
        content: dict[str, Any] = {}
        if self.data:
            content["data"] = [{"secretKey": str(name), "remoteRef": ref.spec()} for name, ref in self.data]
        if self.extract:
            content["dataFrom"] = [{"extract": ref.spec(), **rewrites} for ref in self.extract]
        return {
            "refreshPolicy": self.refresh.policy,
            "refreshInterval": str(self.refresh.interval),
            "secretStoreRef": {"kind": self.store.kind, "name": str(self.store.name)},
            "target": target,
            **content,
        }


def manifest_of(
    name: ObjectName,
    place: Namespace | ManyNamespaces,
    spec: Mapping[str, Any],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> Manifest:
    """An ExternalSecret with this spec, or the ClusterExternalSecret that makes one in each namespace."""
    if not isinstance(place, ManyNamespaces):
        return {
            "apiVersion": API_VERSION,
            "kind": "ExternalSecret",
            "metadata": metadata(name, place, labels=labels, annotations=annotations),
            "spec": dict(spec),
        }
    written = {"annotations": dict(annotations)} if annotations else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterExternalSecret",
        "metadata": metadata(name, None),
        "spec": {
            "externalSecretName": str(name),
            "externalSecretMetadata": {"labels": {**LABELS, **labels}, **written},
            "namespaceSelectors": [place.selector()],
            # how often ESO looks for new namespaces; each ExternalSecret has an interval of its own
            "refreshTime": "1m0s",
            "externalSecretSpec": dict(spec),
        },
    }
