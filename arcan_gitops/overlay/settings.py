"""`kustomize/arcan.yaml`: how stores reach the server, which other stores there are, and which overlays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Final

from arcan_gitops.eso_version import NEWEST, EsoVersion, supported_version
from arcan_gitops.names import (
    EnvironmentName,
    InvalidName,
    KeyName,
    KubeCluster,
    Namespace,
    ObjectName,
    OverlayName,
)
from arcan_gitops.overlay import credentials
from arcan_gitops.overlay.argocd.settings import IN_CLUSTER, ArgoCd, ClusterName
from arcan_gitops.overlay.ca import DEFAULT_CA, CaReader, CertificateAuthority, parse_ca
from arcan_gitops.overlay.credentials import Credentials, Kind
from arcan_gitops.overlay.references import SecretKey
from arcan_gitops.overlay.refresh import DEFAULT_REFRESH, Refresh, RefreshChange, Spread
from arcan_gitops.overlay.removal import REMOVED, Day, read_day
from arcan_gitops.overlay.server_url import ServerUrl
from arcan_gitops.overlay.stores.kinds import KINDS
from arcan_gitops.overlay.stores.store import DeclaredBackend
from arcan_gitops.yamlio import Fields, Problems, each, one_of, read_mapping

SETTINGS_FILE: Final = "arcan.yaml"


class Scope(StrEnum):
    """Where stores stand."""

    NAMESPACE = "namespace"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class DeclaredStore:
    """A store that is not Arcan's; without a scope of its own it has that of the overlay's stores."""

    name: ObjectName
    kind: str
    backend: DeclaredBackend
    scope: Scope | None
    where: str  # `file:line`, for errors


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """All that may differ from one overlay to the next."""

    server_url: ServerUrl
    ca: CertificateAuthority
    scope: Scope
    store_name: ObjectName  # the store that reads one key a request
    bulk_store_name: ObjectName  # the store that reads a whole environment
    full_names: bool  # names end in realm and token also where all apps use the same
    unified: bool  # the one named `store_name` does both
    eso_namespace: Namespace  # where a ClusterSecretStore's token Secret and CA are
    eso_version: EsoVersion  # what the cluster runs
    token_secret: SecretKey
    refresh: Refresh
    spread: Spread | None
    credentials: Credentials = field(default_factory=Credentials)
    others: Mapping[ObjectName, DeclaredStore] = field(default_factory=dict)
    elsewhere: bool = False  # for an app that is generated alone, in a repository of its own


DEFAULTS: Final = StoreSettings(
    server_url=ServerUrl("https://arcan.internal:9797"),
    ca=DEFAULT_CA,
    scope=Scope.NAMESPACE,
    store_name=ObjectName("arcan"),
    bulk_store_name=ObjectName("arcan-bulk"),
    full_names=False,
    unified=False,
    eso_namespace=Namespace("external-secrets"),
    eso_version=NEWEST,
    token_secret=SecretKey(ObjectName("arcan-credentials"), KeyName("token")),
    refresh=DEFAULT_REFRESH,
    spread=None,
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """One place that Argo CD deploys to: an environment on a cluster."""

    name: OverlayName
    environment: EnvironmentName
    settings: StoreSettings
    where: str  # `file:line`, for errors
    cluster: ClusterName = IN_CLUSTER
    removed: Day | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file: the settings that hold everywhere, and the overlays that it declares, if any.

    `removed` are those that it keeps for the day on which they went: nothing goes there any more.
    """

    defaults: StoreSettings = DEFAULTS
    declared: tuple[Overlay, ...] = ()
    source: str = SETTINGS_FILE
    argocd: ArgoCd | None = None
    removed: tuple[Overlay, ...] = ()

    @property
    def lists_overlays(self) -> bool:
        """Whether the file says which overlays there are, or have been; else each environment is one."""
        return bool(self.declared or self.removed)

    def overlays(self, environments: Sequence[EnvironmentName]) -> tuple[Overlay, ...]:
        """The declared overlays, sorted; where none is declared, one for each of the environments."""
        if self.lists_overlays:
            return self.declared
        return tuple(
            Overlay(OverlayName(environment), environment, self.defaults, self.source)
            for environment in sorted(environments)
        )

    def for_an_app_elsewhere(self) -> Settings:
        """The same for an app that is generated alone, where nobody knows of the others.

        Its stores are its namespace's own, under names that no other app has for another realm or token.
        """

        def alone(settings: StoreSettings) -> StoreSettings:
            return replace(settings, scope=Scope.NAMESPACE, full_names=True, elsewhere=True)

        def each(overlays: Sequence[Overlay]) -> tuple[Overlay, ...]:
            return tuple(replace(overlay, settings=alone(overlay.settings)) for overlay in overlays)

        return replace(
            self,
            defaults=alone(self.defaults),
            declared=each(self.declared),
            removed=each(self.removed),
        )

    @classmethod
    def parse(cls, data: bytes, source: str, read_ca: CaReader, unsaid: StoreSettings = DEFAULTS) -> Settings:
        """`unsaid` is what holds where the file says nothing.

        Raises `InvalidFile`, with the line, for anything that is not a setting.
        """
        fields = read_mapping(data, source, aliases=True)
        fields.renamed("eso-version", "esoVersion")
        problems = Problems()
        fields.only(*_FIELDS, "argocd", "overlays")
        defaults = problems.of(lambda: _store_settings(fields, unsaid, read_ca), unsaid)
        found: tuple[Overlay, ...] = ()
        if not problems.found:  # what an overlay changes is known
            found = problems.of(lambda: _overlays(fields, defaults, read_ca), ())
        argocd = problems.of(lambda: _argocd(fields))
        if not problems.found and not found:
            problems.of(lambda: _require_cluster(defaults, fields, "credentials", "apps"))
        problems.refuse()
        declared = tuple(overlay for overlay in found if overlay.removed is None)
        removed = tuple(overlay for overlay in found if overlay.removed is not None)
        return cls(defaults, declared, source, argocd, removed)


