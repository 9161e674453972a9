"""The templates that an app declares: they parse, ESO has their functions, and their variables are fetched.

A target's template fails on a variable that is no key of the Secret (ESO executes it with missingkey=error),
and then nothing is written: pkg/template/v2 template.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.golang.template import Contents, Named
from arcan_gitops.golang.template.names import EXISTENCE
from arcan_gitops.names import did_you_mean
from arcan_gitops.overlay.catalogue import Catalogue
from arcan_gitops.overlay.declared_secret import DeclaredSecret
from arcan_gitops.overlay.placement import Placement
from arcan_gitops.overlay.template_text import BrokenTemplate, read_template
from arcan_gitops.yamlio import InvalidFile

_KEY_OF_TRANSFORM: Final = "value"


def template_problems(placement: Placement, catalogue: Catalogue) -> Iterator[InvalidFile]:
    """Every reason why ESO would not make of the templates what was meant."""
    for secret in placement.app.secrets:
        for what, text, where in _texts(placement, secret):
            try:
                found = read_template(text, what)
            except BrokenTemplate as error:
                yield InvalidFile(f"{where}: the template of '{what}': {error.message}", hint=error.hint)
                continue
            known = _keys(placement, secret, catalogue)
            for variable in found.variables:
                if known is not None and (problem := _unknown(variable, known, secret)) is not None:
                    yield InvalidFile(f"{where}: the template of '{what}' {problem[0]}", hint=problem[1])
            yield from _functions(placement, what, where, found)
        yield from _transforms(secret)


def _texts(placement: Placement, secret: DeclaredSecret) -> Iterator[tuple[str, str, str]]:
    """(what it makes, the text, `file:line`) of each text that ESO evaluates for the target."""
    app = placement.app
    labels, annotations = {**app.labels, **secret.labels}, {**app.annotations, **secret.annotations}
    made: Mapping[str, Any] = secret.made_template(labels, annotations) or {}
    parts = {"data": made.get("data", {}), **made.get("metadata", {})}
    for part, texts in parts.items():
        for name, text in texts.items():
            yield name, text, secret.template.places.get((part, name), secret.where)


def _keys(placement: Placement, secret: DeclaredSecret, catalogue: Catalogue) -> Collection[str] | None:
    """The keys that the templates see, or None where only the store knows them."""
    if secret.keys is not None:
        return tuple(secret.keys)
    read = placement.credential
    if read is None or secret.rewrites:
        return None
    contents = catalogue.contents.get((read.realm, placement.overlay.environment))
    return None if contents is None else tuple(contents.keys)


def _unknown(variable: Named, known: Collection[str], secret: DeclaredSecret) -> tuple[str, str] | None:
    """(what is wrong with the variable, what to do), or None."""
    first = variable.names[0]
    if len(variable.names) == 1 and first in known:
        return None
    dotted = ".".join(variable.names)
    if dotted in known:
        hint = f'a name with a dot is reached by index: {{{{ index . "{dotted}" }}}}'
        return f"takes {variable} for a field of '{first}', and it is one key", hint
    if first in known:
        return (
            f"uses {variable}, and '{first}' is a text",
            f"a text of JSON is read by fromJson: {{{{ (.{first} | fromJson).{variable.names[1]} }}}}",
        )
    return f"uses {variable}, which is no key of Secret '{secret.name}'", did_you_mean(first, known)


def _functions(placement: Placement, what: str, where: str, found: Contents) -> Iterator[InvalidFile]:
    version = placement.overlay.settings.eso_version
    for function in found.functions:
        existence = EXISTENCE.get(function.names[0])
        if existence is None or existence.in_version(version.major, version.minor):
            continue
        name, since = function.names[0], EsoVersion(*existence.since)
        has = f"needs ESO {since}" if version < since else f"is not in ESO {version}"
        place = f"overlay '{placement.overlay.name}' is for {version}"
        problem = f"the function {name} in the template of '{what}' {has}, and {place}"
        hint = "do without it, or set 'eso-version' to what the cluster runs"
        yield InvalidFile(f"{where}: {problem}", hint=hint)


def _transforms(secret: DeclaredSecret) -> Iterator[InvalidFile]:
    where = secret.at("rewrite")
    for rewrite in secret.rewrites:
        if rewrite.source is not None:
            continue
        try:
            found = read_template(rewrite.target, "transform")
        except BrokenTemplate as error:
            yield InvalidFile(f"{where}: 'transform': {error.message}", hint=error.hint)
            continue
        for variable in found.variables:
            if variable.names != (_KEY_OF_TRANSFORM,):
                problem = f"'transform' uses {variable}; it knows .value, the key, and nothing else"
                yield InvalidFile(f"{where}: {problem}", hint="as in {{ .value | upper }}")
