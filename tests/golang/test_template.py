"""The templates of stores and targets. Every expectation was measured with Go's text/template and sprig."""

from __future__ import annotations

import pytest

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template import contents, parse, render
from arcan_gitops.golang.template.names import ALL

DATA = {
    "remoteRef": {"key": "K", "property": "", "version": "", "namespace": "ns"},
    "auth": {"token": "tok\n", "a-b": "x"},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("plain }} text", "plain }} text"),
        ("{{ .auth.token | trim }}", "tok"),
        ("{{.auth.token|trim|upper}}", "TOK"),
        ("{{ (.auth.token) | trim }}", "tok"),
        ("{{ .auth.nope }}", "<no value>"),
        ("{{ .nope.x }}", "<no value>"),
        ("{{ .nope.x.y }}", "<no value>"),
        ('{{ index .auth "a-b" }}', "x"),
        ('{{ index .auth "nope" }}', ""),  # unlike `.auth.nope`
        ('{{ index . "auth" "token" }}', "tok\n"),
        ('{{ index . "nope" }}', "map[]"),
        ("{{ .auth }}", "map[a-b:x token:tok\n]"),
        ("{{ if .remoteRef.property }}a{{ else }}b{{ end }}", "b"),
        ("{{ if .auth.nope }}a{{ else if .remoteRef.property }}b{{ else }}c{{ end }}", "c"),
        ("{{- if .auth -}} x {{- else -}} y {{- end -}}  z", "xz"),
        ("a {{- /* comment }} */ -}} b", "ab"),
        ("{{.remoteRef.key}}{{-3}}", "K-3"),
        ('{{ "a b+c" | replace "+" "%20" | upper }}', "A B%20C"),
        ('{{ "a}}b" }}', "a}}b"),
        ("{{ `raw\\n` }}", "raw\\n"),
        ('{{ "a\\n\\u00fc" }}', "a\nü"),
        ("{{ 12 }}{{ true }}", "12true"),
        ('{{ .auth.nope | default "d" }}', "d"),
        ('{{ .remoteRef.property | default "d" }}', "d"),
        ("{{ .auth.token | b64enc | quote }}", '"dG9rCg=="'),
        ('{{ "!!" | b64dec }}', "illegal base64 data at input byte 0"),  # sprig returns the error's text
        ('{{ b64dec "YWI=" }}', "ab"),
        ('{{ b64dec "/w==" | b64enc }}', "/w=="),
        ("{{ quote .remoteRef.key .auth.nope 12 true }}", '"K" "12" "true"'),
        ('{{ "é\\u0001\\u200b" | quote }}', '"é\\x01\\u200b"'),
        ('{{ "straße" | upper }}', "STRAßE"),
        ('{{ " \\u00a0x\\u001f " | trim | quote }}', '"x\\x1f"'),
        ("{{ .auth.token \n | trim }}", "tok"),
    ],
)
def test_a_template_renders_as_go_does(template: str, text: str) -> None:
    assert render(parse(template), DATA) == text


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ .auth.a-b }}", "template: webhooktemplate:1: bad character U+002D '-'"),
        ("{{ end }}", "template: webhooktemplate:1: unexpected {{end}}"),
        ("\n{{ if .a }}", "template: webhooktemplate:2: unexpected EOF"),
        ("{{ .a ", "template: webhooktemplate:1: unclosed action"),
        ('{{ "a', "template: webhooktemplate:1: unterminated quoted string"),
        ("{{}}", "template: webhooktemplate:1: missing value for command"),
        ("{{ if }}x{{ end }}", "template: webhooktemplate:1: missing value for if"),
        (
            "Bearer {{ .auth.nope | trim }}",
            'template: webhooktemplate:1:23: executing "webhooktemplate" at <trim>: '
            "invalid value; expected string",
        ),
        (
            "ü\n {{ .nope.x | trim }}",
            'template: webhooktemplate:2:14: executing "webhooktemplate" at <trim>: '
            "invalid value; expected string",
        ),
        (
            "{{ .auth | trim }}",
            'template: webhooktemplate:1:11: executing "webhooktemplate" at <trim>: '
            "wrong type for value; expected string; got map[string]string",
        ),
        (
            "{{ .auth.token.x }}",
            'template: webhooktemplate:1:8: executing "webhooktemplate" at <.auth.token.x>: '
            "can't evaluate field x in type string",
        ),
        (
            '{{ index .nope "x" }}',
            'template: webhooktemplate:1:3: executing "webhooktemplate" at <index .nope "x">: '
            "error calling index: index of untyped nil",
        ),
        (
            "{{ trim }}",
            'template: webhooktemplate:1:3: executing "webhooktemplate" at <trim>: '
            "wrong number of args for trim: want 1 got 0",
        ),
        (
            "{{ upper 12 }}",
            'template: webhooktemplate:1:9: executing "webhooktemplate" at <12>: expected string; found 12',
        ),
    ],
)
def test_a_mistake_is_reported_in_go_s_words(template: str, problem: str) -> None:
    with pytest.raises(GoError) as caught:
        render(parse(template), DATA)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    "template",
    [
        "{{ now }}",
        '{{ "a" | snakecase }}',
        '{{ "a: 1" | fromYaml }}',
        '{{ dict "a" 1 "b" 2 | keys }}',
        "{{ 1i }}",
        '{{ printf "%*d" 1 2 }}',
        "{{ range $i := 1000000 }}x{{ end }}",
    ],
)
def test_what_the_emulator_does_not_know_is_said_and_never_guessed(template: str) -> None:
    with pytest.raises(NotSupported, match="not supported by the emulator"):
        render(parse(template), DATA)


