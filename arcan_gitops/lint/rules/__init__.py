"""All rules, by id. Where a number is free, it is free on purpose: subjects have tens of their own."""

from __future__ import annotations

from typing import Final

from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules import (
    admission,
    api,
    cluster_stores,
    external_secrets,
    gatekeeper,
    installation,
    monitoring,
    push,
    renamed,
    secret_templates,
    webhook_fields,
    webhook_templates,
    webhook_url,
    yaml_text,
)

RULES: Final[tuple[Rule, ...]] = (
    *yaml_text.RULES,
    *api.RULES,
    *webhook_url.RULES,
    *webhook_fields.RULES,
    *webhook_templates.RULES,
    *push.RULES,
    *cluster_stores.RULES,
    *renamed.RULES,
    *external_secrets.RULES,
    *secret_templates.RULES,
    *installation.RULES,
    *monitoring.RULES,
    *gatekeeper.RULES,
    *admission.RULES,
)
