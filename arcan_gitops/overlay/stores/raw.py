"""A store of a provider that has no form of its own here: `provider` is written as ESO has it.

Source: ESO apis/externalsecrets/v1/secretstore_types.go; its schema judges what is generated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from arcan_gitops.eso_version import EsoVersion, Feature
from arcan_gitops.names import EnvironmentName, InvalidName, Namespace
from arcan_gitops.overlay.ca import CaReader
from arcan_gitops.overlay.needs import Need
from arcan_gitops.overlay.references import mapping
from arcan_gitops.overlay.stores.store import Backend
from arcan_gitops.yamlio import Fields

# beside the provider; `conditions` take the place of those that are made from the namespaces of the apps
MORE_FIELDS: Final = ("conditions", "controller", "refreshInterval", "retrySettings")


@dataclass(frozen=True, slots=True)
class Raw:
    """`spec.provider`, with just one provider in it, and what else the spec has."""

    provider: Mapping[str, Any]
    more: Mapping[str, Any]

    @classmethod
    def parse(cls, fields: Fields, base: Self | None, read_ca: CaReader) -> Self:
        """As `DeclaredBackend.parse`; an overlay replaces each field as a whole."""
        fields.only("scope", "provider", *MORE_FIELDS)
        values = fields.plain()
        more = {field: values[field] for field in MORE_FIELDS if field in fields}
        if base is not None:
            more = {**base.more, **more}
            if "provider" not in fields:
                return cls(base.provider, more)
        provider = mapping(fields, "provider", "{onepassword: {...}}, as ESO has it")
        if len(provider.names()) != 1:
            hint = "write one: gcpsm, azurekv, kubernetes, onepassword, ..."
            fields.fail("'provider' must hold just one provider", field="provider", hint=hint)
        return cls(provider.plain(), more)

    def at(self, environment: EnvironmentName, version: EsoVersion) -> Backend:
        """As `DeclaredBackend.at`: the same everywhere."""
        return self

    def spec(self, home: Namespace | None) -> Mapping[str, Any]:
        """As `Backend.spec`; the references of a ClusterSecretStore name their namespaces themselves."""
        return self.provider

    def check_key(self, key: str) -> None:
        """Anything that is printable. Raises `InvalidName`."""
        if not key or not key.isprintable():
            raise InvalidName(f"{key[:80]!r} is not a key", hint="write printable characters")

    def ignored(self) -> frozenset[str]:
        """As `DeclaredBackend.ignored`: nobody knows here."""
        return frozenset()

    def features(self) -> Iterator[Feature]:
        """As `DeclaredBackend.features`: the schema says it."""
        yield from ()

    def needs(self) -> Iterator[Need]:
        """As `DeclaredBackend.needs`: nobody knows here."""
        yield from ()

    def warnings(self) -> Iterator[str]:
        """As `DeclaredBackend.warnings`."""
        yield from ()
