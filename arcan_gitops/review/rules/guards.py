"""Who checks the checks: files that decide what is asked, of whom, and what runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from arcan_gitops.errors import some
from arcan_gitops.review.app_owners import must_agree
from arcan_gitops.review.change import Change, found
from arcan_gitops.review.deployed import ARGOCD
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.made import Made
from arcan_gitops.review.owners import Owners
from arcan_gitops.review.state import APPS, CLUSTERS, REALMS

_GUARDS: Final = re.compile(
    r"/?(?:"
    r"\.github/.*|\.gitlab/.*|\.gitlab-ci\.yml|azure-pipelines\.yml|Jenkinsfile|\.circleci/.*|"
    r"(?:.*/)?CODEOWNERS|(?:realms/)?\.sops\.ya?ml|\.pre-commit-config\.yaml|\.pre-commit-hooks\.yaml|"
    r"(?:.*/)?requirements[^/]*\.(?:txt|lock|in)|pyproject\.toml|vendor/.*|(?:.*/)?(?:GNU)?[Mm]akefile|"
    r"(?:.*/)?\.gitattributes|\.gitmodules|\.gitignore|scripts/.*|kustomize/argocd/(?!clusters/).*"
    r")",
    re.DOTALL,
)

_IGNORE: Final = b"arcan-lint:"
_RULES_OF: Final = re.compile(rb"#[ \t]*arcan-lint:[ \t]*ignore([^\n]*)")
_RULE: Final = re.compile(rb"ARC\d{3}")


def guards(change: Change) -> Iterator[Finding]:
    """Changes of those files, and what they leave without an owner."""
    owners = change.base.owners
    for path in change.paths:
        if not _GUARDS.fullmatch(path):
            continue
        whose = owners.of(path.lstrip("/"))
        what = "is gone" if path not in change.head.tree.files else "is changed"
        what = "is new" if path not in change.base.tree.files else what
        yield found(
            "ARR213",
            f"{path} {what}: it decides what is checked, or who is asked",
            _who_decides(whose),
            path,
        )
    yield from _applications(change)
    yield from _owned(change)
    yield from _deciding(change)
    yield from _switched_off(change)


def _applications(change: Change) -> Iterator[Finding]:
    """What people wrote for Argo CD: what it deploys, from which repository, and where to."""
    old = {str(one): one.body for one in change.written_before if one.group == ARGOCD}
    for one in change.written_after:
        if one.group != ARGOCD or old.get(str(one)) == one.body:
            continue
        whose = change.base.owners.of(one.path)
        what = "is changed" if str(one) in old else "is new"
        yield found(
            "ARR213",
            f"{one.path}: {one} {what}: it decides what Argo CD deploys, from where, and where to",
            _who_decides(whose),
            one.path,
        )


def _who_decides(owners: tuple[str, ...]) -> str:
    return f"its owners decide: {some(list(owners))}" if owners else "no owner is named for it in CODEOWNERS"


def _switched_off(change: Change) -> Iterator[Finding]:
    """Comments by which `arcan lint` passes over something, that were not there."""
    for path in change.paths:
        data = change.data(path) if path.endswith((".yaml", ".yml")) else None
        if not data or _IGNORE not in data:
            continue
        before = change.base.tree.files.get(path)
        known = Counter(_ignores(change.objects.data(before.blob) or b"" if before is not None else b""))
        new = Counter(_ignores(data)) - known
        if new:
            yield found(
                "ARR210",
                f"{path}: the linter passes over {some(sorted(new), 5)} from now on",
                "have whoever owns the checks agree to the reason that is given",
                path,
            )


def _ignores(data: bytes) -> list[str]:
    """The rules that each comment names."""
    return [rule.decode() for match in _RULES_OF.findall(data) for rule in _RULE.findall(match)]


def _deciding(change: Change) -> Iterator[Finding]:
    """Apps that receive keys of an environment that they did not receive, by files that are not the owners'
    of that realm. The place is the realm's document, so that those are asked who own it.
    """
    owners = change.base.owners
    if not owners.lines:
        return
    had = {each for made in change.made_before for each in _received(made)}
    told: dict[tuple[str, str, tuple[str, ...]], tuple[str, set[str]]] = {}
    for made in change.made_after:
        if not made.realm or _received(made) <= had:
            continue
        app = owners.of(f"{APPS}{made.app}.yaml")
        for place in change.head.index.get((made.realm, made.environment), ()):
            if place.key is not None and made.keys is not None and place.key not in made.keys.values():
                continue
            path = change.head.paths[place]
            realm = owners.of(path)
            if realm and not must_agree(app, realm):
                _, environments = told.setdefault((made.app, made.realm, realm), (path, set()))
                environments.add(made.environment)
    for (name, of, realm), (path, environments) in sorted(told.items()):
        app = owners.of(f"{APPS}{name}.yaml")
        whose = f"owned by {some(list(app))}" if app else "owned by nobody"
        asked = some(list(realm))
        yield found(
            "ARR218",
            f"app {name} receives keys of {of} ({some(sorted(environments))}), whose owners are {asked}; its "
            f"file is {whose}, who decides from now on what it takes",
            f"have {asked} agree; to have them asked each time, a line in {owners.path}: "
            f"/{APPS}{name}.yaml {' '.join(realm)}",
            path,
        )


def _received(made: Made) -> set[tuple[str, str, str, str]]:
    keys = ["*"] if made.keys is None else made.keys.values()
    return {(made.app, made.realm, made.environment, key) for key in keys}


def _owned(change: Change) -> Iterator[Finding]:
    old, new = change.base.owners, change.head.owners
    if not old.lines and not new.lines:
        return  # the repository asks nobody
    names = dict.fromkeys([*change.head.realms, *change.base.realms])
    for realm in names:
        path = f"{REALMS}{realm}/prod.sops.yaml"
        if not new.of(path) and (old.of(path) or realm not in change.base.realms):
            yield found(
                "ARR112",
                f"realm {realm}: CODEOWNERS names nobody for it: its secrets change without anybody "
                "being asked",
                f"add a line to {new.path or old.path}: /{REALMS}{realm}/ @ORG/TEAM",
                new.path or old.path,
            )
    yield from _others(change, old, new)


def _others(change: Change, old: Owners, new: Owners) -> Iterator[Finding]:
    """What has other owners than before, told in one line."""
    if old.lines == new.lines:
        return
    watched = [f"{REALMS}{realm}/prod.sops.yaml" for realm in change.base.realms]
    watched += [".sops.yaml", ".github/workflows/realms.yml", f"{CLUSTERS}any.yaml", "kustomize/arcan.yaml"]
    watched += [f"{APPS}{app.name}.yaml" for app in change.base.declared.apps]
    for path in watched:
        if old.of(path) and old.of(path) != new.of(path):
            yield found(
                "ARR213",
                f"{path}: {some(list(new.of(path))) or 'nobody'} is asked from now on, "
                f"and {some(list(old.of(path)))} was",
                f"those who were asked decide: {some(list(old.of(path)))}",
                new.path or old.path,
            )
