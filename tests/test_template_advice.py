"""What to do about a text that is no template: the right edit for each of Go's complaints."""

from __future__ import annotations

import pytest

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.template import contents, parse
from arcan_gitops.template_advice import advice


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("{{ .a", "close each '{{' with '}}'"),
        ("{{ if .a }}x", "add {{ end }}"),
        ("{{ end }}", "remove this {{ end }}"),
        ("{{ else }}", "between {{ if }} and its {{ end }}"),
        ("{{ .a-b }}", '{{ index . "a-b" }}'),
        ('{{ "x }}', "close the text"),
        ("{{ `x }}", "close the text with `"),
        ("{{ 'xy' }}", "double quotes"),
        ("{{ $x }}", "{{ $x := .key }}; or, for a key of the Secret: .x"),
        ("{{ }}", "{{ .key }}"),
        ("{{ if }}x{{ end }}", "{{ .key }}"),
        ("{{ (.a }}", "add the ')'"),
        ("{{ .a) }}", "remove this ')'"),
        ("{{ b64encode .a }}", "did you mean 'b64enc'?"),
        ("{{ nothinglikeit .a }}", "https://external-secrets.io/"),
        ("{{/* x }}", "{{/* text */}}"),
        ('{{ .a | "x" }}', "{{ .key | upper }}"),
        ("{{ .1a }}", '{{ index . "1key" }}'),
        ("{{ break }}", "inside of {{ range }}"),
        ("{{ template x }}", '{{ template "name" . }}'),
        ("{{ {{ .a }} }}", "one pair of braces"),
        ("{{ .a == .b }}", "{{ if eq .a .b }}"),
        ("{{ !.a }}", "{{ if not .a }}"),
        ("{{ .a && .b }}", "{{ if and .a .b }}"),
        ("{{ .a + 1 }}", "{{ add .a 1 }}"),
        ("{{ ${a} }}", '{{ index . "my-key" }}'),
        ('{{ define "x" }}a{{ end }}{{ define "x" }}b{{ end }}', "define each template once"),
    ],
)
def test_the_advice_is_the_edit_that_mends_it(text: str, edit: str) -> None:
    with pytest.raises(GoError) as caught:
        parse(text)
    assert edit in advice(text, str(caught.value))


@pytest.mark.parametrize(
    ("text", "undefined"),
    [
        ('{{ template "x" }}', ["x"]),
        ('{{ if .a }}{{ template "x" . }}{{ end }}', ["x"]),
        ('{{ define "x" }}{{ template "y" }}{{ end }}{{ template "x" }}', ["y"]),
        ('{{ define "x" }}{{ template "y" }}{{ end }}', []),  # which nothing runs
        ('{{ define "x" }}a{{ end }}{{ template "x" }}', []),
        ('{{ block "x" . }}a{{ end }}', []),
        ('{{ template "whole" }}', []),  # itself
    ],
)
def test_templates_that_nothing_defines_are_known(text: str, undefined: list[str]) -> None:
    assert [found.names[0] for found in contents(parse(text, name="whole")).undefined] == undefined
