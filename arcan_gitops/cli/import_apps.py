"""`--external-secrets` of `arcan import`: who reads the secrets now, declared as apps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from arcan_gitops.adopt import (
    Declaration,
    Imported,
    ImportedKey,
    declare_apps,
    declared_by_references,
    declared_by_result,
)
from arcan_gitops.cli.options import kustomize_option
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.errors import ArcanError
from arcan_gitops.migrate import Outcome, Source, Status
from arcan_gitops.migrate.sources.kubernetes import KubernetesSource
from arcan_gitops.names import EnvironmentName, Namespace, OverlayName, RealmName, TokenName
from arcan_gitops.overlay import read_settings
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.tree import read_file
from arcan_gitops.yamlio import read_objects

Manifests = Sequence[Mapping[str, Any]]

_SUFFIXES: Final = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Declaring:
    """Where ExternalSecrets are read, and where apps are written; `namespace`: by the Secrets in there."""

    files: tuple[Path, ...]
    token: TokenName | None
    folder: Path
    namespace: Namespace | None = None
    adopt: bool = False

    def manifests(self, source: Source) -> Manifests | None:
        """The ExternalSecrets, with others beside them; None where nobody asked. Raises `ArcanError`."""
        if not self.files and not self.adopt:
            return None
        found = [document for file in self.files for document in _documents(file)]
        if self.adopt and isinstance(source, KubernetesSource):
            found += source.external_secrets()
        return found

    def overlays(self, tree: RealmTree, environment: EnvironmentName) -> tuple[OverlayName, ...] | None:
        """Those of the environment, or None where every overlay is: an app goes to all unless it says where.

        Raises `ArcanError` where arcan.yaml declares overlays, and none of that environment.
        """
        settings = read_settings(self.folder)
        if not settings.lists_overlays:
            documents = tree.scan_all()[0] if tree.root.is_dir() else ()  # there may be no realm yet
            others = any(document.environment != environment for document in documents)
            return (OverlayName(environment),) if others else None
        names = tuple(one.name for one in settings.declared if one.environment == environment)
        if not names:
            raise ArcanError(
                f"{settings.source}: no overlay has the environment '{environment}', so no app can go there",
                hint=f"declare one first: arcan overlay add {environment} --env {environment}",
            )
        return None if len(names) == len(settings.declared) else names

    def declare(
        self,
        manifests: Manifests,
        source: Source,
        outcomes: Sequence[Outcome],
        realm: RealmName,
        overlays: tuple[OverlayName, ...] | None,
        *,
        dry_run: bool,
    ) -> list[Declaration]:
        """Write the apps. Raises `CannotWrite`."""

        def place(key: str, property: str | None) -> tuple[str, str | None]:
            origin = source.origin_of(key, property)
            return origin.path, origin.field

        held = [
            ImportedKey(one.origin.path, one.origin.field, one.key, one.base64)
            for one in outcomes
            if one.key is not None and one.status in (Status.IMPORTED, Status.UNCHANGED)
        ]
        by_result = self.namespace is not None
        apps, left = declare_apps(
            [one for one in manifests if not by_result or _namespace_of(one) == self.namespace],
            declared_by_result if by_result else declared_by_references,
            Imported(held, place),
            realm=realm,
            token=self.token,
            overlays=overlays,
        )
        folder = self.folder / "apps"
        return [app.planned(folder) if dry_run else app.write(folder) for app in apps] + left


def declaring_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--external-secrets`, `--token` and `--kustomize-dir`: `declaring`."""

    @wraps(command)
    def with_declaring(
        external_secrets: tuple[Path, ...], token: TokenName | None, kustomize_dir: Path, **others: Any
    ) -> None:
        command(declaring=Declaring(external_secrets, token, kustomize_dir), **others)

    decorated: Callable[..., None] = kustomize_option(with_declaring)
    decorated = click.option(
        "--token", type=Parsed("token", TokenName.parse),
        help="Name of the apps' token in the realm.  [default: that of the app]",
    )(decorated)  # fmt: skip
    return click.option(
        "--external-secrets", type=click.Path(path_type=Path), multiple=True, metavar="PATH",
        help="Declare an app for each namespace of the ExternalSecrets in this file or folder; repeatable.",
    )(decorated)  # fmt: skip


def _documents(path: Path) -> Iterator[Mapping[str, Any]]:
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
        if not files:
            raise ArcanError(
                f"{path}: there is no manifest", hint="name the file, or the folder that holds it"
            )
    for file in files:
        for document in read_objects(read_file(file), str(file)):
            if isinstance(document, dict):
                listed = document.get("items") if document.get("kind") == "List" else None
                yield from (
                    item
                    for item in (listed if isinstance(listed, list) else [document])
                    if isinstance(item, dict)
                )


def _namespace_of(manifest: Mapping[str, Any]) -> str | None:
    metadata = manifest.get("metadata")
    return str(metadata.get("namespace")) if isinstance(metadata, dict) else None