def test_a_target_s_template_fails_on_a_missing_key() -> None:
    with pytest.raises(GoError) as caught:
        render(parse("x\n  {{ .MISSING }}", name="KEY"), {"KEY": "v"}, missing_key_is_error=True)
    assert str(caught.value) == (
        'template: KEY:2:5: executing "KEY" at <.MISSING>: map has no entry for key "MISSING"'
    )


def test_a_target_s_template_reaches_keys_with_dashes_by_index() -> None:
    data = {"a-b": "w"}
    assert render(parse('{{ index . "a-b" }}{{ index . "no" }}'), data, missing_key_is_error=True) == "w"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('{{ printf "%s:%s" .a .b }}', "x%s:y"),
        ('{{ printf "100%% %s" .b | b64enc }}', "MTAwJSB5"),
        ('{{ printf "plain" }}', "plain"),
    ],
)
def test_printf_fills_texts_in(text: str, result: str):
    assert render(parse(text), {"a": "x%s", "b": "y"}) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('{{ printf "%d" .a }}', "%!d(string=x%s)"),
        ('{{ printf "%s" }}', "%!s(MISSING)"),
        ('{{ printf "%" }}', "%!(NOVERB)"),
        ('{{ printf "%s" .a .b }}', "x%s%!(EXTRA string=y)"),
    ],
)
def test_printf_says_what_does_not_fit_as_go_does(text: str, result: str):
    assert render(parse(text), {"a": "x%s", "b": "y"}) == result


def named(text: str) -> list[str]:
    return [str(variable) for variable in contents(parse(text)).variables]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ .user }}:{{ .passwrd }}", [".user", ".passwrd"]),
        ('{{ .dbname | default "app" }}', [".dbname"]),
        ('{{ index . "a-b" }}{{ index .auth "c" | trim }}', [".a-b", ".auth.c"]),
        ("{{ $.a }}{{ $x := .b }}{{ $x.c }}", [".a", ".b", ".b.c"]),
        ("{{ with .auth }}{{ .token }}{{ $.d }}{{ end }}{{ .e }}", [".auth", ".auth.token", ".d", ".e"]),
        ("{{ range .list }}{{ .name }}{{ $.f }}{{ else }}{{ .g }}{{ end }}", [".list", ".f", ".g"]),
        ("{{ (.cert | fromJson).crt }}", [".cert"]),
        ("{{ (fromJson .a).b.c }}{{ (.auth).token }}", [".a", ".auth", ".auth.token"]),
        ('{{ if and .a (eq .b "x") }}{{ .c }}{{ else if .d }}{{ end }}', [".a", ".b", ".c", ".d"]),
        ('{{ define "t" }}{{ .x }}{{ end }}{{ template "t" .a }}', [".a", ".a.x"]),
        ('{{ define "t" }}{{ .x }}{{ end }}', []),
        ('{{ block "t" . }}{{ .x }}{{ end }}', [".x"]),
        ("{{ . | toJson }}", []),
        ("{{/* .no */}}{{ `.no` }}.no", []),
    ],
)
def test_the_variables_of_a_template_are_named(text: str, names: list[str]) -> None:
    assert named(text) == names


def test_variables_and_functions_have_their_lines() -> None:
    found = contents(parse("a\n{{ .b\n | upper }}"))
    assert [(str(name), name.line) for name in found.variables] == [(".b", 2)]
    assert [(name.names, name.line) for name in found.functions] == [(("upper",), 3)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ .v | b64encode }}", 'template: x:1: function "b64encode" not defined'),
        ("{{ env `HOME` }}", 'template: x:1: function "env" not defined'),
        ("{{ .pw-x }}", "template: x:1: bad character U+002D '-'"),
        ("{{ .pw", "template: x:1: unclosed action"),
    ],
)
def test_what_go_cannot_parse_has_go_s_own_error(text: str, problem: str) -> None:
    with pytest.raises(GoError) as caught:
        parse(text, name="x")
    assert str(caught.value) == problem


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_function_of_eso_s_parses(name: str) -> None:
    parse(f"{{{{ {name} }}}}")
