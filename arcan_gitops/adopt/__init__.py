"""Apps declared from the ExternalSecrets that read another system, once its secrets are in a realm.

An ExternalSecret is declared as a whole or not at all: a Kubernetes Secret that lacks a key is worse than one
that somebody still has to declare.
"""

from __future__ import annotations

from arcan_gitops.adopt.apps import AdoptedApp, Declaration, declare_apps
from arcan_gitops.adopt.imported import Imported, ImportedKey
from arcan_gitops.adopt.secrets import declared_by_references, declared_by_result

__all__ = [
    "AdoptedApp",
    "Declaration",
    "Imported",
    "ImportedKey",
    "declare_apps",
    "declared_by_references",
    "declared_by_result",
]
