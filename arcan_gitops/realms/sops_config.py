"""`.sops.yaml`: which of its creation rules is for a document, and who its recipients are.

sops looks for the file from the current folder upward. Here it is the one in the folder of the realms, or the
one above that, so that no answer depends on where a command is run. Source: getsops/sops config/config.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import nearest
from arcan_gitops.realms.creation_rules import CreationRule, applies
from arcan_gitops.realms.files import read_file
from arcan_gitops.realms.layout import DOCUMENT_SUFFIX
from arcan_gitops.yamlio import Fields, InvalidFile, read_foreign_mapping

CONFIG_FILE: Final = ".sops.yaml"
_IGNORED: Final = ".sops.yml"
_MAX_BYTES: Final = 1024 * 1024
_MAX_NAME: Final = 40
_SPECIAL: Final = re.compile(r"[.+*?()|\[\]{}^$\\]")
_KEY: Final = re.compile(r"\b(?:age1[0-9a-z]{10,}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/=]{20,})")
_ANCHOR: Final = re.compile(r"(?<!\S)&([^\s&]+)\s+[\"']?\Z")
_COMMENT: Final = re.compile(r"\s#+\s*(\S.*)")
_COMMENT_ABOVE: Final = re.compile(r"#+\s*(\S.*)")
_MAX_LINE: Final = 16 * 1024  # for names; a recipient has up to 8,192 characters
_ITEM: Final = re.compile(r"\s*-\s+[\"']?\Z")


class NoRule(ArcanError):
    """No creation rule is for a document, or there is no `.sops.yaml` at all."""


@dataclass(frozen=True, slots=True)
class SopsConfig:
    """The creation rules of one `.sops.yaml`; `names` are those of recipients, by `recipient_id`; `realms` is
    the folder that it was looked for from.

    What sops ignores there is ignored, and a rule is judged when it is the one for a document.
    """

    path: Path
    listed: tuple[Fields, ...] = field(repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    realms: Path | None = None
    # what was found out so far: of 10,000 key files most are in one folder, and have one rule
    _rules: dict[int, CreationRule] = field(default_factory=dict, repr=False, compare=False)
    _folders: dict[Path, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def find(cls, realms: Path) -> SopsConfig | None:
        """The configuration in the folder of the realms or the one above it.

        Raises `InvalidFile`, `CannotRead`.
        """
        for path in (realms / CONFIG_FILE, _above(realms)):
            if path.is_file():
                return cls.parse(read_file(path), path, realms)
        return None

    @classmethod
    def required(cls, realms: Path) -> SopsConfig:
        """The same where there must be one. Raises `NoRule` too."""
        config = cls.find(realms)
        if config is None:
            raise NoRule(
                f"there is no {CONFIG_FILE} in {realms} or the folder above: it says who can read what",
                hint=[
                    f"write {_above(realms)}, which sops uses too:",
                    "creation_rules:",
                    *example(f"{realms.resolve().name}/REALM/ENVIRONMENT"),
                ],
            )
        return config

    @classmethod
    def parse(cls, data: bytes, path: Path, realms: Path | None = None) -> SopsConfig:
        """Raises `InvalidFile`, with the line, for what is no list of rules."""
        if len(data) > _MAX_BYTES:
            raise InvalidFile(f"{path}: has more than {_MAX_BYTES} bytes")
        root = read_foreign_mapping(data, str(path))
        if "creation_rules" not in root:
            near = nearest("creation_rules", root.names())
            hint = "list there for whom documents are encrypted"
            if near is not None:
                hint = f"'{near}' is ignored by sops: did you mean 'creation_rules'?"
            root.fail("'creation_rules' is missing", field=near, hint=hint)
        names = recipient_names(data.decode("utf-8", "replace"))
        return cls(path, root.mappings("creation_rules"), names, realms)

    @property
    def rules(self) -> tuple[CreationRule, ...]:
        """Those of the rules that are sound."""
        found = []
        for number, fields in enumerate(self.listed, start=1):
            with suppress(InvalidFile):
                found.append(CreationRule.parse(fields, number))
        return tuple(found)

    def rule_for(self, document: Path) -> CreationRule:
        """The rule that SOPS takes for a document of a realm: the first one that is for its path.

        Raises `NoRule` where there is none, with the one to add as the hint, and where it names nobody; and
        `InvalidFile`, with line and rule number, for what is wrong with it.
        """
        path = self._relative(document)
        for number, fields in enumerate(self.listed, start=1):
            if not applies(fields, number, path):
                continue
            if number not in self._rules:
                self._rules[number] = CreationRule.parse(fields, number)
            rule = self._rules[number]
            if not rule.groups:
                raise NoRule(
                    f"{document}: {rule.name} of {self.path} is for it, and names no recipient",
                    hint="add one to the rule: age: age1...",
                )
            return rule
        raise NoRule(
            f"{document}: no rule of {self.path} is for it",
            hint=[f"add one to {self.path}, such as:", *self.example_for(document)],
        )

    def example_for(self, document: Path) -> tuple[str, str]:
        """The lines of a rule for the environment of a document, or of a key file, in either layout."""
        path, of_key = self._relative(document), self._below(document) > 2
        return example(path.rpartition("/")[0] if of_key else path.removesuffix(DOCUMENT_SUFFIX))

    def _below(self, document: Path) -> int:
        """How far a file is below the folder of the realms: 2 for REALM/ENV.sops.yaml, 3 for a key file."""
        if self.realms is None or not document.is_relative_to(self.realms):
            return 2
        return len(document.relative_to(self.realms).parts)

    def _relative(self, document: Path) -> str:
        """The path as the rules see it. The folder of the realms may be a link; below it, names count."""
        above = document.parent
        if above not in self._folders:
            folder, below = self.path.parent.resolve(), self._below(document)
            path = Path(document.parents[below - 1].resolve(), *above.parts[len(above.parts) + 1 - below :])
            inside = path.relative_to(folder) if path.is_relative_to(folder) else path
            self._folders[above] = "" if inside == Path() else f"{inside.as_posix()}/"
        return f"{self._folders[above]}{document.name}"


def ignored_files(realms: Path) -> tuple[Path, ...]:
    """The files that are not read because of their name, by sops neither: `.sops.yml`."""
    places = (realms / _IGNORED, _above(realms).with_name(_IGNORED))
    return tuple(path for path in places if path.is_file())


def _above(realms: Path) -> Path:
    """The configuration in the folder above that of the realms, by a short path where there is one."""
    above = realms.resolve().parent
    return (realms.parent if realms.parent.resolve() == above else above) / CONFIG_FILE


def example(environment: str) -> tuple[str, str]:
    """The lines of a creation rule for an environment, as one document or as key files, and nothing else."""
    return f"  - path_regex: {path_regex(environment)}", "    age: age1..."


def path_regex(environment: str) -> str:
    """What matches an environment (`realms/production/prod`) in either layout."""
    escaped = _SPECIAL.sub(r"\\\g<0>", environment)
    return rf"^{escaped}(/[^/]+)?\.sops\.yaml$"


def recipient_id(recipient: str) -> str:
    """The recipient without the comment that an SSH key may end with."""
    return " ".join(recipient.split()[:2]) if recipient.startswith("ssh-") else recipient


def recipient_names(text: str) -> dict[str, str]:
    """What the text of a `.sops.yaml` calls its recipients, by `recipient_id`.

    It is an anchor (`- &alice age1...`), a comment behind the only key of a line, a comment above a line
    that is one item of a list, or the comment inside an SSH key.
    """
    names: dict[str, str] = {}
    above = ""
    for whole in text.splitlines():
        line = whole.rstrip()
        if len(line) > _MAX_LINE:
            above = ""
            continue
        found = list(_KEY.finditer(line))
        for key in found:
            before, behind = line[: key.start()], line[key.end() :]
            anchor = _ANCHOR.search(before)
            comment = _COMMENT.search(behind) if len(found) == 1 else None
            name = anchor[1] if anchor else comment[1] if comment else above if _ITEM.match(before) else ""
            if not name and key[0].startswith("ssh-"):
                name = behind.split(",")[0].strip(" \"'")
            if name and "#" not in before:
                names.setdefault(recipient_id(key[0]), name[:_MAX_NAME])
        comment = _COMMENT_ABOVE.match(line.lstrip())
        above = comment[1] if comment else ""
    return names
