"""`kustomize/arcan.yaml`: how stores reach the server, and which overlays there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName, OverlayName
from arcan_gitops.overlay.ca import DEFAULT_CA, CertificateAuthority, ConfigMapCa, EmbeddedCa, PublicCa
from arcan_gitops.overlay.duration import Duration
from arcan_gitops.overlay.server_url import ServerUrl
from arcan_gitops.yamlio import Fields, one_of, read_mapping

SETTINGS_FILE: Final = "arcan.yaml"

# Reads the CA of `ca: {file: ...}`; the path is the text of the file's field.
CaReader = Callable[[str], EmbeddedCa]


class Scope(StrEnum):
    """Where stores stand."""

    NAMESPACE = "namespace"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class TokenSecret:
    """The Kubernetes Secret that holds a token, made by hand and never generated."""

    name: ObjectName
    key: KeyName


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """All that may differ from one overlay to the next."""

    server_url: ServerUrl
    ca: CertificateAuthority
    scope: Scope
    store_name: ObjectName  # the store that reads one key a request
    bulk_store_name: ObjectName  # the store that reads a whole environment
    eso_namespace: Namespace  # where a ClusterSecretStore's token Secret and CA are
    token_secret: TokenSecret
    refresh_interval: Duration


DEFAULTS: Final = StoreSettings(
    server_url=ServerUrl("https://arcan.internal:9797"),
    ca=DEFAULT_CA,
    scope=Scope.NAMESPACE,
    store_name=ObjectName("arcan"),
    bulk_store_name=ObjectName("arcan-bulk"),
    eso_namespace=Namespace("external-secrets"),
    token_secret=TokenSecret(ObjectName("arcan-credentials"), KeyName("token")),
    refresh_interval=Duration("1h0m0s"),
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """One place that Argo CD deploys to: an environment on a cluster."""

    name: OverlayName
    environment: EnvironmentName
    settings: StoreSettings
    where: str  # `file:line`, for errors


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file: the settings that hold everywhere, and the overlays that it declares, if any."""

    defaults: StoreSettings = DEFAULTS
    declared: tuple[Overlay, ...] = ()
    source: str = SETTINGS_FILE

    def overlays(self, environments: Sequence[EnvironmentName]) -> tuple[Overlay, ...]:
        """The declared overlays, sorted; where none is declared, one for each of the environments."""
        if self.declared:
            return self.declared
        return tuple(
            Overlay(OverlayName(environment), environment, self.defaults, self.source)
            for environment in sorted(environments)
        )

    @classmethod
    def parse(cls, data: bytes, source: str, read_ca: CaReader) -> Settings:
        """Raises `InvalidFile`, with the line, for anything that is not a setting."""
        fields = read_mapping(data, source)
        defaults = _store_settings(fields, DEFAULTS, read_ca)
        declared: tuple[Overlay, ...] = ()
        if (overlays := fields.optional_mapping("overlays")) is not None:
            names = sorted(overlays.names())
            declared = tuple(_overlay(overlays, name, defaults, read_ca) for name in names)
        fields.done()
        return cls(defaults, declared, source)


def _overlay(overlays: Fields, text: str, defaults: StoreSettings, read_ca: CaReader) -> Overlay:
    name = overlays.parse(text, OverlayName, text)
    fields = overlays.optional_mapping(text)
    assert fields is not None  # the name comes from the mapping itself
    fields.only("environment", "server", "stores", "tokenSecret", "refreshInterval")
    environment = fields.parse("environment", EnvironmentName, fields.text("environment"))
    settings = _store_settings(fields, defaults, read_ca)
    return Overlay(name, environment, settings, f"{overlays.source}:{overlays.line_of(text)}")


def _store_settings(fields: Fields, base: StoreSettings, read_ca: CaReader) -> StoreSettings:
    """`base`, with what the mapping sets: the top of the file over the defaults, an overlay over the top."""
    settings = base
    if (server := fields.optional_mapping("server")) is not None:
        settings = replace(
            settings,
            server_url=server.parse("url", ServerUrl, server.text("url", settings.server_url)),
            ca=_ca(server, settings.ca, read_ca),
        )
        server.done()
    if (stores := fields.optional_mapping("stores")) is not None:
        scopes = tuple(scope.value for scope in Scope)
        scope = Scope(one_of(stores, "scope", stores.text("scope", settings.scope), scopes))
        settings = replace(
            settings,
            scope=scope,
            store_name=_object_name(stores, "name", settings.store_name),
            bulk_store_name=_object_name(stores, "bulkName", settings.bulk_store_name),
            eso_namespace=stores.parse(
                "esoNamespace", Namespace, stores.text("esoNamespace", settings.eso_namespace)
            ),
        )
        if settings.store_name == settings.bulk_store_name:
            stores.fail(f"'name' and 'bulkName' are both '{settings.store_name}'", field="bulkName")
        stores.done()
    if (secret := fields.optional_mapping("tokenSecret")) is not None:
        token_secret = TokenSecret(
            _object_name(secret, "name", settings.token_secret.name),
            secret.parse("key", KeyName, secret.text("key", settings.token_secret.key)),
        )
        settings = replace(settings, token_secret=token_secret)
        secret.done()
    interval = fields.text("refreshInterval", settings.refresh_interval)
    return replace(settings, refresh_interval=fields.parse("refreshInterval", Duration, interval))


def _object_name(fields: Fields, field: str, default: ObjectName) -> ObjectName:
    name: ObjectName = fields.parse(field, ObjectName, fields.text(field, default))
    return name


def _ca(server: Fields, base: CertificateAuthority, read_ca: CaReader) -> CertificateAuthority:
    """One of three ways, as a whole: an overlay that says `ca` inherits nothing of it."""
    fields = server.optional_mapping("ca")
    if fields is None:
        return base
    fields.only("configMap", "key", "file", "public")
    if sum(way in fields for way in ("configMap", "file", "public")) > 1:
        fields.fail("'configMap', 'file' and 'public' exclude each other: choose one")
    ca: CertificateAuthority
    if "file" in fields:
        try:
            ca = read_ca(fields.text("file"))
        except ArcanError as error:
            fields.fail(error.message, field="file", hint=error.hint)
    elif "public" in fields:
        if not fields.flag("public"):
            fields.fail("'public' can only be true", field="public", hint="leave it out, or name the CA")
        ca = PublicCa()
    else:
        key = fields.parse("key", KeyName, fields.text("key", DEFAULT_CA.key))
        ca = ConfigMapCa(_object_name(fields, "configMap", DEFAULT_CA.name), key)
    fields.done()
    return ca
