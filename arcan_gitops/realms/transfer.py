"""A snapshot as bytes and back: how the main process hands it to its workers, in memory only.

Whole, or as what is other than in the snapshot before: of thousands of key files one has changed, mostly.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

from arcan_gitops.access import AccountRecord, Cluster, TokenRecord, TokensFile
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.snapshot import Environment, KnownCluster, Snapshot, Tokens
from arcan_gitops.secret import SecretValue
from arcan_gitops.sops import Digests


def dump(snapshot: Snapshot, before: Snapshot | None = None) -> bytes:
    """The whole snapshot, or what is other in it than in the one `before`: values included, for memory that
    only this server's processes share.
    """
    environments = [
        [realm, name, _environment(environment, None if before is None else before.environment(realm, name))]
        for realm, name in snapshot.names()
        if (environment := snapshot.environment(realm, name)) is not None
        and (before is None or environment is not before.environment(realm, name))
    ]
    tokens = {
        realm: [
            [record.to_plain() for record in held.file.tokens],
            [record.to_plain() for record in held.file.accounts],
            held.digest,
        ]
        for realm, held in snapshot.tokens.items()
        if before is None or held != before.tokens.get(realm)
    }
    clusters = None
    if before is None or snapshot.clusters != before.clusters:
        clusters = {
            name: [known.cluster.to_plain(), known.digest] for name, known in snapshot.clusters.items()
        }
    gone = [
        [] if before is None else sorted(set(before.names()) - set(snapshot.names())),
        [] if before is None else sorted(before.tokens.keys() - snapshot.tokens.keys()),
    ]
    whole = before is None
    return json.dumps([whole, environments, tokens, clusters, gone, sorted(snapshot.failed)]).encode("ascii")


def _environment(now: Environment, before: Environment | None) -> list[Any]:
    """[whether it is whole, values, versions, the keys that are gone, the rest]."""
    rest = [
        now.digest,
        now.versions.document,
        None if now.removed is None else sorted(now.removed),
        sorted(now.failed),
        sorted(now.stale),
    ]
    values, whole = now.values, True
    gone: list[KeyName] = []
    if before is not None:
        keys = list(now.values)
        if keys == list(before.values) or keys == sorted(keys):  # else the order of keys has to be told
            values = {key: value for key, value in values.items() if _is_other(key, now, before)}
            gone = [key for key in before.values if key not in now.values]
            whole = False
    versions = {key: now.versions.keys[key] for key in values if key in now.versions.keys}
    return [whole, {key: value.reveal() for key, value in values.items()}, versions, gone, rest]


def _is_other(key: KeyName, now: Environment, before: Environment) -> bool:
    value, held = now.values[key], before.values.get(key)
    if held is None or now.versions.keys.get(key) != before.versions.keys.get(key):
        return True
    return value is not held and value.reveal() != held.reveal()


def restore(*records: bytes, before: Snapshot | None = None) -> Snapshot:
    """The snapshot that `dump` was given last: `records` are what it gave since the one `before`."""
    environments: dict[RealmName, dict[EnvironmentName, Environment]] = {}
    tokens: dict[RealmName, Tokens] = {}
    clusters: dict[str, KnownCluster] = {}
    failed: list[Any] = []
    if before is not None:
        environments = {realm: dict(loaded) for realm, loaded in before.environments.items()}
        tokens, clusters = dict(before.tokens), dict(before.clusters)
    for record in records:
        whole, changed, new_tokens, new_clusters, (gone, gone_tokens), failed = json.loads(record)
        if whole:
            environments, tokens = {}, {}
        for realm, name in gone:
            environments.get(realm, {}).pop(name, None)
        for realm in gone_tokens:
            tokens.pop(realm, None)
        for realm, name, plain in changed:
            loaded = environments.setdefault(RealmName(realm), {})
            loaded[EnvironmentName(name)] = _restored(plain, loaded.get(name))
        for realm, (entries, accounts, digest) in new_tokens.items():
            tokens[RealmName(realm)] = Tokens(
                TokensFile(
                    tuple(TokenRecord.from_plain(plain) for plain in entries),
                    tuple(AccountRecord.from_plain(plain) for plain in accounts),
                ),
                digest,
            )
        if new_clusters is not None:
            clusters = {
                name: KnownCluster(Cluster.from_plain(name, plain), digest)
                for name, (plain, digest) in new_clusters.items()
            }
    return Snapshot.build(
        {realm: loaded for realm, loaded in environments.items() if loaded},
        tokens,
        clusters,
        frozenset((RealmName(realm), EnvironmentName(name)) for realm, name in failed),
    )


def _restored(plain: list[Any], before: Environment | None) -> Environment:
    whole, texts, changed, gone, (digest, document, removed, failed, stale) = plain
    values: dict[KeyName, SecretValue] = {} if whole or before is None else dict(before.values)
    versions: dict[str, str] = {} if whole or before is None else dict(before.versions.keys)
    for key in gone:
        values.pop(key, None)
        versions.pop(key, None)
    new = texts.keys() - values.keys()
    values |= {KeyName(key): SecretValue(text) for key, text in texts.items()}
    versions |= changed
    if new and not whole:
        values = {key: values[key] for key in sorted(values)}
    return Environment(
        MappingProxyType(values),
        digest,
        Digests(MappingProxyType(versions), document),
        None if removed is None else frozenset(map(KeyName, removed)),
        failed=frozenset(map(KeyName, failed)),
        stale=frozenset(map(KeyName, stale)),
    )
