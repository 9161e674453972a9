"""Who can read which document, learnt without any key, and how that differs from `.sops.yaml`.

The `sops` block of a document is not authenticated: it says for whom the data key is wrapped, and a document
that lies about it only fails to open for those it names.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.sops_config import NoRule, SopsConfig, recipient_id
from arcan_gitops.realms.tree import DocumentFile, RealmTree
from arcan_gitops.sops import ANY_VALUES, outline
from arcan_gitops.sops.data_key import short_recipient
from arcan_gitops.sops.metadata import DEFAULT_RULE, KEY_TYPES, Metadata
from arcan_gitops.yamlio import InvalidFile


@dataclass(frozen=True, slots=True)
class Drift:
    """How the keys of a document differ from those of its rule; false where they do not.

    `lacking` and `surplus` are recipients, and the types of keys that are not age (`pgp`), whose keys are
    not told apart here. Where these are the same, `grouping` and `threshold` say what is different about
    the key groups, and are empty else. `selection` says how what is encrypted, and what the MAC covers, is
    not as in the rule: `realm rotate` mends that, and `realm updatekeys` does not.
    """

    lacking: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    grouping: str = ""
    threshold: str = ""
    selection: str = ""

    @property
    def of_keys(self) -> bool:
        """Whether the keys differ."""
        return bool(self.lacking or self.surplus or self.grouping or self.threshold)

    def __bool__(self) -> bool:
        return self.of_keys or bool(self.selection)

    def __str__(self) -> str:
        parts = [f"lacks {short_recipient(name)}" for name in self.lacking]
        parts += [f"has {short_recipient(name)}, whom the rule does not name" for name in self.surplus]
        return "; ".join([*parts, *filter(None, [self.grouping, self.threshold, self.selection])])


@dataclass(frozen=True, slots=True)
class Access:
    """One document: any recipient of a group opens the group, and `needed` groups open the document.

    A group holds age recipients and then the types of its other keys. `drift` is None where no rule is for
    the document, or there is no `.sops.yaml`; `problem` says what is wrong, if anything is.
    """

    document: DocumentFile
    groups: tuple[tuple[str, ...], ...]
    needed: int
    drift: Drift | None
    problem: ArcanError | None


@dataclass(frozen=True, slots=True)
class AccessReport:
    """The documents; `problems` are those that could not be read, and files that have no place there."""

    documents: tuple[Access, ...]
    problems: tuple[ArcanError, ...]
    config: SopsConfig | None


def access(tree: RealmTree, realm: RealmName | None = None) -> AccessReport:
    """Who can read what, in one realm or all. Raises `BadLayout`, `CannotRead`, `InvalidFile`."""
    config = SopsConfig.find(tree.root)
    documents, problems = tree.scan_all(realm)
    found: list[Access] = []
    wrong = list(problems)
    for document in documents:
        try:
            metadata = metadata_of(document.read(), document.path)
        except ArcanError as error:
            wrong.append(error)
            continue
        found.append(_access(document, metadata, config))
    return AccessReport(tuple(found), tuple(wrong), config)


def metadata_of(data: bytes, path: Path) -> Metadata:
    """The `sops` block of a document, whatever its values. Raises `ArcanError`, naming the path."""
    try:
        return outline(data, limits=ANY_VALUES).metadata
    except ArcanError as error:
        raise error.located(path) from None


def drift(metadata: Metadata, rule: CreationRule) -> Drift:
    """How a document differs from its rule. Whether an SSH key has its comment makes no difference."""
    return replace(_key_drift(metadata, rule), selection=_selection_drift(metadata, rule))


def _selection_drift(metadata: Metadata, rule: CreationRule) -> str:
    wanted = rule.selection or DEFAULT_RULE
    found = []
    if metadata.rule != wanted:
        found.append(f"is encrypted by {_shown(metadata.rule)}, where the rule has {_shown(wanted)}")
    if metadata.mac_only_encrypted != rule.mac_only_encrypted:
        covered = ("all values", "encrypted values only")
        has, says = covered[metadata.mac_only_encrypted], covered[rule.mac_only_encrypted]
        found.append(f"has a MAC over {has}, where the rule says {says} (mac_only_encrypted)")
    return "; ".join(found)


def _shown(selection: tuple[str, str]) -> str:
    return f"{selection[0]} '{selection[1]}'"


def _key_drift(metadata: Metadata, rule: CreationRule) -> Drift:
    groups = tuple((*group.recipients, *group.others) for group in metadata.groups)
    return _key_drift_of(groups, metadata.groups_needed, rule)


@lru_cache(maxsize=64)
def _key_drift_of(groups: tuple[tuple[str, ...], ...], groups_needed: int, rule: CreationRule) -> Drift:
    return key_drift_of(groups, groups_needed, rule)


def key_drift_of(groups: Sequence[Sequence[str]], groups_needed: int, rule: CreationRule) -> Drift:
    """How key groups, each of recipients and then of types of other keys, differ from those of a rule."""
    actual = [_names(group) for group in groups]
    wanted = [_names((*group.age, *group.others)) for group in rule.groups]
    lacking, surplus = _beyond(wanted, actual), _beyond(actual, wanted)
    if lacking or surplus:
        return Drift(lacking, surplus)
    if len(actual) != len(wanted):
        return Drift(grouping=f"has {len(actual)} key group(s), where the rule has {len(wanted)}")
    if Counter(map(frozenset, actual)) != Counter(map(frozenset, wanted)):
        return Drift(grouping="has its recipients in other key groups than the rule")
    needed = rule.shamir_threshold or len(wanted)
    if len(wanted) == 1 or groups_needed == needed:
        return Drift()
    says = "says" if rule.shamir_threshold else "has no shamir_threshold, and so means"
    return Drift(threshold=f"opens with {groups_needed} of its key groups, where the rule {says} {needed}")


def _names(group: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(recipient_id, group)))


def _beyond(some: Iterable[Sequence[str]], others: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The names in `some` groups that are in none of the others."""
    known = {name for group in others for name in group}
    return tuple(dict.fromkeys(name for group in some for name in group if name not in known))


def _access(document: DocumentFile, metadata: Metadata, config: SopsConfig | None) -> Access:
    differs: Drift | None = None
    problem: ArcanError | None = None
    if config is not None:
        try:
            differs = drift(metadata, config.rule_for(document.path))
            problem = wrong_recipients(document, differs, config) if differs else None
        except (NoRule, InvalidFile) as error:
            problem = error
    groups = tuple((*group.recipients, *group.others) for group in metadata.groups)
    return Access(document, groups, metadata.groups_needed, differs, problem)


def wrong_recipients(document: DocumentFile, differs: Drift, config: SopsConfig) -> ArcanError:
    """The drift as a problem, with the commands that mend it."""
    where = f"{document.realm} --env {document.environment}"
    hint = f"run 'arcan realm updatekeys {where}'"
    if differs.selection:
        hint = f"run 'arcan realm rotate {where}', which encrypts it anew by the rule"
    elif differs.surplus:
        hint += f"; if somebody left, run 'arcan realm rotate {where}' instead, and change the secrets"
    elif differs.threshold:
        hint = f"write the shamir_threshold that is meant into the rule, and {hint}"
    if any(name in KEY_TYPES for name in (*differs.lacking, *differs.surplus)):
        update = f"sops updatekeys {shlex.quote(str(document.path))}"
        hint = f"run: {update}; keys other than age's are not wrapped here"
    return ArcanError(
        f"{document.path}: {'its recipients are not those' if differs.of_keys else 'is not as the rule'} of "
        f"{config.path}: {differs}",
        hint=hint,
    )
