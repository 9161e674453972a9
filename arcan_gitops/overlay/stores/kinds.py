"""The kinds of store that `stores` in arcan.yaml declares, by the field that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from arcan_gitops.overlay.stores.aws import Aws
from arcan_gitops.overlay.stores.infisical import Infisical
from arcan_gitops.overlay.stores.raw import Raw
from arcan_gitops.overlay.stores.store import DeclaredBackend
from arcan_gitops.overlay.stores.vault import Vault
from arcan_gitops.overlay.stores.webhook import Webhook

KINDS: Final[Mapping[str, type[DeclaredBackend]]] = {
    "aws": Aws,
    "infisical": Infisical,
    "raw": Raw,
    "vault": Vault,
    "webhook": Webhook,
}
