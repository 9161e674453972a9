"""The part of Go's text/template that ESO stores and ExternalSecrets need.

`{{ .a.b }}`, `{{ index .a "b" }}`, `{{ if X }}..{{ else }}..{{ end }}`, pipelines, literals, parentheses,
comments, the trim markers, and the functions of `functions.py`. What is not here raises `NotSupported`;
the mistakes that people make raise `GoError` with Go's text.
Source: Go text/template (parse, exec) and sprig; measured with ESO itself
"""

from arcan_gitops.golang.template.blocks import parse
from arcan_gitops.golang.template.run import render
from arcan_gitops.golang.template.tree import Template

__all__ = ["Template", "parse", "render"]
