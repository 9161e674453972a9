"""Many SOPS documents -> one `Snapshot`; and the repository that loads it again when files change."""

from arcan_gitops.realms.binding import Demands
from arcan_gitops.realms.kept import KeptDocuments
from arcan_gitops.realms.loading import Keeping
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.repository import Reload, Repository
from arcan_gitops.realms.selection import BadSelection, Selection
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import Environment, Snapshot, Tokens
from arcan_gitops.realms.text import NoText, text_of
from arcan_gitops.realms.tree import BadLayout, CannotRead, DocumentFile, RealmTree

__all__ = [
    "BadLayout",
    "BadSelection",
    "CannotRead",
    "Demands",
    "DocumentFile",
    "Environment",
    "Keeping",
    "KeptDocuments",
    "NoText",
    "Opener",
    "RealmSettings",
    "RealmTree",
    "Reload",
    "Repository",
    "Selection",
    "Snapshot",
    "Tokens",
    "text_of",
]
