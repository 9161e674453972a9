"""Writes values into an environment, new or existing: all of them in one write, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.migrate.outcome import Named, Outcome, Status
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree, text_of
from arcan_gitops.realms.creating import Creation, is_there, plan_environment
from arcan_gitops.realms.environment import Edit, keys_of, open_environment
from arcan_gitops.realms.importing import MAX_VALUE_BYTES
from arcan_gitops.realms.kinds import wrong_kind
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.realms.tree import Layout
from arcan_gitops.secret import SecretValue
from arcan_gitops.sops import Identities
from arcan_gitops.sops.cipher import PREFIX

_THERE: Final = "is there already, and was left unseen (--only-new)"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where values go; `creation` is None where the document is there."""

    tree: RealmTree
    realm: RealmName
    environment: EnvironmentName
    creation: Creation | None

    @classmethod
    def find(
        cls,
        tree: RealmTree,
        realm: RealmName,
        environment: EnvironmentName,
        layout: Layout | None = None,
    ) -> Destination:
        """Checked before anything is read elsewhere: an environment, or what a new one needs, which will have
        that layout (None: that of the others).

        Raises `BadLayout`, and what `plan_environment` raises.
        """
        if is_there(tree, realm, environment):
            tree.environment(realm, environment)
            return cls(tree, realm, environment, None)
        config = SopsConfig.required(tree.root)
        return cls(tree, realm, environment, plan_environment(tree, config, realm, environment, layout))

    @property
    def path(self) -> Path:
        """The document, or the folder of the key files."""
        if self.creation is not None:
            return self.creation.path
        return self.tree.environment(self.realm, self.environment).path

    def land(
        self,
        named: Sequence[Named],
        identities: Callable[[], Identities],
        *,
        replace: bool = False,
        only_new: bool = False,
        dry_run: bool = False,
    ) -> list[Outcome]:
        """Write all values that can be written, and say of each what became of it.

        `identities` is called only where the document has to be opened: not for a new one, nor for a dry run
        that finds none of the keys in it; with `only_new`, which leaves what is there unseen, not for key
        files either. `replace` takes the other system's value where both have one.
        Raises as `Creation.write`, `open_environment` and `Edit.save`; nothing is written then.
        """
        settings = self._settings()
        fit: list[Named] = []
        outcomes: list[Outcome] = []
        for one in named:
            reason = _unfit(one.found.value.reveal(), settings, one)
            if reason:
                outcomes.append(_outcome(one, Status.SKIPPED, reason))
            else:
                fit.append(one)
        if self.creation is not None:
            if fit and not dry_run:
                self.creation.write({one.key: one.found.value.reveal() for one in fit})
            return outcomes + [_outcome(one, Status.IMPORTED) for one in fit]
        if only_new:
            there = set(keys_of(self.tree, self.realm, self.environment))
            outcomes += [_outcome(one, Status.SKIPPED, _THERE) for one in fit if one.key in there]
            fit = [one for one in fit if one.key not in there]
        return outcomes + self._edit(fit, identities, replace, dry_run)

    def _settings(self) -> RealmSettings:
        return self.creation.settings if self.creation is not None else settings_of(self.tree, self.realm)

    def _edit(
        self, named: Sequence[Named], identities: Callable[[], Identities], replace: bool, dry_run: bool
    ) -> list[Outcome]:
        there = set(keys_of(self.tree, self.realm, self.environment))
        if not named or (dry_run and not any(one.key in there for one in named)):
            return [_outcome(one, Status.IMPORTED) for one in named]
        in_files = self.tree.environment(self.realm, self.environment).layout is Layout.FILES
        unseen = in_files and not any(one.key in there for one in named)
        held = Identities() if unseen else identities()
        edit = open_environment(self.tree, self.realm, self.environment, held).edit()
        outcomes = _put(edit, named, replace)
        if dry_run:
            edit.changed()
        else:
            edit.save()
        return outcomes


def _unfit(text: str, settings: RealmSettings, one: Named) -> str:
    """Why a realm cannot have this value; empty if it can."""
    if not text and not settings.limits.may_be_empty(one.key):
        return "is empty, which SOPS cannot protect ('allowEmpty' in realm.yaml allows it)"
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return "is not UTF-8 text: store it base64-encoded"
    if size > MAX_VALUE_BYTES:
        return f"has more than the {MAX_VALUE_BYTES} bytes of a Kubernetes Secret"
    if text.startswith(PREFIX):
        return "is a value that SOPS has encrypted already"
    return wrong_kind(one.key, text, settings.kinds) or ""


def _put(document: Edit, named: Sequence[Named], replace: bool) -> list[Outcome]:
    """All that are to be written, in one edit; key by key only to tell which cannot be."""
    kept = {one.key: outcome for one in named if (outcome := _kept(document, one, replace)) is not None}
    new = [one for one in named if one.key not in kept]
    try:
        document.update({one.key: one.found.value.reveal() for one in new})
    except ArcanError:
        return [kept.get(one.key) or _set(document, one) for one in named]
    return [kept.get(one.key) or _outcome(one, Status.IMPORTED) for one in named]


def _kept(document: Edit, one: Named, replace: bool) -> Outcome | None:
    """The result for a key whose value in the document stays."""
    if one.key not in document.tree:
        return None
    try:
        if SecretValue(text_of(document.tree[one.key])) == one.found.value:
            return _outcome(one, Status.UNCHANGED)
    except ArcanError:
        pass  # the present value has no text, so it is another value
    if replace:
        return None
    return _outcome(one, Status.FAILED, "the document has another value (--replace replaces it)")


def _set(document: Edit, one: Named) -> Outcome:
    try:
        document.set(one.key, one.found.value.reveal())
    except ArcanError as error:
        return _outcome(one, Status.FAILED, error.message)
    return _outcome(one, Status.IMPORTED)


def _outcome(one: Named, status: Status, reason: str = "") -> Outcome:
    return Outcome(one.found.origin, status, one.key, reason or one.found.note, one.renamed, one.found.base64)
