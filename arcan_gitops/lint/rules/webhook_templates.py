"""The templates of a webhook store or generator, as far as they are no templates."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.template import contents, parse
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules.templates import cause
from arcan_gitops.template_advice import advice, undefined_template


def _not_a_template(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.webhooks():
        for field, node, text in store.templates():
            try:
                found = contents(parse(text))
            except GoError as error:
                problem = f"ESO cannot parse {field} as a template: {cause(error)}"
                yield store.object.found(node, problem, advice(text, str(error)))
                continue
            for include in found.undefined:
                problem, hint = undefined_template(include.names[0])
                yield store.object.found(node, f"{field} {problem}: every read fails", hint)


RULES = (Rule("ARC039", Severity.ERROR, "a webhook store's template that ESO cannot parse", _not_a_template),)
