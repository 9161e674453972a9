"""The selected realms, decrypted and verified, frozen: what every request is answered from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType

from arcan_gitops.access import Accounts, Cluster, Policy, TokensFile
from arcan_gitops.errors import ArcanError, together
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.binding import NO_DEMANDS, Demands, Place, Seal, seal_of
from arcan_gitops.realms.file_state import FileState
from arcan_gitops.realms.files import digest
from arcan_gitops.realms.layout import DocumentFile
from arcan_gitops.realms.manifests import explained
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.text import text_of
from arcan_gitops.secret import SecretValue
from arcan_gitops.sops import Digests, EmptyLeaf, Identities, load

Values = Mapping[KeyName, SecretValue]


@dataclass(frozen=True, slots=True)
class Part:
    """One key file as it was loaded; `digest`, `since` and `state` are as those of an `Environment`."""

    value: SecretValue
    version: str
    digest: str
    seal: Seal | None
    since: float | None = None
    state: FileState | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What an environment of key files is made of, by key, and the `realm.yaml` by which it was judged."""

    by_key: Mapping[KeyName, Part]
    rules: bytes
    records: bytes = b""


@dataclass(frozen=True, slots=True)
class Environment:
    """The values of one document, or of key files; `digest` is that of the bytes that decided them, `files`
    the states of the files that these were read from, if those show every change.

    `removed` are the keys whose removal is recorded; None where a realm records none, and a key that is not
    there counts as removed. `since` is when the files stopped being what this is (Unix seconds), None while
    they are. `versions` says which ciphertext each value came from, and all of them together.

    Of key files, `failed` are the keys that are there and could not be loaded: nothing is known of them.
    `stale` are those that stand at their last good state; then `since` is that of the oldest.
    """

    values: Values = field(repr=False)
    digest: str
    versions: Digests
    removed: frozenset[KeyName] | None = None
    since: float | None = field(default=None, compare=False)  # not in a worker
    seal: Seal | None = field(default=None, repr=False, compare=False)  # not in a worker
    files: tuple[FileState, ...] | None = field(default=None, repr=False, compare=False)
    failed: frozenset[KeyName] = frozenset()
    stale: frozenset[KeyName] = frozenset()
    parts: Parts | None = field(default=None, repr=False, compare=False)  # not in a worker

    def version(self, key: KeyName | None) -> str | None:
        """The version of a key, or of all keys (None); None for a key that is not there."""
        return self.versions.document if key is None else self.versions.keys.get(key)

    def seals(self) -> Mapping[KeyName | None, Seal]:
        """The seals of its documents, where they are known: of key files by key."""
        if self.parts is None:
            return {} if self.seal is None else {None: self.seal}
        return {key: part.seal for key, part in self.parts.by_key.items() if part.seal is not None}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens and accounts of one realm; `digest` is that of `tokens.yaml`, empty where there is none."""

    file: TokensFile = TokensFile()  # noqa: RUF009 - frozen
    digest: str = ""


@dataclass(frozen=True, slots=True)
class KnownCluster:
    """A cluster whose accounts may call; `digest` is that of its file."""

    cluster: Cluster
    digest: str


Clusters = Mapping[str, KnownCluster]


def placed(
    environments: Mapping[RealmName, Mapping[EnvironmentName, Environment]],
) -> Iterator[tuple[Place, Environment]]:
    """Each with its place."""
    for realm, loaded in environments.items():
        for name, environment in loaded.items():
            yield (realm, name), environment


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Environments by realm, the policy over their tokens and accounts, the clusters that sign for these, and
    the digest of all the files they came from. `failed` are the environments that are there, and could not be
    loaded: nothing is known of their keys.
    """

    environments: Mapping[RealmName, Mapping[EnvironmentName, Environment]]
    tokens: Mapping[RealmName, Tokens]
    clusters: Clusters
    policy: Policy = field(repr=False)
    revision: str
    failed: frozenset[Place] = frozenset()

    @classmethod
    def build(
        cls,
        environments: Mapping[RealmName, Mapping[EnvironmentName, Environment]],
        tokens: Mapping[RealmName, Tokens],
        clusters: Clusters = MappingProxyType({}),
        failed: Set[Place] = frozenset(),
    ) -> Snapshot:
        """Freeze what was loaded. Raises `ArcanError` where two realms hold the same token, or two clusters
        the same key.
        """
        accounts = Accounts(
            (known.cluster for known in clusters.values()),
            {realm: held.file.accounts for realm, held in tokens.items()},
        )
        policy = Policy.build({realm: held.file.tokens for realm, held in tokens.items()}, accounts)
        parts = [
            f"{realm}/{environment}={loaded.digest}"
            for realm, by_environment in sorted(environments.items())
            for environment, loaded in sorted(by_environment.items())
        ]
        parts += [f"{realm}={held.digest}" for realm, held in sorted(tokens.items())]
        parts += [f"{name}:{known.digest}" for name, known in sorted(clusters.items())]
        parts += [f"{realm}/{environment}!" for realm, environment in sorted(failed)]
        return cls(
            MappingProxyType(
                {realm: MappingProxyType(dict(loaded)) for realm, loaded in environments.items()}
            ),
            MappingProxyType(dict(tokens)),
            MappingProxyType(dict(clusters)),
            policy,
            digest("\n".join(parts).encode()),
            frozenset(failed),
        )

    def all(self) -> Iterator[tuple[Place, Environment]]:
        """The environments that are loaded, each with its place."""
        return placed(self.environments)

    def names(self) -> tuple[tuple[RealmName, EnvironmentName], ...]:
        """The environments that are loaded."""
        return tuple((realm, name) for realm, loaded in self.environments.items() for name in loaded)

    def environment(self, realm: RealmName, environment: EnvironmentName) -> Environment | None:
        """The values of an environment, or None where it is not loaded."""
        by_environment = self.environments.get(realm)
        return None if by_environment is None else by_environment.get(environment)


