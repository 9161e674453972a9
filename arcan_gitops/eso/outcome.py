"""What a refresh comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.objects import ExternalSecret, KubernetesSecret


class Fate(StrEnum):
    """What happens to the Kubernetes Secret."""

    CREATED = "created"
    UPDATED = "updated"
    KEPT = "kept"  # there, and as it was
    DELETED = "deleted"
    ABSENT = "absent"  # not there before, not there after


@dataclass(frozen=True, slots=True)
class Condition:
    """The ExternalSecret's `Ready` condition."""

    ready: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event on the ExternalSecret; `kind` is Normal or Warning."""

    kind: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one refresh.

    `secret` is what the cluster holds afterwards under the target's name; `notes` are the emulator's own
    remarks, on what ESO does without a word.
    """

    external_secret: ExternalSecret
    condition: Condition
    events: tuple[Event, ...]
    secret: KubernetesSecret | None
    fate: Fate
    notes: tuple[str, ...] = ()

    @property
    def synced(self) -> bool:
        """Whether ESO says SecretSynced."""
        return self.condition.reason == "SecretSynced"

    @property
    def error(self) -> str:
        """The text of the Warning event, empty if there is none."""
        return next((event.message for event in self.events if event.kind == "Warning"), "")

    def applied_to(self, cluster: Cluster) -> Cluster:
        """The cluster after this refresh."""
        if self.secret is not None:
            return cluster.with_secret(self.secret)
        return cluster.without_secret(self.external_secret.namespace, self.external_secret.target.name)
