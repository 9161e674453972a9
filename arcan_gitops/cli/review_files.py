"""The checks of files that a review runs: each gives the problems of one folder, which is a state of the
repository.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcan_gitops.cli.generate_plan import plan_overlays
from arcan_gitops.cli.review_validate import judged, resources_of
from arcan_gitops.cli.root import CLUSTERS, KUSTOMIZE, REALMS
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.findings import Severity
from arcan_gitops.lint.reading import files_under, read_file
from arcan_gitops.overlay import compare, read_declared, read_settings
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE
from arcan_gitops.overlay.project import NoApps
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.realms.check import check as check_realms
from arcan_gitops.review.change import found
from arcan_gitops.review.findings import Finding
from arcan_gitops.validate.schemaset import eso_versions

_NO_ADVISORIES: Final = ("ARC060",)  # an ESO with a known vulnerability: no branch made it
STALE: Final = "not what the declared apps ask for now"
_LINE: Final = re.compile(r"(\.ya?ml):\d+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a check finds. `known_by` is the same for the same problem of another state of the
    files.
    """

    finding: Finding
    known_by: Hashable

    @property
    def rule(self) -> str:
        """The id of its rule."""
        return self.finding.rule.id


def _of(rule: str, root: Path, message: str, hint: str, path: str | None = None, line: int = 0) -> Problem:
    text = _shown(message, root)
    where = text.partition(": ")[0].partition(":")[0] if path is None else path
    without_line = _LINE.sub(r"\1", text)  # a line above that is new moves all others
    return Problem(found(rule, text, _shown(hint, root), where, line), (rule, where, without_line))


def _shown(text: str, root: Path) -> str:
    """One line, with the paths of the repository and not of where it was looked at."""
    prefix = "" if str(root) == "." else f"{root}/"
    return " ".join((text.replace(prefix, "") if prefix else text).split())


def realms_checked(root: Path, differing: Sequence[str]) -> Iterator[Problem]:
    """What `arcan realm check` finds."""
    del differing
    if not (root / REALMS).is_dir():
        return
    for problem in check_realms(root / REALMS, root / CLUSTERS).problems:
        yield _of("ARR120", root, problem.message, problem.hint or "arcan realm check")


def generated(root: Path, differing: Sequence[str]) -> Iterator[Problem]:
    """Why the overlays cannot be generated, or what of them is not what would be: one problem for each file,
    by what it is and what it would be. Of what would be written, also what is not valid.
    """
    del differing
    kustomize = root / KUSTOMIZE
    if not (kustomize / SETTINGS_FILE).is_file():
        return
    try:
        plan = plan_overlays(
            root / REALMS, kustomize, root / CLUSTERS, read_settings(kustomize), read_declared(kustomize)
        )
        parts = plan.generated()
        compared = [
            (part, compare(part.root, part.tree, command=part.command, shared=part.shared)) for part in parts
        ]
    except NoApps as error:
        if (kustomize / "overlays").exists():  # else nothing is declared, and nothing is there
            yield _of("ARR119", root, error.message, error.hint or "")
        return
    except ArcanError as error:
        for problem in error.problems if isinstance(error, SeveralErrors) else (error,):
            yield _of("ARR119", root, problem.message, problem.hint or "arcan generate overlays")
        return
    written: dict[str, bytes] = {}
    for part, files in compared:
        for name in sorted(files.present.keys() | part.tree.keys()):
            is_, would_be = files.present.get(name), part.tree.get(name)
            if is_ != would_be:
                path = _shown(str(part.root / name), root)
                message = f"{path}: {STALE}"
                hint = "arcan generate overlays, and commit the result"
                yield Problem(found("ARR119", message, hint, path), (path, is_, would_be))
                if would_be is not None and not path.endswith(KUSTOMIZATION_FILE):
                    written[path] = would_be.encode()
    yield from _invalid(root, written)


def validated(root: Path, differing: Sequence[str]) -> Iterator[Problem]:
    """What `arcan validate` finds in the committed manifests that differ."""
    yield from _invalid(root, resources_of(root, differing))


def _invalid(root: Path, texts: Mapping[str, bytes]) -> Iterator[Problem]:
    for result in judged(root, texts):
        what = f" {result.kind} {result.full_name}" if result.kind else ""
        message = f"{result.source}:{what} {result.message}"
        yield _of("ARR123", root, message, "arcan validate", result.source)


def linted(root: Path, differing: Sequence[str]) -> Iterator[Problem]:
    """What `arcan lint manifests` calls an error: each file is judged together with all others."""
    del differing
    files = list(files_under(root / KUSTOMIZE)) if (root / KUSTOMIZE).is_dir() else []
    if not files:
        return
    sources = [read_file(path) for path in files]
    for finding in lint(sources, EsoVersion.parse(eso_versions()[-1]), ignored=_NO_ADVISORIES).findings:
        if finding.severity is Severity.ERROR and finding.place is not None:
            yield _of(
                "ARR121",
                root,
                f"{finding.rule}: {finding.message}",
                f"{finding.hint} [arcan explain {finding.rule}]",
                _shown(finding.place.path, root),
                finding.place.line,
            )