def load_environment(
    data: bytes,
    file: DocumentFile,
    settings: RealmSettings,
    identities: Identities,
    demands: Demands = NO_DEMANDS,
    open_document: Opener = load,
) -> tuple[Values, Digests, Seal]:
    """The values of one document by key, their versions, and its seal; of a key file, one value.

    Raises `ArcanError`s that name the path; `OtherPlace`, `NotBound` and `WrongKey` are among them.
    """
    try:
        document = open_document(
            data,
            identities=identities.at(file.place),
            limits=settings.limits,
        )
        file.require_its_key(document.keys)
        seal = seal_of(document, file, required=demands.binding or settings.binding)
        if not demands.forbidden_recipients.isdisjoint(document.metadata.recipients):
            raise ArcanError(
                "is encrypted to the demo identity too, which everybody has",
                hint="take it out of .sops.yaml, run 'arcan realm rotate', and change the secrets",
            )
        return values_of(document.tree, settings), document.digests, seal
    except ArcanError as error:
        raise explained(error, data, file) from None


def values_of(tree: Mapping[str, object], settings: RealmSettings) -> Values:
    """The values of a decrypted document by key: what is served of it.

    Raises `InvalidName` for a key that has no name, `EmptyLeaf`, and `NoText` for a value that has no text;
    of several problems the first one's class, with all of them in its message.
    """
    values: dict[KeyName, SecretValue] = {}
    problems: list[ArcanError] = []
    for key, value in tree.items():
        try:
            _refuse_empty(key, value, settings)
            values[KeyName.parse(key)] = _text(key, value)
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise together(problems, f"{len(problems)} keys cannot be served:")
    return MappingProxyType(values)


def _refuse_empty(key: str, value: object, settings: RealmSettings) -> None:
    """The MAC covers no empty map or list: anybody could have added such a key."""
    if value in ({}, []) and not settings.limits.may_be_empty(key):
        raise EmptyLeaf(
            f"key '{key}': is an empty map or list, which the MAC does not cover",
            hint="remove it, or allow it by 'allowEmpty' in the realm's realm.yaml",
        )


def _text(key: str, value: object) -> SecretValue:
    try:
        return SecretValue(text_of(value))
    except ArcanError as error:
        raise error.located(f"key '{key}'") from None
