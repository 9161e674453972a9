"""Credentials that stand in a manifest in clear."""

from __future__ import annotations

from arcan_gitops.lint.rules.templates import PLACEHOLDER, without_actions
from arcan_gitops.lint.rules.webhook_url import authority
from arcan_gitops.webhook import CREDENTIAL_NAME


def credentials_in(url: str) -> bool:
    """Whether a URL holds a password, or a token as a parameter, that is not a template."""
    if "@" in authority(url) and not authority(url).startswith(PLACEHOLDER):
        return True
    query = without_actions(url).replace(PLACEHOLDER, "").partition("#")[0].partition("?")[2]
    pairs = (part.partition("=") for part in query.split("&"))
    return any(value and CREDENTIAL_NAME.search(name) for name, _, value in pairs)