_FIELDS: Final = (
    "server", "stores", "tokenSecret", "refreshPolicy", "refreshInterval", "refreshSpread", "esoVersion",
    *credentials.FIELDS,
)  # fmt: skip
_STORES: Final = ("scope", "name", "bulkName", "fullNames", "unified", "esoNamespace", *KINDS)


def _argocd(fields: Fields) -> ArgoCd | None:
    argocd = fields.optional_mapping("argocd")
    return None if argocd is None else ArgoCd.parse(argocd)


def _overlays(fields: Fields, defaults: StoreSettings, read_ca: CaReader) -> tuple[Overlay, ...]:
    overlays = fields.optional_mapping("overlays")
    if overlays is None:
        return ()
    return each(lambda name: _overlay(overlays, name, defaults, read_ca), sorted(overlays.names()))


def _overlay(overlays: Fields, text: str, defaults: StoreSettings, read_ca: CaReader) -> Overlay:
    name = overlays.parse(text, OverlayName, text)
    fields = overlays.optional_mapping(text)
    assert fields is not None  # the name comes from the mapping itself
    fields.renamed("eso-version", "esoVersion")
    fields.only("environment", "cluster", REMOVED, *_FIELDS)
    environment = fields.parse("environment", EnvironmentName, fields.text("environment"))
    settings = _store_settings(fields, defaults, read_ca)
    cluster = fields.parse("cluster", ClusterName, fields.text("cluster", IN_CLUSTER))
    # by its own field, else as Argo CD calls it, else as the top of the file says
    if "clusterKeys" not in fields and KubeCluster.grammar.fullmatch(cluster):
        known = replace(settings.credentials, cluster=KubeCluster(cluster))
        settings = replace(settings, credentials=known)
    where = f"{overlays.source}:{overlays.line_of(text)}"
    removed = read_day(fields) if REMOVED in fields else None
    if removed is None:
        _require_cluster(settings, overlays, text, f"overlay '{name}'")
    return Overlay(name, environment, settings, where, cluster, removed)


def _require_cluster(settings: StoreSettings, fields: Fields, field: str, who: str) -> None:
    if settings.credentials.kind is Kind.ACCOUNT and settings.credentials.cluster is None:
        fields.fail(
            f"{who} read by accounts, and nothing says which cluster signs for them",
            field=field,
            hint="write 'clusterKeys: NAME', as in clusters/NAME.yaml, which 'arcan cluster add NAME' writes",
        )


def _store_settings(fields: Fields, base: StoreSettings, read_ca: CaReader) -> StoreSettings:
    """`base`, with what the mapping sets: the top of the file over the defaults, an overlay over the top."""
    problems = Problems()
    settings = base
    for section in (_server, _stores, _token_secret, _refresh, _eso_version, _credentials):
        settings = problems.of(partial(section, fields, settings, read_ca), settings)
    problems.refuse()
    return settings


def _server(fields: Fields, settings: StoreSettings, read_ca: CaReader) -> StoreSettings:
    if (server := fields.optional_mapping("server")) is None:
        return settings
    server.only("url", "ca", "deploy")  # the last is for arcan_gitops.deploy to read
    return replace(
        settings,
        server_url=server.parse("url", ServerUrl, server.text("url", settings.server_url)),
        ca=parse_ca(server, settings.ca, read_ca),
    )


