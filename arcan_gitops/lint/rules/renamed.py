"""Names that Kustomize changes where they are given, and not where ESO's kinds refer to them.

Source: kustomize api/internal/konfig/builtinpluginconsts/namereference.go, which knows no kind of ESO's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import Object
from arcan_gitops.lint.rule import Rule

_HINT = "add a nameReference for it to the kustomization's configurations, or leave prefix and suffix out"


@dataclass(frozen=True, slots=True)
class _Reference:
    """What an object refers to by name."""

    user: Object
    node: Node
    kind: str
    name: str


def _references(manifests: Manifests) -> Iterator[_Reference]:
    for user in manifests.external_secrets:
        told: set[tuple[str, str]] = set()
        for entry in user.entries():
            ref = entry.store
            if ref is not None and (ref.kind, ref.name) not in told:
                told.add((ref.kind, ref.name))
                yield _Reference(user.object, ref.node, ref.kind or "SecretStore", ref.name)
    for store in manifests.stores:
        for node in store.settings.walk() if store.settings is not None else ():
            for field, member in node.fields().items():
                if field.lower().endswith("secretref") and (name := member.text("name")):
                    yield _Reference(store.object, member, "Secret", name)


def _broken(manifests: Manifests) -> Iterator[Found]:
    named: dict[tuple[str, str], list[Object]] = defaultdict(list)
    beside: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for obj in manifests.objects:
        named[obj.kind, obj.name].append(obj)
        beside[obj.kind, obj.source].append(obj)
    for reference in _references(manifests):
        targets = named[reference.kind, reference.name]
        found = _by_kustomization(manifests, reference, targets)
        if found is None and not any(obj.source == reference.user.source for obj in targets):
            found = _in_one_output(reference, beside[reference.kind, reference.user.source])
        if found is not None:
            yield found


def _by_kustomization(manifests: Manifests, reference: _Reference, targets: Iterable[Object]) -> Found | None:
    """Before Kustomize: the object and what it refers to are renamed by one kustomization."""
    user = reference.user
    for obj in targets:
        for one in manifests.kustomizations.using(user.source, obj.source):
            if one.renames and not one.follows_names:
                problem = f"{one.renames} of {one.object.source} renames {obj}, and not this reference to it"
                return user.found(reference.node, problem, _HINT)
    if reference.kind == "Secret":
        for one in manifests.kustomizations.using(user.source):
            if reference.name in one.hashed_secrets() and not one.follows_names:
                problem = (
                    f"{one.object.source} appends a hash to the name of Secret {reference.name},"
                    " and not to this reference to it"
                )
                return user.found(
                    reference.node, problem, "write generatorOptions: {disableNameSuffixHash: true}"
                )
    return None


def _in_one_output(reference: _Reference, beside: Iterable[Object]) -> Found | None:
    """After Kustomize: nothing has the name; an object beside has it, with what the user's own name has."""
    user = reference.user
    for obj in beside:
        before, name, after = obj.name.partition(reference.name)
        if not name or not (before or after) or before[-1:] not in ("", "-") or after[:1] not in ("", "-"):
            continue
        if user.name.startswith(before) and user.name.endswith(after):
            problem = f"there is no {reference.kind} {reference.name}, but {obj}: namePrefix or nameSuffix?"
            return user.found(reference.node, problem, _HINT)
    return None


RULES = (Rule("ARC045", Severity.ERROR, "a reference that namePrefix or nameSuffix broke", _broken),)
