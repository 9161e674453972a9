"""ExternalSecrets into the files of apps: one app a namespace, read back by the parser that will read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from arcan_gitops.adopt.imported import Imported
from arcan_gitops.adopt.secrets import Entry
from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AppName, Namespace, ObjectName, OverlayName, RealmName, TokenName
from arcan_gitops.overlay import App
from arcan_gitops.yamlio import emit

Declare = Callable[[Mapping[str, Any], str, Imported], Entry]

_TOOLS: Final = (
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "external-secrets.io/force-sync",
    "force-sync",
    "helm.sh/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "reconcile.external-secrets.io/",
)
_BY_HAND: Final = {
    "ClusterExternalSecret": "declare it by hand: an app has 'namespaces' for it",
    "PushSecret": "is not declared: nothing is pushed from Git",
}
_GROUP: Final = "external-secrets.io/"
_HEADER: Final = "# Declared by 'arcan import' from the ExternalSecrets of namespace {}.\n"


@dataclass(frozen=True, slots=True)
class AdoptedApp:
    """The file of one app, as it would be; nothing is written yet."""

    name: AppName
    body: str  # all but `overlays`, which is the last field
    overlays: tuple[OverlayName, ...] | None  # None: every one
    secrets: tuple[str, ...]

    @property
    def text(self) -> str:
        """The file."""
        if self.overlays is None:
            return self.body
        return self.body + emit([{"overlays": list(map(str, self.overlays))}]).removeprefix("---\n")

    def write(self, folder: Path) -> Declaration:
        """Into `<folder>/<name>.yaml`, unless an app is declared there already. Raises `CannotWrite`."""
        path = folder / f"{self.name}.yaml"
        if path.exists():
            return self._beside(path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{folder}: cannot be made: {error.strerror}") from None
        replace_file(path, self.text.encode("utf-8"))
        return Declaration("declared", str(path), self._said())

    def planned(self, folder: Path) -> Declaration:
        """What `write` would say, with nothing written."""
        path = folder / f"{self.name}.yaml"
        return self._beside(path) if path.exists() else Declaration("declared", str(path), self._said())

    def _beside(self, path: Path) -> Declaration:
        """An import of another environment finds the app of the first one, which goes to other overlays."""
        try:
            there = path.read_bytes()
            body = self.body.encode("utf-8")
            known = App.parse(there, str(path)).overlays if there.startswith(body) else ()
        except (OSError, ArcanError):
            known = ()
        if known is None or (self.overlays and set(self.overlays) <= set(known)):
            return Declaration("unchanged", str(path), self._said())
        if known and self.overlays:
            missing = ", ".join(name for name in self.overlays if name not in known)
            return Declaration("failed", str(path), f"is there already: add to its 'overlays': {missing}")
        return Declaration("failed", str(path), f"is there already, and not with: {self._said()}")

    def _said(self) -> str:
        return f"Secrets {', '.join(self.secrets)}"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One line of the report: what became of an app, or of an ExternalSecret that is in none."""

    status: str  # declared, unchanged, skipped, failed
    what: str
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether somebody has to decide."""
        return self.status == "failed"

    def to_plain(self) -> dict[str, str]:
        """For JSON."""
        return {"status": self.status, "what": self.what, "reason": self.reason}

    def __str__(self) -> str:
        return f"{self.status:<9} {self.what}" + (f" ({self.reason})" if self.reason else "")


def declare_apps(
    manifests: Iterable[Mapping[str, Any]],
    declare: Declare,
    imported: Imported,
    *,
    realm: RealmName,
    token: TokenName | None = None,
    overlays: tuple[OverlayName, ...] | None = None,
) -> tuple[list[AdoptedApp], list[Declaration]]:
    """The apps of all ExternalSecrets among the manifests, and of each that is in none, why.

    An app is named like its namespace, and so is its token unless `token` is given. `overlays` are those
    that it goes to; None is all, now and later.
    """
    entries: dict[Namespace, list[Entry]] = {}
    left: list[Declaration] = []
    for manifest in manifests:
        kind = manifest.get("kind")
        if not str(manifest.get("apiVersion")).startswith(_GROUP):
            continue
        if kind in _BY_HAND:
            left.append(Declaration("failed", _named(manifest), _BY_HAND[str(kind)]))
        if kind != "ExternalSecret":
            continue
        try:
            namespace, entry = _entry(manifest, declare, imported)
            _parsed(namespace, [entry], realm, token)
        except ArcanError as error:
            left.append(Declaration("failed", _named(manifest), error.message))
            continue
        entries.setdefault(namespace, []).append(entry)
    apps: list[AdoptedApp] = []
    for namespace, found in sorted(entries.items()):
        found.sort(key=lambda entry: str(entry["name"]))
        try:
            body = _parsed(namespace, found, realm, token)
        except ArcanError as error:
            left.append(Declaration("failed", f"app {namespace}", error.message))
            continue
        secrets = tuple(str(entry["name"]) for entry in found)
        apps.append(AdoptedApp(AppName(namespace), body, overlays, secrets))
    return apps, left


def _entry(manifest: Mapping[str, Any], declare: Declare, imported: Imported) -> tuple[Namespace, Entry]:
    metadata, spec = manifest.get("metadata"), manifest.get("spec")
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        raise ArcanError("has no metadata or no spec")
    if "namespace" not in metadata:
        raise ArcanError("names no namespace")
    target = spec.get("target")
    name = target.get("name") if isinstance(target, dict) else None
    secret = ObjectName.parse(str(name or metadata.get("name")))
    entry = declare(spec, str(secret), imported)
    if str(secret) != metadata.get("name"):  # another ExternalSecret could not take the Secret over
        entry["externalSecret"] = metadata.get("name")
    for field in ("labels", "annotations"):  # which ESO passes on to the Secret
        if own := _own(metadata.get(field)):
            entry[field] = own
    return Namespace.parse(str(metadata["namespace"])), entry


def _own(texts: object) -> dict[str, str]:
    """Labels or annotations without those that the tools write that brought the object there."""
    if not isinstance(texts, dict):
        return {}
    return {str(name): str(text) for name, text in texts.items() if not str(name).startswith(_TOOLS)}


def _parsed(namespace: Namespace, entries: list[Entry], realm: RealmName, token: TokenName | None) -> str:
    """The text of the file, which the generator's own parser accepts. Raises `ArcanError`."""
    app = {
        "name": str(namespace),
        "realm": str(realm),
        "token": str(token or namespace),
        "namespace": str(namespace),
        "secrets": entries,
    }
    text = _HEADER.format(namespace) + emit([app]).removeprefix("---\n")
    App.parse(text.encode("utf-8"), f"{namespace}.yaml")
    return text


def _named(manifest: Mapping[str, Any]) -> str:
    metadata = manifest.get("metadata")
    fields = metadata if isinstance(metadata, dict) else {}
    place = f"{fields['namespace']}/" if "namespace" in fields else ""
    return f"{manifest.get('kind')} {place}{fields.get('name')}"