def _token_secret(fields: Fields, settings: StoreSettings, _: CaReader) -> StoreSettings:
    if (secret := fields.optional_mapping("tokenSecret")) is None:
        return settings
    secret.only("name", "key")
    token_secret = SecretKey(
        _object_name(secret, "name", settings.token_secret.name),
        secret.parse("key", KeyName, secret.text("key", settings.token_secret.key)),
    )
    if token_secret.name == credentials.ACCOUNT:
        hint = "name it otherwise: the type of a Secret cannot be changed"
        secret.fail(f"Secret '{token_secret.name}' is that of the account", field="name", hint=hint)
    return replace(settings, token_secret=token_secret)


def _credentials(fields: Fields, settings: StoreSettings, _: CaReader) -> StoreSettings:
    return replace(settings, credentials=Credentials.parse(fields, settings.credentials))


def _refresh(fields: Fields, settings: StoreSettings, _: CaReader) -> StoreSettings:
    if (spread := fields.optional_text("refreshSpread")) is not None:
        settings = replace(settings, spread=fields.parse("refreshSpread", Spread, spread))
    return replace(settings, refresh=settings.refresh.changed(RefreshChange.parse(fields)))


def _eso_version(fields: Fields, settings: StoreSettings, _: CaReader) -> StoreSettings:
    if (version := fields.optional_text("esoVersion")) is None:
        return settings
    try:
        return replace(settings, eso_version=supported_version(version))
    except InvalidName as error:
        fields.fail(error.message, field="esoVersion", hint=error.hint)


def _stores(top: Fields, base: StoreSettings, read_ca: CaReader) -> StoreSettings:
    if (fields := top.optional_mapping("stores")) is None:
        return base
    problems = Problems()
    fields.only(*_STORES)
    settings = problems.of(lambda: _arcan_stores(fields, base), base)
    others = dict(base.others)
    for kind in KINDS:

        def add(name: str, kind: str = kind) -> None:
            declared = fields.optional_mapping(kind)
            assert declared is not None  # the name comes from the mapping itself
            store = _declared(declared, kind, name, base.others, read_ca)
            if store.name in (settings.store_name, settings.bulk_store_name):
                hint = "name it otherwise, or the Arcan stores: 'stores.name', 'stores.bulkName'"
                declared.fail(f"the name '{name}' is that of an Arcan store", field=name, hint=hint)
            if (other := others.get(store.name)) is not None and other.kind != kind:
                problem = f"'{name}' is already the {other.kind} store of {other.where}"
                declared.fail(problem, field=name, hint="name one of them otherwise")
            others[store.name] = store

        problems.of(partial(_each_name, fields, kind, add))
    problems.refuse()
    return replace(settings, others=others)


def _each_name(fields: Fields, field: str, add: Callable[[str], None]) -> None:
    if (named := fields.optional_mapping(field)) is not None:
        each(add, named.names())


def _arcan_stores(fields: Fields, base: StoreSettings) -> StoreSettings:
    scope = _scope(fields, base.scope)
    assert scope is not None  # the base has one
    settings = replace(
        base,
        scope=scope,
        store_name=_object_name(fields, "name", base.store_name),
        bulk_store_name=_object_name(fields, "bulkName", base.bulk_store_name),
        full_names=fields.flag("fullNames", base.full_names),
        unified=fields.flag("unified", base.unified),
        eso_namespace=fields.parse(
            "esoNamespace", Namespace, fields.text("esoNamespace", base.eso_namespace)
        ),
    )
    if settings.store_name == settings.bulk_store_name:
        problem = f"'name' and 'bulkName' are both '{settings.store_name}'"
        fields.fail(problem, field="bulkName", hint="name one of them otherwise")
    return settings


def _declared(
    stores: Fields, kind: str, text: str, base: Mapping[ObjectName, DeclaredStore], read_ca: CaReader
) -> DeclaredStore:
    name = stores.parse(text, ObjectName, text)
    fields = stores.optional_mapping(text)
    assert fields is not None  # the name comes from the mapping itself
    inherited = base.get(name)
    if inherited is not None and inherited.kind != kind:
        inherited = None
    backend = KINDS[kind].parse(fields, inherited.backend if inherited else None, read_ca)
    scope = _scope(fields, inherited.scope if inherited else None)
    return DeclaredStore(name, kind, backend, scope, f"{stores.source}:{stores.line_of(text)}")


def _scope(fields: Fields, default: Scope | None) -> Scope | None:
    text = fields.optional_text("scope")
    if text is None:
        return default
    return Scope(one_of(fields, "scope", text, tuple(scope.value for scope in Scope)))


def _object_name(fields: Fields, field: str, default: ObjectName) -> ObjectName:
    name: ObjectName = fields.parse(field, ObjectName, fields.text(field, default))
    return name
