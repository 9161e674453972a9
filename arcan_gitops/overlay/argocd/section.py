"""The section `argocd` in the text of `arcan.yaml`, for a file that has none: a comment where it is not known
where this repository is.
"""

from __future__ import annotations

import re
from typing import Final

from arcan_gitops.overlay.argocd.settings import Repository

_PLACE: Final = "https://git.example.com/platform/secrets.git"
_THERE: Final = re.compile(r"^(?:# ?)?argocd:", re.MULTILINE)


def with_section(text: str, repository: Repository | None) -> str:
    """The text with a section more at its end; as it is where it has one, or one that is a comment."""
    if _THERE.search(text) is not None:
        return text
    lines = [
        "# Applications for Argo CD, one for each namespace of an overlay: kustomize/argocd. Once, by hand:",
        "# kubectl apply --server-side -k kustomize/argocd",
    ]
    section = ["argocd:", f"  repository: {repository or _PLACE} # this repository, as Argo CD clones it"]
    options = [
        "  # version: 3.1.9 # of Argo CD, as `argocd version` shows it: known vulnerabilities are told",
        "  # namespaces: listed # the Applications reach just the namespaces of the apps",
    ]
    if repository is None:
        section = [f"# {line}" for line in section]
        options = [f"# {line}" for line in options]
    return text.rstrip("\n") + "\n\n" * bool(text) + "\n".join([*lines, *section, *options]) + "\n"
