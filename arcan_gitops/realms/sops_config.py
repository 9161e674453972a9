"""`.sops.yaml`: for whom its creation rules say that a document is encrypted.

Source: getsops/sops config/config.go: the first rule whose `path_regex` is found in the path counts, the
path being relative to the folder of `.sops.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import re2

from arcan_gitops.realms.tree import read_file
from arcan_gitops.yamlio import InvalidFile, read_foreign

CONFIG_FILE: Final = ".sops.yaml"


@dataclass(frozen=True, slots=True)
class CreationRule:
    """One rule: where it applies, and the age recipients that it names."""

    path_regex: str | None
    recipients: frozenset[str]

    def applies_to(self, path: str) -> bool:
        """Whether the rule is for the path, relative to the configuration's folder."""
        return self.path_regex is None or re2.search(self.path_regex, path) is not None


@dataclass(frozen=True, slots=True)
class SopsConfig:
    """The creation rules of one `.sops.yaml`."""

    path: Path
    rules: tuple[CreationRule, ...]

    @classmethod
    def find(cls, realms: Path) -> SopsConfig | None:
        """The configuration in the folder of the realms or the one above it. Raises `InvalidFile`."""
        for folder in (realms, realms.resolve().parent):
            path = folder / CONFIG_FILE
            if path.is_file():
                return cls.parse(read_file(path), path)
        return None

    @classmethod
    def parse(cls, data: bytes, path: Path) -> SopsConfig:
        """Raises `InvalidFile` for what is no list of creation rules."""
        root = read_foreign(data, str(path))
        listed = root.get("creation_rules") if isinstance(root, dict) else None
        if not isinstance(listed, list) or not all(isinstance(rule, dict) for rule in listed):
            raise InvalidFile(f"{path}: 'creation_rules' must be a list of rules")
        rules = []
        for number, rule in enumerate(listed, start=1):
            regex = rule.get("path_regex")
            try:
                if regex is not None:
                    options = re2.Options()
                    options.log_errors = False
                    re2.compile(regex, options=options)
            except (re2.error, TypeError):
                raise InvalidFile(f"{path}: rule {number}: path_regex is not a regular expression") from None
            rules.append(CreationRule(regex, frozenset(_recipients(rule))))
        return cls(path, tuple(rules))

    def rule_for(self, document: Path) -> CreationRule | None:
        """The rule that SOPS would take for the document, or None."""
        relative = document.resolve().relative_to(self.path.resolve().parent).as_posix()
        return next((rule for rule in self.rules if rule.applies_to(relative)), None)


def _recipients(group: dict[str, Any]) -> list[str]:
    age = group.get("age") or []
    listed = age.split(",") if isinstance(age, str) else age
    found = [text.strip() for text in listed if isinstance(text, str) and text.strip()]
    for nested in ("key_groups", "merge"):
        for inner in group.get(nested) or []:
            if isinstance(inner, dict):
                found += _recipients(inner)
    return found
