"""What the checks that read files find in a branch: in the working tree, or in an export of its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from arcan_gitops.cli.generate_plan import plan_overlays
from arcan_gitops.cli.root import CLUSTERS, KUSTOMIZE, REALMS, at_root
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.findings import Severity
from arcan_gitops.lint.reading import files_under, read_file
from arcan_gitops.overlay import Tree, compare, read_declared, read_settings
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.realms.check import check as check_realms
from arcan_gitops.realms.sops_config import CONFIG_FILE
from arcan_gitops.review.change import Change, found
from arcan_gitops.review.export import exported
from arcan_gitops.review.findings import Finding, Kind
from arcan_gitops.review.review import Review
from arcan_gitops.validate.schemaset import eso_versions

_MOST: Final = 20  # of one check that are told
_GENERATED: Final = ("ARR101", "ARR105", "ARR106", "ARR107", "ARR108", "ARR109", "ARR122")
_NO_ADVISORIES: Final = ("ARC060",)  # an ESO with a known vulnerability: no branch made it


def checks(review: Review) -> Iterator[Finding]:
    """Those whose files differ; what a rule of the review has told already is not told twice."""
    change = review.change
    paths = tuple(change.paths)
    realms = any(path.startswith((f"{REALMS}/", f"{CLUSTERS}/", CONFIG_FILE)) for path in paths)
    manifests = any(path.startswith(f"{KUSTOMIZE}/") for path in paths)
    if not realms and not manifests:
        return
    told = {finding.path for finding in review.of(Kind.BROKEN)}
    with _files(change) as root:
        if realms:
            yield from _bounded(_realm_check, change, root, told)
        if not any(finding.rule.id in _GENERATED for finding in review.findings):
            yield from _bounded(_generated, change, root, told)
        if manifests:
            yield from _bounded(_linted, change, root, told)


@contextmanager
def _files(change: Change) -> Iterator[Path]:
    """The working tree itself, or the files of a commit."""
    if change.head.tree.commit is None:
        yield at_root(".")
        return
    wanted = (f"{REALMS}/", f"{CLUSTERS}/", f"{KUSTOMIZE}/", CONFIG_FILE)
    with exported(change.objects, change.head.tree, wanted) as root:
        yield root


_Check = Callable[[Change, Path, set[str]], Iterator[Finding]]


def _bounded(check: _Check, change: Change, root: Path, told: set[str]) -> Iterator[Finding]:
    for number, finding in enumerate(check(change, root, told)):
        if number == _MOST:
            return
        yield finding


def _shown(text: str, root: Path) -> str:
    """One line, with the paths of the repository and not of where it was looked at."""
    prefix = "" if str(root) == "." else f"{root}/"
    return " ".join((text.replace(prefix, "") if prefix else text).split())


def _path_of(message: str) -> str:
    return message.partition(": ")[0].partition(":")[0]


def _realm_check(change: Change, root: Path, told: set[str]) -> Iterator[Finding]:
    if not (root / REALMS).is_dir():
        return
    before = change.base.problems
    for problem in check_realms(root / REALMS, root / CLUSTERS).problems:
        message = _shown(problem.message, root)
        path = _path_of(message)
        if path in told or path in before:
            continue
        hint = _shown(problem.hint or "arcan realm check", root)
        if change.rules_changed and "updatekeys" in hint:
            hint = "first have the owners agree to the rule, which this branch changes"
        yield found("ARR120", message, hint, path)


def _generated(change: Change, root: Path, told: set[str]) -> Iterator[Finding]:
    del told
    kustomize = root / KUSTOMIZE
    if not (kustomize / SETTINGS_FILE).is_file():
        return
    try:
        plan = plan_overlays(
            root / REALMS, kustomize, root / CLUSTERS, read_settings(kustomize), read_declared(kustomize)
        )
        parts = plan.generated()
        stale = [
            str(path)
            for part in parts
            for path in _stale(part.root, part.tree, part.command, shared=part.shared)
        ]
    except ArcanError as error:
        problems = error.problems if isinstance(error, SeveralErrors) else (error,)
        for problem in problems:
            message = _shown(problem.message, root)
            hint = _shown(problem.hint or "arcan generate overlays", root)
            yield found("ARR119", message, hint, _path_of(message))
        return
    del change
    if stale:
        more = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
        yield found(
            "ARR119",
            f"{_shown(stale[0], root)}{more}: not what the declared apps ask for now",
            "arcan generate overlays, and commit the result",
            _shown(stale[0], root),
        )


def _stale(root: Path, tree: Tree, command: str, *, shared: bool) -> list[Path]:
    compared = compare(root, tree, command=command, shared=shared)
    names = sorted(compared.present.keys() | tree.keys())
    return [root / name for name in names if compared.present.get(name) != tree.get(name)]


def _linted(change: Change, root: Path, told: set[str]) -> Iterator[Finding]:
    """Of the files that differ; each is judged together with all others."""
    folder = root / KUSTOMIZE
    if not folder.is_dir():
        return
    differing = set(change.paths)
    report = lint(
        [read_file(path) for path in files_under(folder)],
        EsoVersion.parse(eso_versions()[-1]),
        ignored=_NO_ADVISORIES,
    )
    for finding in report.findings:
        if finding.severity is not Severity.ERROR or finding.place is None:
            continue
        path = _shown(finding.place.path, root)
        if path in differing and path not in told:
            message = f"{finding.rule}: {_shown(finding.message, root)}"
            yield found(
                "ARR121", message, f"{_shown(finding.hint, root)} [{finding.page}]", path, finding.place.line
            )
