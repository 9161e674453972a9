"""The HTTPS edge: Flask behind Granian, one order of decisions, an audit line before each answer."""

from arcan_gitops.server.audit import AuditFailed, AuditLog
from arcan_gitops.server.config import ServerConfig
from arcan_gitops.server.listeners import CannotServe
from arcan_gitops.server.run import serve

__all__ = [
    "AuditFailed",
    "AuditLog",
    "CannotServe",
    "ServerConfig",
    "serve",
]
