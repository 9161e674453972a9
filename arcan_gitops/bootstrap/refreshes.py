"""Which ExternalSecrets the declared apps have, so that ESO can be made to look at once.

ESO refreshes when the hash of an ExternalSecret's annotations changes (ESO pkg/controllers/externalsecret,
shouldRefresh); by itself it comes back from an outage within seven minutes, by exponential backoff. What a
ClusterExternalSecret has made gets its annotations from there: what else is set on it is gone at once, often
before ESO has looked. One annotation is handed on, since 0.20 (external-secrets#5156).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from arcan_gitops.names import Namespace, ObjectName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import placements
from arcan_gitops.overlay.settings import Overlay

_HANDED_ON: Final = "external-secrets.io/force-sync"


@dataclass(frozen=True, slots=True, order=True)
class Refresh:
    """One ExternalSecret; without a namespace, a ClusterExternalSecret and so all that it has made."""

    namespace: Namespace | None
    name: ObjectName

    def arguments(self, stamp: str) -> tuple[str, ...]:
        """What goes behind `kubectl`; a `stamp` that differs from the last one is what ESO notices."""
        if self.namespace is None:
            return ("annotate", "clusterexternalsecret", self.name, f"{_HANDED_ON}={stamp}", "--overwrite")
        where = f"--namespace={self.namespace}"
        return ("annotate", "externalsecret", self.name, where, f"force-sync={stamp}", "--overwrite")

    def __str__(self) -> str:
        if self.namespace is None:
            return f"ClusterExternalSecret {self.name}"
        return f"ExternalSecret {self.namespace}/{self.name}"


def refreshes(apps: Iterable[App], overlay: Overlay) -> tuple[Refresh, ...]:
    """What is there of the apps in an overlay, each once, sorted by namespace and name."""
    found: set[Refresh] = set()
    for placement in placements(apps, overlay):
        is_many = isinstance(placement.place, ManyNamespaces)
        places: tuple[Namespace | None, ...] = (None,) if is_many else placement.namespaces
        names = [secret.external for secret in placement.app.secrets]
        names += [raw.name for raw in placement.app.raw]
        found |= {Refresh(place, name) for place in places for name in names}
    return tuple(sorted(found, key=str))
