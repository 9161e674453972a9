"""Raw entries, judged once they are generated: by the schemas of the overlay's ESO, and by the lint rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.findings import Severity
from arcan_gitops.lint.reading import Source
from arcan_gitops.overlay import App, Tree
from arcan_gitops.overlay.plan import unused_store
from arcan_gitops.overlay.settings import DeclaredStore, Overlay
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.results import Status
from arcan_gitops.validate.schemaset import SchemaSet, eso_version_for
from arcan_gitops.yamlio import emit, read_documents

_RAW = "raw"
_STORES = ("SecretStore", "ClusterSecretStore")


def judge_raw(tree: Tree, apps: Sequence[App], overlays: Sequence[Overlay]) -> tuple[str, ...]:
    """The warnings of lint about overlays that have raw entries; the others are not looked at.

    Raises `SeveralErrors` for what a schema, or a rule that is an error, refuses there. What is wrong with a
    raw entry is told once, at the line where it was written by hand, with the overlays that it is wrong in.
    """
    problems, warnings = _Said(), _Said()
    for overlay in overlays:
        stores = [store for store in overlay.settings.others.values() if store.kind == _RAW]
        used = [app for app in apps if app.goes_to(overlay.name)]
        read = [app.reads for app in used]
        idle = [store for store in stores if store.name not in read]
        _judge_idle(idle, overlay, problems)
        if len(idle) < len(stores) or any(app.raw for app in used):
            _judge(_files_of(tree, overlay), overlay, used, problems, warnings)
    if errors := problems.errors():
        raise SeveralErrors("the overlays cannot be generated:", errors)
    return tuple(error.message for error in warnings.errors())


@dataclass(frozen=True, slots=True)
class _Said:
    """What is to be said, and in which overlays; of what is ours, the generated file."""

    found: dict[tuple[str, str, str | None], list[str]] = field(default_factory=dict)

    def add(self, where: str, text: str, hint: str | None, overlay: str | None) -> None:
        overlays = self.found.setdefault((where, text, hint), [])
        if overlay is not None and overlay not in overlays:
            overlays.append(overlay)

    def errors(self) -> list[ArcanError]:
        return [
            ArcanError(f"{where}: {text}{_in(overlays)}", hint=hint)
            for (where, text, hint), overlays in self.found.items()
        ]


def _in(overlays: Sequence[str]) -> str:
    return f" (in overlay{'s' if len(overlays) > 1 else ''} {', '.join(overlays)})" if overlays else ""


def _files_of(tree: Tree, overlay: Overlay) -> dict[str, bytes]:
    return {
        path: text.encode()
        for path, text in tree.items()
        if path.startswith(f"{overlay.name}/") and not path.endswith("/kustomization.yaml")
    }


def _judge_idle(stores: Sequence[DeclaredStore], overlay: Overlay, problems: _Said) -> None:
    """Stores that no app of the overlay reads are not generated, and are judged as they would be."""
    for store in stores:
        text = emit([unused_store(store, overlay).manifest()])
        for where, _, _, refused in _invalid({store.where: text.encode()}, overlay):
            problems.add(where, refused, None, overlay.name)


def _judge(
    files: Mapping[str, bytes], overlay: Overlay, apps: Sequence[App], problems: _Said, warnings: _Said
) -> None:
    if not files:
        return
    written = _Written(files, overlay, apps)
    for path, kind, name, text in _invalid(files, overlay):
        by_hand = written.by_hand(path, kind, name)
        problems.add(by_hand or path, text, None, overlay.name if by_hand else None)
    report = lint([Source(path, data) for path, data in files.items()], overlay.settings.eso_version)
    for finding in report.findings:
        by_hand = None
        if (place := finding.place) is not None:
            by_hand = written.at(place.path, place.line)
        where = by_hand or (place.path if place is not None else str(overlay.name))
        said = problems if finding.severity is Severity.ERROR else warnings
        hint = finding.hint if finding.severity is Severity.ERROR else None
        text = f"{finding.rule}: {finding.message}"
        said.add(where, text, hint, overlay.name if by_hand else None)


@dataclass(frozen=True, slots=True)
class _Written:
    """Where the raw objects of generated files were written by hand."""

    files: Mapping[str, bytes]
    overlay: Overlay
    apps: Sequence[App]

    def by_hand(self, path: str, kind: str, name: str) -> str | None:
        """`file:line` of the raw entry that an object comes from; None for an object that is all ours."""
        if kind in _STORES:
            store = self.overlay.settings.others.get(name)  # type: ignore[call-overload]
            return store.where if store is not None and store.kind == _RAW else None
        entries = (raw for app in self.apps if path.endswith(f"/apps/{app.name}.yaml") for raw in app.raw)
        return next((raw.where for raw in entries if raw.name == name), None)

    def at(self, path: str, line: int) -> str | None:
        """The same for a line of a generated file."""
        before = self.files[path].split(b"\n")[:line]
        documents = list(read_documents(self.files[path], path))
        document = documents[before.count(b"---") - 1]
        return self.by_hand(path, str(document["kind"]), str(document["metadata"]["name"]))


def _invalid(files: Mapping[str, bytes], overlay: Overlay) -> Iterator[tuple[str, str, str, str]]:
    """(path, kind, name, `KIND NAME: what the schema refuses`)"""
    schemas = SchemaSet(eso_version_for(overlay.settings.eso_version, None))
    for path, data in files.items():
        for result in judge(read_manifests(data, path), Embedded(), schemas):
            if result.status is Status.INVALID:
                yield path, result.kind, result.name, f"{result.kind} {result.name}: {result.message}"
