"""What a new repository holds. Files that people read are kept in `files/`; rules and overlays are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import ClassVar, Final, NoReturn

from arcan_gitops.names import EnvironmentName, InvalidName, OverlayName, RealmName
from arcan_gitops.overlay.argocd.section import with_section
from arcan_gitops.overlay.argocd.settings import Repository
from arcan_gitops.overlay.declaring import declare_overlay
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.scaffold.package import Package

_FILES: Final = Path(__file__).resolve().parent / "files"

# path in the repository -> the file that it is a copy of
_COPIES: Final = {
    ".github/dependabot.yml": "dependabot.yml",
    ".github/workflows/manifests.yml": "manifests.yml",
    ".github/workflows/comment.yml": "comment.yml",
    ".github/workflows/gains.yml": "gains.yml",
    ".github/workflows/gate.yml": "gate.yml",
    ".github/workflows/realms.yml": "realms.yml",
    ".github/workflows/review.yml": "review.yml",
    ".github/workflows/reviewed.yml": "reviewed.yml",
    ".gitignore": "gitignore",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    "realms/README.md": "realms.md",
}
# the same, for texts in which $names stand for what was asked for
_TEMPLATES: Final = {
    ".github/CODEOWNERS": "CODEOWNERS",
    "README.md": "README.md",
    "kustomize/apps/README.md": "apps.md",
}
_SOPS_HEADER: Final = """\
# For whom each document is encrypted: one rule for each realm and environment, the first that matches counts.
# Each is for both layouts: realms/REALM/ENV.sops.yaml, and realms/REALM/ENV/KEY.sops.yaml for each key.
# The recipients of an environment open it alone: its server's, and those of the people who edit it. Whoever
# has the break-glass identity opens all of them: it is for the day on which a server's identity is lost, and
# is kept offline until then.
# After a change: arcan realm updatekeys --all. Who was removed still knows the values: arcan realm rotate,
# and change the values themselves.
"""
_IN_FILES: Final = (
    "Each key has a file, so that pull requests on different keys merge by themselves, and anybody who has\n"
    "the repository sets a value, without an identity."
)
_IN_A_DOCUMENT: Final = (
    "An environment is one document, in which any two pull requests conflict, and who sets a value can read\n"
    "all; a file for each key is recommended where more than one person changes secrets."
)
_INSTALL: Final = "run: INSTALL\n"  # in a workflow


class Owner(str):
    """Who reviews changes, as GitHub's CODEOWNERS names them: `@org/team`, `@user` or an address."""

    __slots__ = ()
    _grammar: ClassVar = re.compile(r"@[\w.-]+(?:/[\w.-]+)?|[\w.+-]+@[\w.-]+", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> Owner:
        """Raises `InvalidName`."""
        if cls._grammar.fullmatch(text) is None:
            raise InvalidName(f"{text[:80]!r} is not an owner", hint="write @org/team, @user or an address")
        return cls(text)


@dataclass(frozen=True, slots=True)
class Layout:
    """What was asked for. `recipients` has those of each environment, its server's among them; who holds the
    identity of a `break_glass` recipient can open every environment. `repository` is where Argo CD finds it.
    """

    realms: tuple[RealmName, ...]
    recipients: Mapping[EnvironmentName, tuple[str, ...]]
    break_glass: tuple[str, ...]
    owner: Owner
    package: Package
    repository: Repository | None = None
    in_files: bool = True  # a file for each key

    @property
    def environments(self) -> tuple[EnvironmentName, ...]:
        """Each is an overlay too."""
        return tuple(self.recipients)


def layout_files(layout: Layout) -> Mapping[str, bytes]:
    """Path below the repository's root -> content, sorted by path."""
    realm, environment = layout.realms[0], layout.environments[0]
    words = {
        "realm": realm,
        "environment": environment,
        "layout": "" if layout.in_files else " --layout document",
        "which_layout": _IN_FILES if layout.in_files else _IN_A_DOCUMENT,
        "identity": "Reading, `edit` and `rename` take an identity of a recipient"
        if layout.in_files
        else "Editing takes an identity of a recipient",
        "owner": layout.owner,
        "install": "\n".join(f"    {command}" for command in layout.package.commands),
        "realm_owners": "\n".join(f"/realms/{name}/ {layout.owner}" for name in layout.realms),
    }
    made = {".sops.yaml": _sops_rules(layout), f"kustomize/{SETTINGS_FILE}": _settings(layout)}
    copies = {path: _text(name).replace(_INSTALL, _step(layout.package)) for path, name in _COPIES.items()}
    filled = {path: Template(_text(name)).substitute(words) for path, name in _TEMPLATES.items()}
    realms = {f"realms/{name}/realm.yaml": _text("realm.yaml") for name in layout.realms}
    texts = {path: text.encode() for path, text in {**made, **copies, **filled, **realms}.items()}
    return dict(sorted({**texts, **layout.package.files}.items()))


def _step(package: Package) -> str:
    """The installing step of a workflow."""
    if len(package.commands) == 1:
        return f"run: {package.commands[0]}\n"
    return "run: |\n" + "".join(f"          {command}\n" for command in package.commands)


def _text(name: str) -> str:
    return (_FILES / name).read_text("utf-8")


def _sops_rules(layout: Layout) -> str:
    """By hand, for a comment names whose each recipient is: `arcan realm recipients` shows it."""
    lines = [_SOPS_HEADER + "creation_rules:\n"]
    for realm in layout.realms:
        for environment, recipients in layout.recipients.items():
            lines.append(rf"  - path_regex: ^realms/{realm}/{environment}(/[^/]+)?\.sops\.yaml$" + "\n")
            lines.append("    key_groups:\n      - age:\n")
            lines += [f"          - {_quoted(each)} # {environment}\n" for each in recipients]
            lines += [f"          - {_quoted(each)} # break glass\n" for each in layout.break_glass]
    return "".join(lines)


def _quoted(recipient: str) -> str:
    """An SSH key has spaces, and its comment may have anything."""
    return recipient if recipient.isalnum() else "'" + recipient.replace("'", "''") + "'"


def _settings(layout: Layout) -> str:
    """arcan.yaml, with an overlay for each environment."""
    overlays = {OverlayName(name): {"environment": name} for name in layout.environments}
    declared = declare_overlay(_text(SETTINGS_FILE).encode(), SETTINGS_FILE, overlays, _no_ca_file)
    return with_section(declared.decode(), layout.repository)


def _no_ca_file(path: str) -> NoReturn:
    raise AssertionError(f"the file of a new repository names no other file, and here is {path}")
