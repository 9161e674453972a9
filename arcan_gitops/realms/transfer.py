"""A snapshot as bytes and back: how the main process hands it to its workers, in memory only."""

from __future__ import annotations

import json
from types import MappingProxyType

from arcan_gitops.access import AccountRecord, Cluster, TokenRecord, TokensFile
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.snapshot import Environment, KnownCluster, Snapshot, Tokens
from arcan_gitops.secret import SecretValue
from arcan_gitops.sops import Digests


def dump(snapshot: Snapshot) -> bytes:
    """The whole snapshot, values included: for memory that only this server's processes share."""
    environments = {
        realm: {
            name: [
                {key: value.reveal() for key, value in loaded.values.items()},
                loaded.digest,
                dict(loaded.versions.keys),
                loaded.versions.document,
                None if loaded.removed is None else sorted(loaded.removed),
            ]
            for name, loaded in by_environment.items()
        }
        for realm, by_environment in snapshot.environments.items()
    }
    tokens = {
        realm: [
            [record.to_plain() for record in held.file.tokens],
            [record.to_plain() for record in held.file.accounts],
            held.digest,
        ]
        for realm, held in snapshot.tokens.items()
    }
    clusters = {name: [known.cluster.to_plain(), known.digest] for name, known in snapshot.clusters.items()}
    failed = sorted(snapshot.failed)
    return json.dumps([environments, tokens, clusters, failed]).encode("ascii")


def restore(data: bytes) -> Snapshot:
    """The snapshot that `dump` was given."""
    environments, tokens, clusters, failed = json.loads(data)
    return Snapshot.build(
        {
            RealmName(realm): {
                EnvironmentName(name): Environment(
                    MappingProxyType({KeyName(key): SecretValue(text) for key, text in values.items()}),
                    digest,
                    Digests(MappingProxyType(keys), document),
                    None if removed is None else frozenset(map(KeyName, removed)),
                )
                for name, (values, digest, keys, document, removed) in by_environment.items()
            }
            for realm, by_environment in environments.items()
        },
        {
            RealmName(realm): Tokens(
                TokensFile(
                    tuple(TokenRecord.from_plain(plain) for plain in records),
                    tuple(AccountRecord.from_plain(plain) for plain in accounts),
                ),
                digest,
            )
            for realm, (records, accounts, digest) in tokens.items()
        },
        {
            name: KnownCluster(Cluster.from_plain(name, plain), digest)
            for name, (plain, digest) in clusters.items()
        },
        frozenset((RealmName(realm), EnvironmentName(name)) for realm, name in failed),
    )
