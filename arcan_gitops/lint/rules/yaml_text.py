"""What could not be read, and so was not checked; and what is not read alike by everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from arcan_gitops.lint.findings import Found, Place, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.rule import Rule

_RENDER: Final = {
    "Helm": "check what it renders to: helm template CHART | arcan lint manifests -",
    "Jinja": "check what it renders to: render it, and give that to arcan lint manifests",
}


def _not_yaml(manifests: Manifests) -> Iterator[Found]:
    for document in manifests.not_yaml:
        if document.template is None:
            mend = "mend it: nothing in this document was checked, and the API server refuses it too"
            place = Place(document.chunk.source, document.line)
            yield Found(place, document.problem, document.hint or mend)


def _template(manifests: Manifests) -> Iterator[Found]:
    for document in manifests.not_yaml:
        if document.template is not None:
            place = Place(document.chunk.source, document.line)
            yield Found(place, f"{document.problem}: not checked", _RENDER[document.template.program])


def _odd(manifests: Manifests) -> Iterator[Found]:
    for document in manifests.documents:
        for odd in document.oddities:
            yield Found(Place(document.chunk.source, odd.line), odd.problem, odd.hint)


RULES = (
    Rule("ARC001", Severity.ERROR, "a document that is not YAML", _not_yaml),
    Rule("ARC002", Severity.WARNING, "a Helm or Jinja template, which cannot be checked", _template),
    Rule("ARC004", Severity.WARNING, "YAML that programs read differently", _odd),
)
