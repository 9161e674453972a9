"""The manifests for one consumer without an app file: what `kubectl apply -f -` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName, RealmName
from arcan_gitops.overlay.credentials import account_manifests
from arcan_gitops.overlay.external_secret import ExternalSecret, Remote
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.naming import plain_names
from arcan_gitops.overlay.settings import StoreSettings
from arcan_gitops.overlay.stores.arcan import Reads, arcan_store
from arcan_gitops.overlay.stores.store import ClusterWide, InNamespace, Reach


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who reads what: a Secret `name` with the keys, and `name`-bulk with all of the environment."""

    realm: RealmName
    environment: EnvironmentName
    namespace: Namespace
    name: ObjectName
    keys: Sequence[KeyName]
    users: tuple[Namespace, ...] | None  # None for SecretStores; else who may use the ClusterSecretStores
    version: str | None = None  # of all keys, where the realm answers no read of all without one


def quickstart(consumer: Consumer, settings: StoreSettings) -> list[Manifest]:
    """A store and its ExternalSecret for the keys, then a store and its ExternalSecret for everything.

    No entry for a key names a version: nobody would generate these manifests anew when it changes. Raises
    `ArcanError` where an ExternalSecret would take the place of the token Secret.
    """
    secret, bulk_secret = consumer.name, ObjectName.parse(f"{consumer.name}-bulk")
    reach: Reach
    if consumer.users is None:
        reach, token_namespace = InNamespace(consumer.namespace), consumer.namespace
    else:
        reach, token_namespace = ClusterWide(settings.eso_namespace, consumer.users), settings.eso_namespace
    account = settings.credentials.account_in(token_namespace, None)
    names = plain_names(settings, account)
    if consumer.namespace == token_namespace and names.token_secret in (secret, bulk_secret):
        raise ArcanError(
            f"Secret '{names.token_secret}' of namespace '{token_namespace}' holds the store's own token",
            hint="choose another --name",
        )
    single, bulk = (
        arcan_store(reads, settings, names, consumer.realm, consumer.environment, reach)
        for reads in (Reads.SINGLE, Reads.BULK)
    )
    namespace, refresh = consumer.namespace, settings.refresh
    keys = [(key, Remote(key)) for key in consumer.keys]
    # the bulk store's URL has no place for a key: the realm is for readers
    everything = [Remote(consumer.realm, version=consumer.version)]
    return [
        *(account_manifests(account) if account is not None else ()),
        single.manifest(),
        ExternalSecret(secret, namespace, single, refresh, data=keys).manifest(),
        bulk.manifest(),
        ExternalSecret(bulk_secret, namespace, bulk, refresh, extract=everything).manifest(),
    ]
