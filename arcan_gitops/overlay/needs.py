"""What stores read and nobody generates, because Git must not hold it: one class for each kind of object.

Their texts are the comments at the top of the generated files.
"""

from __future__ import annotations

from dataclasses import dataclass

from arcan_gitops.names import KeyName, ObjectName
from arcan_gitops.overlay.references import SecretKey, ServiceAccount
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE


@dataclass(frozen=True, slots=True)
class SecretNeed:
    """A key of a Kubernetes Secret, and what it is; no `key` where a template takes those that it likes.

    `labelled`: with the label without which ESO's webhook provider refuses to read it.
    """

    name: ObjectName
    key: KeyName | None
    what: str = ""
    labelled: bool = False

    def __str__(self) -> str:
        key = "" if self.key is None else f", key {self.key}"
        what = f": {self.what}" if self.what else ""
        label = f", label {SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}" if self.labelled else ""
        return f"Secret {self.name}{key}{what}{label}"


@dataclass(frozen=True, slots=True)
class CaNeed:
    """A key of a ConfigMap: the CA of the server that the store reads."""

    name: ObjectName
    key: KeyName

    def __str__(self) -> str:
        return f"ConfigMap {self.name}, key {self.key}: the CA of the server's certificate"


@dataclass(frozen=True, slots=True)
class CaSecretNeed:
    """A key of a Secret that the cluster makes: such a CA, as cert-manager keeps it."""

    name: ObjectName
    key: KeyName

    def __str__(self) -> str:
        return f"Secret {self.name}, key {self.key}: the CA of the server's certificate, made by the cluster"


@dataclass(frozen=True, slots=True)
class AccountNeed:
    """A ServiceAccount, and what it is bound to; nothing about it is secret."""

    name: ObjectName
    what: str

    def __str__(self) -> str:
        return f"ServiceAccount {self.name}: {self.what}"


Need = SecretNeed | CaNeed | CaSecretNeed | AccountNeed


def secret_need(ref: SecretKey, what: str) -> SecretNeed:
    """The need of a reference."""
    return SecretNeed(ref.name, ref.key, what)


def account_need(account: ServiceAccount, what: str) -> AccountNeed:
    """The need of a reference."""
    return AccountNeed(account.name, what)
