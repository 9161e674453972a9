"""What a new repository holds. Files that people read are kept in `files/`; rules and overlays are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import ClassVar, Final, NoReturn

from arcan_gitops.names import EnvironmentName, InvalidName, OverlayName, RealmName
from arcan_gitops.overlay.declaring import declare_overlay
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.yamlio import emit

_FILES: Final = Path(__file__).resolve().parent / "files"

# path in the repository -> the file that it is a copy of
_COPIES: Final = {
    ".github/dependabot.yml": "dependabot.yml",
    ".github/workflows/manifests.yml": "manifests.yml",
    ".github/workflows/realms.yml": "realms.yml",
    ".gitignore": "gitignore",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    "realms/README.md": "realms.md",
}
# the same, for texts in which $names stand for what was asked for
_TEMPLATES: Final = {
    ".github/CODEOWNERS": "CODEOWNERS",
    "README.md": "README.md",
    "kustomize/apps/README.md": "apps.md",
    "requirements.txt": "requirements.txt",
}
_SOPS_HEADER: Final = """\
# For whom each document is encrypted: one rule for each realm and environment, the first that matches counts.
# After a change: arcan realm updatekeys --all. Who was removed still knows the values: arcan realm rotate,
# and change the values themselves.
"""


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


class Package(str):
    """Arcan itself, as a requirement of pip's (PEP 508): with a version, or with the place where it is."""

    __slots__ = ()
    _grammar: ClassVar = re.compile(
        r"arcan-gitops(?:==[\w.+!-]+| @ [a-z+]+://[^\s#]+(?:#[\w=&:.-]+)?)", re.ASCII
    )

    @classmethod
    def parse(cls, text: str) -> Package:
        """Raises `InvalidName`."""
        if cls._grammar.fullmatch(text) is None:
            raise InvalidName(
                f"{text[:80]!r} is not a requirement of arcan-gitops",
                hint="write 'arcan-gitops==VERSION' or 'arcan-gitops @ git+https://HOST/PATH@COMMIT'",
            )
        return cls(text)


@dataclass(frozen=True, slots=True)
class Layout:
    """What was asked for. `package` is what the checks of the repository install, as pip names it."""

    realms: tuple[RealmName, ...]
    environments: tuple[EnvironmentName, ...]
    recipients: tuple[str, ...]
    owner: Owner
    package: Package


def layout_files(layout: Layout) -> Mapping[str, str]:
    """Path below the repository's root -> text, sorted by path."""
    realm, environment = layout.realms[0], layout.environments[0]
    words = {
        "realm": realm,
        "environment": environment,
        "document": f"realms/{realm}/{environment}.sops.yaml",
        "owner": layout.owner,
        "package": layout.package,
        "realm_owners": "\n".join(f"/realms/{name}/ {layout.owner}" for name in layout.realms),
    }
    made = {".sops.yaml": _sops_rules(layout), f"kustomize/{SETTINGS_FILE}": _settings(layout)}
    copies = {path: _text(name) for path, name in _COPIES.items()}
    filled = {path: Template(_text(name)).substitute(words) for path, name in _TEMPLATES.items()}
    return dict(sorted({**made, **copies, **filled}.items()))


def _text(name: str) -> str:
    return (_FILES / name).read_text("utf-8")


def _sops_rules(layout: Layout) -> str:
    rules = [
        {
            "path_regex": rf"^realms/{realm}/{environment}\.sops\.yaml$",
            "age": ",".join(layout.recipients),
        }
        for realm in layout.realms
        for environment in layout.environments
    ]
    return _SOPS_HEADER + emit([{"creation_rules": rules}]).removeprefix("---\n")


def _settings(layout: Layout) -> str:
    """arcan.yaml, with an overlay for each environment."""
    overlays = {OverlayName(name): {"environment": name} for name in layout.environments}
    return declare_overlay(_text(SETTINGS_FILE).encode(), SETTINGS_FILE, overlays, _no_ca_file).decode()


def _no_ca_file(path: str) -> NoReturn:
    raise AssertionError(f"the file of a new repository names no other file, and here is {path}")
