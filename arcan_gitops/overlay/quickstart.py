"""The manifests for one consumer without an app file: what `kubectl apply -f -` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName, RealmName
from arcan_gitops.overlay.external_secret import ExternalSecret
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.naming import plain_names
from arcan_gitops.overlay.settings import StoreSettings
from arcan_gitops.overlay.stores.arcan import ClusterWide, InNamespace, Reach, bulk_store, single_store


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who reads what: a Secret `name` with the keys, and `name`-bulk with all of the environment."""

    realm: RealmName
    environment: EnvironmentName
    namespace: Namespace
    name: ObjectName
    keys: Sequence[KeyName]
    users: tuple[Namespace, ...] | None  # None for SecretStores; else who may use the ClusterSecretStores


def quickstart(consumer: Consumer, settings: StoreSettings) -> list[Manifest]:
    """A store and its ExternalSecret for the keys, then a store and its ExternalSecret for everything.

    Raises `ArcanError` where an ExternalSecret would take the place of the token Secret.
    """
    names = plain_names(settings)
    secret, bulk_secret = consumer.name, ObjectName.parse(f"{consumer.name}-bulk")
    reach: Reach
    if consumer.users is None:
        reach, token_namespace = InNamespace(consumer.namespace), consumer.namespace
    else:
        reach, token_namespace = ClusterWide(settings.eso_namespace, consumer.users), settings.eso_namespace
    if consumer.namespace == token_namespace and names.token_secret in (secret, bulk_secret):
        raise ArcanError(
            f"Secret '{names.token_secret}' of namespace '{token_namespace}' holds the store's own token",
            hint="choose another --name",
        )
    single = single_store(settings, names, consumer.realm, consumer.environment, reach)
    bulk = bulk_store(settings, names, consumer.realm, consumer.environment, reach)
    interval = settings.refresh_interval
    return [
        single.manifest(),
        ExternalSecret(secret, consumer.namespace, single, interval).of_keys((k, k) for k in consumer.keys),
        bulk.manifest(),
        ExternalSecret(bulk_secret, consumer.namespace, bulk, interval).of_everything(consumer.realm),
    ]
