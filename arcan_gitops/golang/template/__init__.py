"""Go's text/template, with the functions that ESO gives to the templates of stores and ExternalSecrets.

    template = parse("{{ .user | upper }}", name="DSN")  # GoError: what Go says of a text that is no template
    contents(template).variables                         # (Named(names=("user",), line=1),)
    render(template, {"user": "a"})                      # "A"; GoError, NotSupported

`parse` reads all of the language and knows every function of ESO's by name (`names.py`); `render` runs all
of the language and the functions of `functions/`, and raises `NotSupported` for the others.
Source: Go text/template (parse, exec), sprig, ESO runtime/template/v2; measured with them.
"""

from functools import lru_cache

from arcan_gitops.golang.template.contents import Contents, Named, contents
from arcan_gitops.golang.template.names import ALL
from arcan_gitops.golang.template.parser import parse as _parse
from arcan_gitops.golang.template.run import render
from arcan_gitops.golang.template.tree import Template

__all__ = ["Contents", "Named", "Template", "contents", "parse", "render"]


@lru_cache(maxsize=512)  # in a cluster many objects have one text
def parse(source: str, *, name: str = "webhooktemplate") -> Template:
    """The tree of a template, not to be changed. Raises `GoError` with Go's parse error, also for an unknown
    function.
    """
    return _parse(source, name=name, functions=ALL)
