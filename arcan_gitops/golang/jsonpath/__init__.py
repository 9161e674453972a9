"""JSONPath as `result.jsonPath` of a webhook store has it: `$.name`, `$["name"]`, `[0]`, `[?@.name=="x"]`.

A name after a dot is a Go identifier: `$.data.a-b` does not parse and `$.data.a.b` looks up `b` inside `a`,
so names with a dash or a dot need `["a-b"]`, in double quotes. `$['ab']` does not parse either. All of the
language parses; what depends on the random order of a map, a path that does not begin with `$`, and
functions are not evaluated.
Source: github.com/PaesslerAG/jsonpath v0.1.1 and gval v1.2.4; measured with them
"""

from __future__ import annotations

from arcan_gitops.golang.json import Json
from arcan_gitops.golang.jsonpath.parser import Parser
from arcan_gitops.golang.jsonpath.steps import Expression

__all__ = ["get", "parse"]


def parse(path: str) -> Expression:
    """The expression, to be called with (document, None).

    Raises `GoError` with the library's text (`parsing error: ...`) and `NotSupported` for functions.
    """
    return Parser(path).whole()


def get(path: str, value: Json) -> Json:
    """What `path` selects in `value`; with a filter, `*`, `..` or a range always a list.

    Raises `GoError` with the library's text (`unknown key value`, `parsing error: ...`) and `NotSupported`.
    """
    return parse(path)(value, None)
