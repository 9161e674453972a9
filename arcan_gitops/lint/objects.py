"""The views that rules need: what an object is called, what a store and an ExternalSecret say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from arcan_gitops.lint.findings import Found, Place, Severity
from arcan_gitops.lint.nodes import Node

ESO_GROUP: Final = "external-secrets.io"
GENERATORS_GROUP: Final = "generators.external-secrets.io"
STORES: Final = ("SecretStore", "ClusterSecretStore")
EXTERNAL_SECRETS: Final = ("ExternalSecret", "ClusterExternalSecret")


@dataclass(frozen=True, slots=True)
class Object:
    """One Kubernetes object, or another program's document; texts are empty where it has none."""

    source: str
    root: Node
    api_version: str
    kind: str
    name: str
    namespace: str

    @classmethod
    def read(cls, source: str, root: Node) -> Object:
        """Of any document: what it lacks stays empty."""

        def text(*path: str) -> str:
            return root.text(*path) or ""

        return cls(
            source,
            root,
            text("apiVersion"),
            text("kind"),
            text("metadata", "name"),
            text("metadata", "namespace"),
        )

    @property
    def group(self) -> str:
        """`external-secrets.io`; empty for core kinds."""
        return self.api_version.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.kind or 'document'} {self.name}".rstrip()

    def place(self, node: Node | None = None) -> Place:
        """The line of a node, or of the object's first field."""
        if node is None:
            lines = [member.line for member in self.root.fields().values()]
            return Place(self.source, min(lines, default=self.root.line))
        return Place(self.source, node.line)

    def found(self, node: Node | None, problem: str, hint: str, severity: Severity | None = None) -> Found:
        """A finding about this object: `SecretStore arcan: problem`."""
        return Found(self.place(node), f"{self}: {problem}", hint, severity)


@dataclass(frozen=True, slots=True)
class Store:
    """A SecretStore or ClusterSecretStore; `provider` is empty where it does not name exactly one.

    `generates`: it is a webhook generator, which is asked for no key.
    """

    object: Object
    provider: str
    settings: Node | None
    generates: bool = False

    @classmethod
    def read(cls, obj: Object) -> Store:
        """Of an object of either kind."""
        providers = obj.root.fields("spec", "provider")
        name = next(iter(providers)) if len(providers) == 1 else ""
        return cls(obj, name, providers.get(name))

    @classmethod
    def generator(cls, obj: Object) -> Store | None:
        """Of a webhook generator, which has the fields of a webhook store; None for any other object."""
        path = {"Webhook": ("spec",), "ClusterGenerator": ("spec", "generator", "webhookSpec")}.get(obj.kind)
        spec = obj.root.at(*path) if path is not None and obj.group == GENERATORS_GROUP else None
        return cls(obj, "webhook", spec, generates=True) if spec is not None and spec.is_mapping else None

    @property
    def cluster(self) -> bool:
        """Whether it is a ClusterSecretStore."""
        return self.object.kind == "ClusterSecretStore"

    @property
    def webhook(self) -> Node | None:
        """`spec.provider.webhook`."""
        return self.settings if self.provider == "webhook" else None

    def secret_refs(self) -> Iterator[tuple[str, Node]]:
        """(field, reference) of each Secret that a webhook store reads for its templates or NTLM."""
        if self.webhook is None:
            return
        for index, entry in enumerate(self.webhook.items("secrets")):
            if (ref := entry.at("secretRef")) is not None:
                yield f"secrets[{index}].secretRef", ref
        for name in ("usernameSecret", "passwordSecret"):
            if (ref := self.webhook.at("auth", "ntlm", name)) is not None:
                yield f"auth.ntlm.{name}", ref

    def templates(self) -> Iterator[tuple[str, Node, str]]:
        """(field, node, text) of each text of a webhook store that ESO evaluates as a template."""
        if self.webhook is None:
            return
        for path in (("url",), ("body",), ("result", "jsonPath")):
            node, text = self.webhook.at(*path), self.webhook.text(*path)
            if node is not None and text is not None:
                yield ".".join(path), node, text
        for name, node in headers(self.webhook):
            if isinstance(node.scalar, str):
                yield f"headers.{name}", node, node.scalar


def headers(webhook: Node) -> Iterator[tuple[str, Node]]:
    """(name, value) of each header, also of those that are wrongly written as a list."""
    yield from webhook.fields("headers").items()
    for item in webhook.items("headers"):
        value = item.at("value")
        if value is not None:
            yield item.text("name") or "", value
        else:
            yield from item.fields().items()


@dataclass(frozen=True, slots=True)
class StoreRef:
    """What a `secretStoreRef` says; `kind` is empty where it says none, which means SecretStore."""

    node: Node
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of `data` or `dataFrom`; `how` is data, extract, find, or generator."""

    how: str
    node: Node
    ref: Node | None
    store: StoreRef | None


@dataclass(frozen=True, slots=True)
class ExternalSecret:
    """An ExternalSecret, or the one that a ClusterExternalSecret makes in many namespaces."""

    object: Object
    spec: Node

    @classmethod
    def read(cls, obj: Object) -> ExternalSecret | None:
        """Of an object of either kind; None where it has no spec."""
        path = ("spec", "externalSecretSpec") if obj.kind == "ClusterExternalSecret" else ("spec",)
        spec = obj.root.at(*path)
        return cls(obj, spec) if spec is not None and spec.is_mapping else None

    def entries(self) -> Iterator[Entry]:
        """`data`, then `dataFrom`, each with the store that it reads from."""
        default = _store_ref(self.spec.at("secretStoreRef"))
        for item in self.spec.items("data"):
            own = item.at("sourceRef", "storeRef")
            yield Entry("data", item, item.at("remoteRef"), _store_ref(own) if own else default)
        for item in self.spec.items("dataFrom"):
            own = item.at("sourceRef", "storeRef")
            store = _store_ref(own) if own else default
            fields: Mapping[str, Node] = item.fields()
            if "find" in fields:
                yield Entry("find", item, fields["find"], store)
            elif "extract" in fields:
                yield Entry("extract", item, fields["extract"], store)
            elif "sourceRef" in fields:
                yield Entry("generator", item, None, None)


def _store_ref(node: Node | None) -> StoreRef | None:
    if node is None or not node.text("name"):
        return None
    return StoreRef(node, node.text("kind") or "", node.text("name") or "")
