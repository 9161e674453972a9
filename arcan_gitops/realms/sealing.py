"""How a new document is encrypted: by which rule of `.sops.yaml`, and for whom. It takes no private key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import values_of
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.sops import Recipients, encrypt


@dataclass(frozen=True, slots=True)
class Sealing:
    """What makes the document at `path`, which is bound to `place` (`REALM/ENVIRONMENT`)."""

    path: Path
    place: str
    rule: CreationRule
    recipients: Recipients
    settings: RealmSettings

    @classmethod
    def plan(cls, config: SopsConfig, path: Path, place: str, settings: RealmSettings) -> Sealing:
        """By the rule for the path. Raises `NoRule`, `InvalidFile`, and `Unsupported` for a rule that is not
        native.
        """
        rule = config.rule_for(path)
        try:
            recipients = rule.recipients()
        except ArcanError as error:
            raise error.located(config.path) from None
        return cls(path, place, rule, recipients, settings)

    def seal(self, values: Mapping[str, Any]) -> bytes:
        """A new document of the values, under a data key of its own.

        Raises, naming the path, what the server would refuse to load.
        """
        try:
            values_of(values, self.settings)
            return encrypt(
                {str(key): value for key, value in values.items()},
                recipients=self.recipients,
                rule=self.rule.selection,
                mac_only=self.rule.mac_only_encrypted,
                limits=self.settings.limits,
                place=self.place,
            )
        except ArcanError as error:
            raise error.located(self.path) from None
