"""The templates of the Secrets that ExternalSecrets make: `spec.target.template`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import ExternalSecret
from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules.templates import actions

_DASHED: Final = re.compile(r"(?<![\w.)\]])\.([^\W\d]\w*(?:-\w+)+)")
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
        dotted = [key for item in user.spec.items("data") if "." in (key := item.text("secretKey") or "")]
        for node, text in _templates(user):
            for action in actions(text):
                wrong = {match[1] for match in _DASHED.finditer(action)}
                wrong |= {
                    key for key in dotted if re.search(rf"(?<![\w.])\.{re.escape(key)}(?![\w-])", action)
                }
                for name in sorted(wrong):
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


RULES = (
    Rule("ARC057", Severity.ERROR, "a template that names a key with a dash or a dot", _names),
    Rule("ARC058", Severity.ERROR, "a template function that ESO does not allow", _functions),
)
