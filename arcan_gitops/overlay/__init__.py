"""Declared apps -> stores and ExternalSecrets -> a Kustomize tree on disk; pure up to the last step.

`Catalogue` says what exists, and the caller fills it; nothing here reads a realm.
"""

from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.app_schema import app_schema
from arcan_gitops.overlay.build import build_overlays
from arcan_gitops.overlay.catalogue import Catalogue, Contents, TokenScope
from arcan_gitops.overlay.check import find_warnings
from arcan_gitops.overlay.project import Declared, read_apps, read_declaration, read_declared, read_settings
from arcan_gitops.overlay.quickstart import Consumer, quickstart
from arcan_gitops.overlay.settings import Settings, StoreSettings
from arcan_gitops.overlay.tree import Changes, Comparison, ForeignFiles, Tree, compare

__all__ = [
    "App",
    "Catalogue",
    "Changes",
    "Comparison",
    "Consumer",
    "Contents",
    "Declared",
    "ForeignFiles",
    "Settings",
    "StoreSettings",
    "TokenScope",
    "Tree",
    "app_schema",
    "build_overlays",
    "compare",
    "find_warnings",
    "quickstart",
    "read_apps",
    "read_declaration",
    "read_declared",
    "read_settings",
]
