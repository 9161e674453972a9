"""The parameters of the policies on stores and generators: the same two for each, each in its manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from arcan_gitops.deploy.patches import json_patch, target_of
from arcan_gitops.names import Namespace, ObjectName
from arcan_gitops.yamlio import Fields

POLICIES: Final = "policies/"  # what the names of their components start with
AUTHORITY: Final = "arcan.arcan.svc:9797"  # the host that the components are written with
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class StorePolicy:
    """`server.deploy.policies`: what is let in beside the stores of the server."""

    allowed_hosts: tuple[str, ...] = ()  # host:port, as in the stores' URLs
    # namespace/name of a SecretStore or Webhook generator, name of a ClusterSecretStore or ClusterGenerator
    exempt_stores: tuple[str, ...] = ()

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Raises `InvalidFile`, with the line."""
        fields.only("allowedHosts", "exemptStores")
        hosts = fields.optional_texts("allowedHosts") or ()
        for host in hosts:
            if _HOST.fullmatch(host) is None:
                fields.fail(
                    f"{host[:80]!r} is not a host",
                    field="allowedHosts",
                    hint="write it as it stands in the store's URL: vault.internal:8200",
                )
        stores = fields.optional_texts("exemptStores") or ()
        for store in stores:
            namespace, slash, name = store.rpartition("/")
            if slash:
                fields.parse("exemptStores", Namespace, namespace)
            fields.parse("exemptStores", ObjectName, name)
        return cls(hosts, stores)


NO_EXCEPTIONS: Final = StorePolicy()


@dataclass(frozen=True, slots=True)
class _Component:
    """Where a component holds the two parameters (JSON pointers, RFC 6901), and in which form."""

    group: str
    version: str
    kind: str
    hosts: str
    stores: str
    is_cel: bool

    def patch(self, hosts: Sequence[str], stores: Sequence[str]) -> dict[str, Any]:
        """The patch that puts these there; without exemptions, those of the component stay."""
        changes = [(self.hosts, self._written(hosts))]
        if stores:
            changes.append((self.stores, self._written(stores)))
        return json_patch(target_of(self.group, self.version, self.kind, "arcan-stores"), "replace", *changes)

    def _written(self, texts: Sequence[str]) -> object:
        """What is in a CEL literal here needs no escapes."""
        return "[" + ", ".join(f"'{text}'" for text in texts) + "]" if self.is_cel else list(texts)


_CEL: Final = ("/spec/variables/0/expression", "/spec/variables/1/expression", True)
_COMPONENTS: Final = {
    "policies/gatekeeper": _Component(
        "constraints.gatekeeper.sh", "v1beta1", "ArcanStores",
        "/spec/parameters/allowedHosts", "/spec/parameters/exemptStores", False,
    ),
    "policies/kyverno": _Component("policies.kyverno.io", "v1", "ValidatingPolicy", *_CEL),
    "policies/validating-admission-policy": _Component(
        "admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", *_CEL
    ),
}  # fmt: skip


def policy_patches(
    components: Sequence[str], authority: str, policy: StorePolicy
) -> Iterator[dict[str, Any]]:
    """What the chosen components have to say otherwise than they are written; `authority` is the server's."""
    hosts = tuple(dict.fromkeys((authority, *policy.allowed_hosts)))
    if hosts == (AUTHORITY,) and not policy.exempt_stores:
        return
    for name, component in _COMPONENTS.items():
        if name in components:
            yield component.patch(hosts, policy.exempt_stores)
