"""What the checks that read files find in a branch, and did not find where the branch began.

They run on the working tree, or on an export of its commit; and where they find something, on an export of
the base too. What the base has equally is no fault of the branch: it is told in one line for each check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from arcan_gitops.cli.review_files import STALE, Problem, generated, linted, realms_checked, validated
from arcan_gitops.cli.root import CLUSTERS, KUSTOMIZE, REALMS, at_root
from arcan_gitops.realms.sops_config import CONFIG_FILE
from arcan_gitops.review.change import Change, found
from arcan_gitops.review.export import exported
from arcan_gitops.review.findings import Finding, Kind
from arcan_gitops.review.objects import Tree
from arcan_gitops.review.review import Review

_MOST: Final = 20  # of one check that are told
_WHY_STALE: Final = ("ARR101", "ARR105", "ARR106", "ARR107", "ARR108", "ARR109", "ARR122")
_Check = Callable[[Path, Sequence[str]], Iterator[Problem]]
# what each needs to have changed: realms, manifests, or either
_REALMS: Final = (f"{REALMS}/", f"{CLUSTERS}/", CONFIG_FILE)
_MANIFESTS: Final = (f"{KUSTOMIZE}/",)
_CHECKS: Final[tuple[tuple[str, _Check, tuple[str, ...]], ...]] = (
    ("arcan realm check", realms_checked, _REALMS),
    ("arcan generate overlays --check", generated, _REALMS + _MANIFESTS),
    ("arcan validate", validated, _MANIFESTS),
    (f"arcan lint manifests {KUSTOMIZE}", linted, _MANIFESTS),
)


def checks(review: Review) -> Iterator[Finding]:
    """Those whose files differ; what a rule of the review has told already is not told twice."""
    change = review.change
    paths = tuple(change.paths)
    told = {finding.path for finding in review.of(Kind.BROKEN)}
    explained = any(finding.rule.id in _WHY_STALE for finding in review.findings)
    problems: list[tuple[str, _Check, list[Problem]]] = []
    with _files(change, change.head.tree) as root:
        for command, check, prefixes in _CHECKS:
            if not any(path.startswith(prefixes) for path in paths) or (check is generated and explained):
                continue
            if mine := list(check(root, paths)):
                problems.append((command, check, mine))
    if not problems:
        return
    with _files(change, change.base.tree) as root:
        for command, check, mine in problems:
            new, old = _apart(mine, check(root, paths))
            yield from _told(change, told, new)
            if old:
                yield _before(command, old)


@contextmanager
def _files(change: Change, tree: Tree) -> Iterator[Path]:
    """The working tree itself, or the files of a commit."""
    if tree.commit is None:
        yield at_root(".")
        return
    with exported(change.objects, tree, _REALMS + _MANIFESTS) as root:
        yield root


def _apart(mine: list[Problem], base: Iterator[Problem]) -> tuple[list[Problem], list[Problem]]:
    """Those that are new, and those that the base has too; each of the base's counts once."""
    known = Counter(problem.known_by for problem in base)
    new, old = list[Problem](), list[Problem]()
    for problem in mine:
        known[problem.known_by] -= 1
        (old if known[problem.known_by] >= 0 else new).append(problem)
    return new, old


def _told(change: Change, told: set[str], problems: list[Problem]) -> Iterator[Finding]:
    fresh = [each.finding for each in problems if each.rule == "ARR119" or each.finding.path not in told]
    stale = [finding for finding in fresh if finding.message.endswith(STALE)]
    if len(stale) > 1:  # which one command mends: told at the first
        first = replace(stale[0], message=f"{stale[0].path} and {len(stale) - 1} more: {STALE}")
        fresh = [first, *(finding for finding in fresh if finding not in stale)]
    for finding in fresh[:_MOST]:
        hint = finding.next
        if change.rules_changed and "updatekeys" in hint:
            hint = "first have the owners agree to the rule, which this branch changes"
        yield found(finding.rule.id, finding.message, hint, finding.path, finding.line)


def _before(command: str, problems: list[Problem]) -> Finding:
    first, more = problems[0].finding, len(problems) - 1
    others = f" (and {more} more)" if more else ""
    return found("ARR315", f"not by this branch: {first.message}{others}", command, first.path, first.line)
