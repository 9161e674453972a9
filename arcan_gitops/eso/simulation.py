"""All stores and ExternalSecrets of a cluster, one after the other, as data."""

from __future__ import annotations

from dataclasses import dataclass

from arcan_gitops.eso.cluster import Cluster, StoreStatus
from arcan_gitops.eso.errors import NotSupported
from arcan_gitops.eso.objects import ExternalSecret, Store
from arcan_gitops.eso.outcome import Outcome
from arcan_gitops.eso.refresh import refresh
from arcan_gitops.eso.transport import Transport
from arcan_gitops.eso.validation import validate_stores


@dataclass(frozen=True, slots=True)
class Simulation:
    """The result of a run; in place of an outcome stands what the emulator could not do."""

    stores: tuple[tuple[Store, StoreStatus | None], ...]
    outcomes: tuple[tuple[ExternalSecret, Outcome | NotSupported], ...]

    @property
    def passed(self) -> bool:
        """Whether there is an ExternalSecret, and all of them are SecretSynced."""
        synced = [isinstance(outcome, Outcome) and outcome.synced for _, outcome in self.outcomes]
        return bool(synced) and all(synced)


def simulate(cluster: Cluster, transport: Transport) -> Simulation:
    """Validate every store, then refresh every ExternalSecret, each seeing what those before it wrote."""
    cluster = validate_stores(cluster, transport)
    outcomes: list[tuple[ExternalSecret, Outcome | NotSupported]] = []
    for external in cluster.external_secrets:
        try:
            outcome = refresh(external, cluster, transport)
        except NotSupported as error:
            outcomes.append((external, error))
            continue
        cluster = outcome.applied_to(cluster)
        outcomes.append((external, outcome))
    stores = tuple((store, cluster.statuses.get(store.id)) for store in cluster.stores)
    return Simulation(stores, tuple(outcomes))
