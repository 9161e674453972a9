"""Texts that ESO evaluates as templates: whether they parse there, and what they ask for."""

from __future__ import annotations

import re
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.golang import jsonpath
from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template import Contents, Template, contents, parse, render
from arcan_gitops.template_advice import advice, undefined_template

# A quoted text as Go's errors quote it: it may be what nobody should read.
_LITERAL: Final = re.compile(r'"(?:\\"(?:[^"\\]|\\.)*|`[^"]*)"(?:\.\.\.)?')
# What a variable may stand for in a jsonPath: a name, an index, a whole path, nothing.
_SAMPLES: Final = ("x", "0", '$["x"]', "")


class BrokenTemplate(ArcanError):
    """A text that Go cannot parse, where the message is Go's own, or that includes what nothing defines."""


def read_template(text: str, name: str) -> Contents:
    """What a template asks for. Raises `BrokenTemplate`, which quotes nothing of the text but a word."""
    found = contents(_parsed(text, name))
    for include in found.undefined:
        problem, hint = undefined_template(include.names[0])
        raise BrokenTemplate(f"line {include.line}: {problem}", hint=hint)
    return found


def _parsed(text: str, name: str) -> Template:
    try:
        return parse(text, name=name)
    except GoError as error:
        problem = _LITERAL.sub("a text in quotes", str(error))
        raise BrokenTemplate(problem, hint=advice(text, problem)) from None


def check_json_path(text: str) -> None:
    """Raise `BrokenTemplate` for a jsonPath that does not parse, whatever its variables stand for."""
    template = _parsed(text, "webhooktemplate")
    problem: GoError | None = None
    for sample in _SAMPLES:
        data: dict[str, dict[str, str]] = {}
        for variable in contents(template).variables:
            if len(variable.names) > 1:
                data.setdefault(variable.names[0], {})[variable.names[1]] = sample
        try:
            path = render(template, data)
        except (GoError, NotSupported):
            return  # ESO's own data decides
        try:
            if path:  # an empty one takes the answer as it is
                jsonpath.parse(path)
        except GoError as error:
            problem = problem or error
        except NotSupported:
            return
        else:
            return
    assert problem is not None  # one of the samples did not parse
    hint = 'a text in it has double quotes: $["data"], [?(@.name=="x")]' if "'" in text else None
    raise BrokenTemplate(str(problem), hint=hint)
