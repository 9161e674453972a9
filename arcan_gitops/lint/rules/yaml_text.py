"""What could not be read, and so was not checked."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.lint.findings import Found, Place, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.rule import Rule


def _not_yaml(manifests: Manifests) -> Iterator[Found]:
    for document in manifests.not_yaml:
        if document.helm:
            continue
        hint = "mend it: nothing in this document was checked, and the API server refuses it too"
        if document.unquoted:
            hint = "put the template or the jsonPath in single quotes: '{{ .remoteRef.key }}'"
        yield Found(Place(document.chunk.source, document.line), document.problem, hint)


def _helm_template(manifests: Manifests) -> Iterator[Found]:
    for document in manifests.not_yaml:
        if document.helm:
            yield Found(
                Place(document.chunk.source, document.line),
                "a Helm template, which is not YAML before it is rendered: not checked",
                "check what it renders to: helm template CHART | arcan lint manifests -",
            )


RULES = (
    Rule("ARC001", Severity.ERROR, "a document that is not YAML", _not_yaml),
    Rule("ARC002", Severity.WARNING, "a Helm template, which cannot be checked", _helm_template),
)
