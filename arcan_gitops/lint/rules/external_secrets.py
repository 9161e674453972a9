"""What an ExternalSecret asks for, and of which store."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.regexp import compile_pattern
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.objects import ExternalSecret, Object, Store
from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules.durations import is_zero
from arcan_gitops.lint.rules.templates import PLACEHOLDER, without_actions

# A path segment that is the key as ESO escapes it, and no function in between.
_BARE_KEY: Final = re.compile(r"\{\{-?\s*\.remoteRef\.key\s*-?\}\}")
_SPACE: Final = re.compile(r"\s")


def _find(manifests: Manifests) -> Iterator[Found]:
    for user, entry, store in manifests.uses():
        if store.webhook is not None and entry.how == "find":
            yield user.object.found(
                entry.ref,
                f"find on {store.object}: the webhook provider does not implement it, and every sync fails",
                "name the keys in data, or read them all with dataFrom.extract",
            )


def _deletion(manifests: Manifests) -> Iterator[Found]:
    for user, uses in manifests.webhook_uses():
        policy = user.spec.text("target", "deletionPolicy")
        if policy not in ("Delete", "Merge"):
            continue
        what = "the Secret is deleted" if policy == "Delete" else "its keys are taken out of the Secret"
        yield user.object.found(
            user.spec.at("target", "deletionPolicy"),
            f"deletionPolicy {policy} with {uses[0][1].object}: when it answers 404, {what}",
            "write deletionPolicy: Retain, unless the server is known to answer 404 for missing keys only",
        )


def _refused(manifests: Manifests) -> Iterator[Found]:
    for user in manifests.external_secrets:
        found, spec = user.object.found, user.spec
        if not spec.items("data") and not spec.items("dataFrom"):
            problem = "neither data nor dataFrom: ESO's admission webhook refuses it"
            yield found(None, problem, "say which keys to read")
        deletion = spec.text("target", "deletionPolicy") or "Retain"
        creation = spec.text("target", "creationPolicy") or "Owner"
        at = spec.at("target", "deletionPolicy")
        hint = "write creationPolicy: Owner, or deletionPolicy: Retain"
        if deletion == "Delete" and creation in ("Merge", "None", "CreateOrMerge"):
            problem = (
                f"deletionPolicy Delete with creationPolicy {creation}: ESO's admission webhook refuses it"
            )
            yield found(at, problem, hint)
        elif deletion == "Delete" and creation == "Orphan":
            problem = (
                "deletionPolicy Delete with creationPolicy Orphan never deletes: when nothing is left,"
                " the sync fails and the Secret stays"
            )
            yield found(at, problem, hint, Severity.WARNING)
        elif deletion == "Merge" and creation == "None":
            problem = "deletionPolicy Merge with creationPolicy None: ESO's admission webhook refuses it"
            yield found(at, problem, "write deletionPolicy: Retain")
        if deletion == "Retain":
            yield from _twice(user)


def _twice(user: ExternalSecret) -> Iterator[Found]:
    seen: set[str] = set()
    for item in user.spec.items("data"):
        name = item.text("secretKey")
        if name is not None and name in seen:
            problem = f"secretKey {name!r} is given twice: ESO's admission webhook refuses it"
            yield user.object.found(item, problem, "give each its own name")
        seen.add(name or "")


def _never_refreshed(manifests: Manifests) -> Iterator[Found]:
    for user in manifests.external_secrets:
        node = user.spec.at("refreshInterval")
        if node is None or user.spec.text("refreshPolicy") not in (None, "", "Periodic"):
            continue
        if is_zero(node):
            yield user.object.found(
                node,
                "refreshInterval 0: ESO fetches once and never again, not even when it is forced to",
                "write an interval, as 1h0m0s; or refreshPolicy: CreatedOnce, where once is what you mean",
            )


def _breaks_url(manifests: Manifests) -> Iterator[Found]:
    for user, entry, store in manifests.uses():
        url = store.webhook.text("url") if store.webhook is not None else None
        key = entry.ref.text("key") if entry.ref is not None else None
        if url is None or key is None or entry.how == "find" or not _key_in_path(url):
            continue
        if _SPACE.search(key):
            sent = "a space, which ESO sends as '+' in a path, and most servers take for a plus"
        elif "/" in key:
            sent = "a '/', which ESO sends as %2F, and many servers and proxies refuse or answer with 404"
        elif key in (".", ".."):
            sent = "dots alone, which ESO does not escape, and which name another folder in a path"
        elif not key and "if" not in url:
            sent = "nothing, so that the path ends where a key should stand"
        else:
            continue
        where = f"{store.object} puts the key into the path of its url, and this key holds {sent}"
        yield user.object.found(
            entry.ref,
            where,
            "rename the key, or have the store send it as a parameter: ?key={{ .remoteRef.key }}",
        )


def _key_in_path(url: str) -> bool:
    return any(
        "?" not in without_actions(url[: match.start()]).replace(PLACEHOLDER, "")
        for match in _BARE_KEY.finditer(url)
    )


def _wrong_kind(manifests: Manifests) -> Iterator[Found]:
    for user in manifests.external_secrets:
        told: set[str] = set()
        for entry in user.entries():
            ref = entry.store
            if ref is None or ref.kind or ref.name in told or ("SecretStore", ref.name) in manifests.named:
                continue
            if ("ClusterSecretStore", ref.name) in manifests.named:
                told.add(ref.name)
                yield user.object.found(
                    ref.node,
                    f"{ref.name} is a ClusterSecretStore; a secretStoreRef without kind means SecretStore",
                    "add kind: ClusterSecretStore",
                )


def _not_allowed(manifests: Manifests) -> Iterator[Found]:
    told: set[tuple[int, int]] = set()
    for user, entry, store in manifests.uses():
        namespace = user.object.namespace
        if not store.cluster or not namespace or user.object.kind != "ExternalSecret" or entry.store is None:
            continue
        if any(map(manifests.kustomizations.complete, (user.object.source, store.object.source))):
            continue
        if (id(user), id(store)) not in told and not _allows(store, namespace):
            told.add((id(user), id(store)))
            yield user.object.found(
                entry.store.node,
                f"the conditions of {store.object} leave namespace {namespace} out: every sync fails",
                "add the namespace to the store's conditions, or use a store that may be used here",
            )


def _allows(store: Store, namespace: str) -> bool:
    """Whether the conditions let a namespace in, or might: its labels are not known."""
    conditions = store.object.root.items("spec", "conditions")
    for condition in conditions:
        if condition.at("namespaceSelector") is not None or namespace in condition.texts("namespaces"):
            return True
        for regex in condition.texts("namespaceRegexes"):
            try:
                if compile_pattern(regex).search(namespace) is not None:
                    return True
            except GoError:
                return True  # ESO says so, louder
    return not conditions


def _two_owners(manifests: Manifests) -> Iterator[Found]:
    targets: dict[tuple[str, str], list[ExternalSecret]] = defaultdict(list)
    for user in manifests.external_secrets:
        name = user.spec.text("target", "name") or user.object.name
        writes = user.spec.text("target", "creationPolicy") != "None"
        if (
            user.object.kind == "ExternalSecret"
            and name
            and writes
            and not user.spec.at("target", "manifest")
        ):
            targets[user.object.namespace, name].append(user)
    for (_, name), users in targets.items():
        for user in users:
            others = (
                other
                for other in users
                if other.object.name != user.object.name
                and (_owns(user) or _owns(other))
                and _together(manifests, user.object, other.object)
            )
            if (other := next(others, None)) is not None:
                yield user.object.found(
                    user.spec.at("target", "name"),
                    f"{other.object} writes Secret {name} too, and ESO lets no other ExternalSecret write"
                    " what one of them owns",
                    "give each a Secret of its own, or write creationPolicy: Merge in all of them",
                )


def _together(manifests: Manifests, one: Object, other: Object) -> bool:
    """Whether two objects are for one cluster, as far as their files show."""
    if one.source == other.source or any(manifests.kustomizations.using(one.source, other.source)):
        return True
    return bool(one.namespace) and PurePath(one.source).parent == PurePath(other.source).parent


def _owns(user: ExternalSecret) -> bool:
    return user.spec.text("target", "creationPolicy") in (None, "", "Owner")


RULES = (
    Rule("ARC050", Severity.ERROR, "find on a webhook store", _find),
    Rule("ARC051", Severity.WARNING, "a Secret that a webhook's 404 deletes", _deletion),
    Rule("ARC052", Severity.ERROR, "an ExternalSecret that ESO refuses", _refused),
    Rule("ARC053", Severity.WARNING, "an ExternalSecret that is never refreshed", _never_refreshed),
    Rule("ARC054", Severity.WARNING, "a key that the path of a url does not survive", _breaks_url),
    Rule("ARC055", Severity.ERROR, "a secretStoreRef that means another kind of store", _wrong_kind),
    Rule("ARC056", Severity.ERROR, "a namespace that the store's conditions leave out", _not_allowed),
    Rule("ARC059", Severity.ERROR, "a Secret of several ExternalSecrets, one of which owns it", _two_owners),
)
