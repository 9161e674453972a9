"""The templates of the Secrets that ExternalSecrets make: `spec.target.template`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.template import Template, contents, parse
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import ExternalSecret
from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules.templates import actions, cause
from arcan_gitops.names import did_you_mean
from arcan_gitops.template_advice import advice, undefined_template

_DASHED: Final = re.compile(r"(?<![\w.)\]])\.([^\W\d]\w*(?:-\w+)+)")
# Labels by which another program finds a Secret, or copies it; what Argo CD and Kustomize put on everything
# is for the ExternalSecret itself.
_MEANT_FOR_SECRETS: Final = re.compile(
    r"(?!app\.kubernetes\.io/|helm\.sh/|kustomize\.toolkit\.fluxcd\.io/|argocd\.argoproj\.io/instance\Z)"
    r"(?!(?:app|chart|release|heritage|component|k8s-app|name|instance|version|part-of|managed-by)\Z)"
)
_WORD: Final = re.compile(r"(?<![\w.$])[A-Za-z]\w*")
# sprig's functions that ESO's engine leaves out, and the two that it had to take out.
_GONE: Final[Mapping[str, str]] = {
    "env": "which ESO never had: a template must not read the operator's environment",
    "expandenv": "which ESO never had: a template must not read the operator's environment",
    "getHostByName": "which ESO took out in v2.3.0: it leaks secrets over DNS (CVE-2026-34984)",
    "getSecretKey": "which ESO took out in v1.2.0: it reads Secrets of any namespace (CVE-2026-22822)",
}


def _templates(user: ExternalSecret) -> Iterator[tuple[Node, str]]:
    template = user.spec.at("target", "template")
    if template is None:
        return
    nodes = [
        *template.fields("data").values(),
        *template.fields("metadata", "annotations").values(),
        *template.fields("metadata", "labels").values(),
        *(node for item in template.items("templateFrom") if (node := item.at("literal")) is not None),
    ]
    for node in nodes:
        if isinstance(node.scalar, str):
            yield node, node.scalar


def _names(manifests: Manifests) -> Iterator[Found]:
    for user in manifests.external_secrets:
        for node, text in _templates(user):
            for name in sorted(_named_wrongly(user, text)):
                yield user.object.found(
                    node,
                    f"a template names .{name}, which Go does not read as one name: every sync fails",
                    f'write {{{{ index . "{name}" }}}}',
                )


def _functions(manifests: Manifests) -> Iterator[Found]:
    for user in manifests.external_secrets:
        for node, text in _templates(user):
            called = {match[0] for action in actions(text) for match in _WORD.finditer(action)}
            for name in sorted(called & set(_GONE)):
                yield user.object.found(
                    node, f"a template calls {name}, {_GONE[name]}", "read what it needs in data or dataFrom"
                )


def _named_wrongly(user: ExternalSecret, text: str) -> set[str]:
    """The keys with a dash or a dot that a template names as if they were one name."""
    dotted = [key for item in user.spec.items("data") if "." in (key := item.text("secretKey") or "")]
    found: set[str] = set()
    for action in actions(text):
        found |= {match[1] for match in _DASHED.finditer(action)}
        found |= {key for key in dotted if re.search(rf"(?<![\w.])\.{re.escape(key)}(?![\w-])", action)}
    return found


def _parsed(manifests: Manifests) -> Iterator[tuple[ExternalSecret, Node, Template | GoError]]:
    """Each template that the rules about names and functions do not judge, or why it is none."""
    for user in manifests.external_secrets:
        for node, text in _templates(user):
            called = {match[0] for action in actions(text) for match in _WORD.finditer(action)}
            if called & set(_GONE) or _named_wrongly(user, text):
                continue
            try:
                yield user, node, parse(text, name=user.object.name or "template")
            except GoError as error:
                yield user, node, error


def _not_a_template(manifests: Manifests) -> Iterator[Found]:
    for user, node, parsed in _parsed(manifests):
        text = str(node.scalar)
        if isinstance(parsed, GoError):
            problem = f"ESO cannot parse the template: {cause(parsed)}"
            yield user.object.found(node, problem, advice(text, str(parsed)))
            continue
        for include in contents(parsed).undefined:
            problem, hint = undefined_template(include.names[0])
            yield user.object.found(node, f"the template {problem}: every sync fails", hint)


def _unknown_variable(manifests: Manifests) -> Iterator[Found]:
    for user, node, parsed in _parsed(manifests):
        keys = {item.text("secretKey") or "" for item in user.spec.items("data")}
        if isinstance(parsed, GoError) or user.spec.items("dataFrom") or not keys:
            continue
        for name in dict.fromkeys(named.names[0] for named in contents(parsed).variables):
            if name not in keys:
                problem = f"a template names .{name}, which no entry of data fetches: every sync fails"
                yield user.object.found(node, problem, did_you_mean(name, keys))


def _dropped_label(manifests: Manifests) -> Iterator[Found]:
    for user in manifests.external_secrets:
        template = user.spec.at("target", "template")
        if template is None or user.object.kind != "ExternalSecret":
            continue
        kept = template.fields("metadata", "labels")
        if any((item.text("target") or "").lower() == "labels" for item in template.items("templateFrom")):
            continue
        for name, node in user.object.root.fields("metadata", "labels").items():
            if name not in kept and _MEANT_FOR_SECRETS.match(name):
                yield user.object.found(
                    node,
                    f"the label {name} does not reach the Secret: with a template, only its own labels do",
                    f"write it in target.template.metadata.labels: {{{name}: ...}}",
                )


RULES = (
    Rule("ARC057", Severity.ERROR, "a template that names a key with a dash or a dot", _names),
    Rule("ARC058", Severity.ERROR, "a template function that ESO does not allow", _functions),
    Rule("ARC090", Severity.ERROR, "a template that ESO cannot parse", _not_a_template),
    Rule("ARC091", Severity.ERROR, "a template that names a key which is not fetched", _unknown_variable),
    Rule("ARC092", Severity.WARNING, "a label that a template drops", _dropped_label),
)
