"""New wrapped keys for documents: `updatekeys` and `rotate`, each file by itself, whole or not at all.

For whom is decided by `.sops.yaml` alone: nothing authenticates the recipients that a document names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.editing import OpenDocument
from arcan_gitops.realms.recipients import Drift, drift, metadata_of
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.sops import Recipients
from arcan_gitops.sops.metadata import DEFAULT_RULE


@dataclass(frozen=True, slots=True)
class Rewrap:
    """New wrapped keys for one document: `differs` is how its recipients are not the rule's until then.

    `needed` of the recipients' groups open it from then on, 0 for its only one. `selection` (name, argument)
    and `mac_only` are those of the rule, which only `rotate` applies.
    """

    recipients: Recipients
    needed: int
    differs: Drift
    selection: tuple[str, str]
    mac_only: bool


@dataclass(frozen=True, slots=True)
class UpToDate:
    """There is nothing to update; `note` says what still differs from the rule, and is empty otherwise."""

    note: str


def plan_update(opened: OpenDocument, config: SopsConfig) -> Rewrap | UpToDate:
    """What `updatekeys` means for a document; nothing is decrypted or written.

    Like sops's, it keeps the document's threshold where the rule names none. Raises `ArcanError`s that name
    the path: `NoRule`, `Unsupported` where the rule has key types that are not native and the document
    differs from it, and what is wrong with the document.
    """
    rule = config.rule_for(opened.file.path)
    differs = drift(metadata_of(opened.data, opened.file.path), rule)
    if differs.of_keys and (rule.shamir_threshold or not differs.threshold):
        return _plan(opened, config, rule)
    rotate = f"{differs.selection}: 'arcan realm rotate' applies that" if differs.selection else ""
    return UpToDate("; ".join(filter(None, (differs.threshold, rotate))))


def plan_rotation(opened: OpenDocument, config: SopsConfig) -> Rewrap:
    """What `rotate` means for a document: all of the rule; nothing is decrypted or written.

    Without a threshold in the rule all key groups are needed from then on. Raises as `plan_update`.
    """
    rule = config.rule_for(opened.file.path)
    plan = _plan(opened, config, rule)
    recipients = replace(plan.recipients, threshold=plan.recipients.threshold or len(rule.groups))
    return replace(plan, recipients=recipients, needed=recipients.needed())


def _plan(opened: OpenDocument, config: SopsConfig, rule: CreationRule) -> Rewrap:
    try:
        recipients = rule.recipients()
    except ArcanError as error:
        raise error.located(f"{opened.file.path}: {config.path}") from None
    metadata = metadata_of(opened.data, opened.file.path)
    return Rewrap(
        recipients,
        recipients.needed(metadata),
        drift(metadata, rule),
        rule.selection or DEFAULT_RULE,
        rule.mac_only_encrypted,
    )


def updatekeys(opened: OpenDocument, rewrap: Rewrap) -> None:
    """Wrap the data key of a document for the recipients of a plan; its values stay as they are.

    Raises as `OpenDocument.load` and `OpenDocument.save` do, and `Unsupported`; the file is then as it was.
    """
    document = opened.load()
    try:
        document.updatekeys(rewrap.recipients)
    except ArcanError as error:
        raise error.located(opened.file.path) from None
    opened.save(document)


def rotate(opened: OpenDocument, rewrap: Rewrap, allow_clear: Sequence[str] = ()) -> None:
    """Encrypt a document under a new data key, for the recipients of a plan and by its rule.

    Raises as `updatekeys`, and `ClearLeaf` where a value would come to stand in clear that is encrypted now,
    unless `allow_clear` names its top-level key.
    """
    document = opened.load()
    try:
        document.rotate(
            rewrap.recipients, rule=rewrap.selection, mac_only=rewrap.mac_only, allow_clear=allow_clear
        )
    except ArcanError as error:
        raise error.located(opened.file.path) from None
    opened.save(document)
