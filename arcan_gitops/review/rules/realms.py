"""What realms allow: `realm.yaml` before and after."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.errors import some
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.tree import REALM_FILE
from arcan_gitops.review.change import Change, found
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.state import REALMS


def realms(change: Change) -> Iterator[Finding]:
    """Everything that a document may do from now on, and must not have done before."""
    for realm in sorted(change.base.realm_settings.keys() | change.head.realm_settings.keys()):
        path = f"{REALMS}{realm}/{REALM_FILE}"
        if path in change.head.problems or not _is_there(change, realm):
            continue
        is_new = realm not in change.base.realms and realm not in change.base.realm_settings
        old = change.base.realm_settings.get(realm, RealmSettings())
        new = change.head.realm_settings.get(realm, RealmSettings())
        for message in _more(old, new, is_new):
            yield found("ARR211", f"realm {realm}: {message}", change.restore(path), path)


def _is_there(change: Change, realm: str) -> bool:
    """Whether the realm is there still: one that is gone allows nothing."""
    return realm in change.head.realms or realm in change.head.realm_settings


def _more(old: RealmSettings, new: RealmSettings, is_new: bool) -> Iterator[str]:
    clear = [glob for glob in new.limits.allow_unencrypted if glob not in old.limits.allow_unencrypted]
    empty = [glob for glob in new.limits.allow_empty if glob not in old.limits.allow_empty]
    if clear:
        yield f"keys {some(clear)} may stand in clear (allowUnencrypted)"
    if empty:
        yield f"keys {some(empty)} may be empty, which no MAC covers (allowEmpty)"
    if is_new:
        return
    if gone := [f"{key}: {kind}" for key, kind in old.kinds if (key, kind) not in new.kinds]:
        yield f"values need no more be what they had to be (kinds: {some(gone)})"
    if old.binding and not new.binding:
        yield "documents no longer have to be bound to their places (binding)"
    if old.recorded and not new.recorded:
        yield (
            "a key that is not there counts as removed, without a record (deletions): ESO deletes "
            "Secrets on it"
        )
    if old.token_expiry is not None and new.token_expiry != old.token_expiry:
        yield f"new tokens live {new.token_expiry or 'for ever'}, and lived {old.token_expiry} (tokenExpiry)"
