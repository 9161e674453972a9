"""What ESO's own admission webhook refuses and no schema shows, one rule for each of its errors.

ARC052 has those that are about policies and lists. Where the admission webhook does not run, the controller
refuses templates too, and a store is never Ready.
Source: ESO apis/externalsecrets/v1/externalsecret_validator.go and secretstore_validator.go, v0.16 to v2.9;
runtime/esutils ValidateReferentSecretSelector; providers' ValidateStore (that of the webhook has no error).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.regexp import compile_pattern
from arcan_gitops.golang.text import parse_duration
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import ExternalSecret
from arcan_gitops.lint.rule import Rule

_PRIVILEGED_SINCE: Final = EsoVersion(2, 5)
_TARGETS_SINCE: Final = EsoVersion(2, 9)
_ACCOUNT_TOKEN: Final = "kubernetes.io/service-account-token"
_BOOTSTRAP_TOKEN: Final = "bootstrap.kubernetes.io/token"
_ACCOUNT: Final = "kubernetes.io/service-account.name"
_TARGETS: Final = ("", "data", "annotations", "labels")  # in any case
_IGNORE_NAMESPACES: Final = ("webhook", "fake", "")  # providers that do not look at a reference's namespace


def _sources(manifests: Manifests) -> Iterator[Found]:
    for user in manifests.external_secrets:
        for item in user.spec.items("dataFrom"):
            fields = item.fields()
            generator = item.at("sourceRef", "generatorRef") is not None
            given = [name for name in ("extract", "find") if name in fields]
            if not given and "sourceRef" not in fields:
                problem = "an entry of dataFrom without extract, find or sourceRef: it reads nothing"
                yield user.object.found(item, problem, "say what to read: extract: {key: shop}")
            elif len(given) + generator > 1:
                names = " and ".join([*given, *(["generatorRef"] if generator else [])])
                problem = f"an entry of dataFrom with {names}: one entry reads from one of them"
                yield user.object.found(item, problem, "write an entry for each")


def _privileged(manifests: Manifests) -> Iterator[Found]:
    if manifests.eso < _PRIVILEGED_SINCE:
        return
    for user in manifests.external_secrets:
        template = user.spec.at("target", "template")
        kind = template.text("type") if template is not None else None
        if template is None or kind not in (_ACCOUNT_TOKEN, _BOOTSTRAP_TOKEN):
            continue
        annotated = _ACCOUNT in template.fields("metadata", "annotations")
        targets = {(item.text("target") or "").lower() for item in template.items("templateFrom")}
        if kind == _BOOTSTRAP_TOKEN or annotated or "annotations" in targets:
            yield user.object.found(
                template.at("type"),
                f"a template of type {kind}, with which Kubernetes would make a token: ESO refuses it",
                "write type: Opaque for a token that is kept elsewhere; a ServiceAccount makes its own",
            )


def _template_targets(manifests: Manifests) -> Iterator[Found]:
    if manifests.eso < _TARGETS_SINCE:
        return
    for user in manifests.external_secrets:
        if not _writes_a_secret(user):
            continue
        for item in user.spec.items("target", "template", "templateFrom"):
            target = item.text("target") or ""
            if target.lower() not in _TARGETS:
                yield user.object.found(
                    item.at("target"),
                    "a templateFrom whose target is no part of a Secret that a template may write",
                    "write target: Data, Annotations or Labels",
                )


def _writes_a_secret(user: ExternalSecret) -> bool:
    manifest = user.spec.at("target", "manifest")
    return manifest is None or (manifest.text("apiVersion"), manifest.text("kind")) == ("v1", "Secret")


def _regexes(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        for condition in store.object.root.items("spec", "conditions"):
            for item in condition.items("namespaceRegexes"):
                if isinstance(item.scalar, str) and not _compiles(item.scalar):
                    problem = "a namespaceRegex that Go cannot compile"
                    yield store.object.found(item, problem, "write it in RE2's syntax, as ^team-[a-z]+$")


def _compiles(pattern: str) -> bool:
    try:
        compile_pattern(pattern)
    except GoError:
        return False
    return True


def _interval(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        node = store.object.root.at("spec", "refreshInterval")
        if node is None or not isinstance(node.scalar, str) or not node.scalar:
            continue
        if not node.scalar.isdigit() and not _is_duration(node.scalar):
            yield store.object.found(
                node, "a refreshInterval that is no duration of Go's", "write it as 5m, or 1h30m"
            )


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def _foreign_reference(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        own = store.object.namespace
        if store.cluster or not own or store.settings is None or store.provider in _IGNORE_NAMESPACES:
            continue
        for name, ref in _references(store.settings):
            namespace = ref.text("namespace")
            if namespace is not None and namespace != own:
                yield store.object.found(
                    ref.at("namespace"),
                    f"{name} names another namespace, which a SecretStore may not",
                    "leave namespace out, and keep the object beside the store; or use a ClusterSecretStore",
                )


def _references(node: Node) -> Iterator[tuple[str, Node]]:
    """Each `...Ref` below, with its field."""
    for below in node.walk():
        for name, member in below.fields().items():
            if name.endswith("Ref") and member.text("name") is not None:
                yield name, member


RULES = (
    Rule("ARC080", Severity.ERROR, "an entry of dataFrom that reads from nothing, or from two", _sources),
    Rule("ARC081", Severity.ERROR, "a template of a Secret that is a token of Kubernetes", _privileged),
    Rule("ARC082", Severity.ERROR, "a templateFrom that writes elsewhere in a Secret", _template_targets),
    Rule("ARC083", Severity.ERROR, "a namespaceRegex that does not compile", _regexes),
    Rule("ARC084", Severity.ERROR, "a store's refreshInterval that is no duration", _interval),
    Rule("ARC085", Severity.ERROR, "a SecretStore that refers to another namespace", _foreign_reference),
)
