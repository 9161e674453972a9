"""Raw entries, judged once they are generated: by the schemas of the overlay's ESO, and by the lint rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.findings import Severity
from arcan_gitops.lint.reading import Source
from arcan_gitops.overlay import App, Tree
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.results import Status
from arcan_gitops.validate.schemaset import SchemaSet, eso_version_for

_RAW = "raw"


def judge_raw(tree: Tree, apps: Sequence[App], overlays: Sequence[Overlay]) -> tuple[str, ...]:
    """The warnings of lint about overlays that have raw entries; the others are not looked at.

    Raises `SeveralErrors` for what a schema, or a rule that is an error, refuses there.
    """
    problems: list[ArcanError] = []
    warnings: list[str] = []
    for overlay in overlays:
        if not _has_raw(overlay, apps):
            continue
        files = {path: text.encode() for path, text in tree.items() if path.startswith(f"{overlay.name}/")}
        files = {path: data for path, data in files.items() if not path.endswith("/kustomization.yaml")}
        problems += _invalid(files, overlay)
        if not files:
            continue
        report = lint([Source(path, data) for path, data in files.items()], overlay.settings.eso_version)
        for finding in report.findings:
            place = finding.place.path if finding.place is not None else str(overlay.name)
            text = f"{place}: {finding.rule}: {finding.message}"
            if finding.severity is Severity.ERROR:
                problems.append(ArcanError(text, hint=finding.hint))
            else:
                warnings.append(text)
    if problems:
        raise SeveralErrors("the overlays cannot be generated:", problems)
    return tuple(warnings)


def _has_raw(overlay: Overlay, apps: Sequence[App]) -> bool:
    used = [app for app in apps if app.goes_to(overlay.name)]
    kinds = {store.name: store.kind for store in overlay.settings.others.values()}
    return any(app.raw or (isinstance(app.reads, str) and kinds.get(app.reads) == _RAW) for app in used)


def _invalid(files: dict[str, bytes], overlay: Overlay) -> Iterator[ArcanError]:
    schemas = SchemaSet(eso_version_for(overlay.settings.eso_version, None))
    for path, data in files.items():
        for result in judge(read_manifests(data, path), Embedded(), schemas):
            if result.status is Status.INVALID:
                yield ArcanError(f"{path}: {result.kind} {result.name}: {result.message}")
