"""The templates of stores and targets. Every expectation was measured with Go's text/template and sprig."""

from __future__ import annotations

import pytest

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template import parse, render

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
        "{{ range .auth }}x{{ end }}",
        "{{ $x := .auth }}",
        "{{ toJson .auth }}",
        "{{ with .auth }}x{{ end }}",
        '{{ eq .remoteRef.key "K" }}',
        "{{ .auth.token 1 }}",
        "{{ 1.5 }}",
        "{{ 'c' }}",
        "{{ (.auth).token }}",
        "{{ index .auth 1 }}",
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


@pytest.mark.parametrize("text", ['{{ printf "%d" .a }}', '{{ printf "%s" }}', '{{ printf "%" }}'])
def test_what_printf_cannot_do_here_is_not_guessed(text: str):
    with pytest.raises(NotSupported):
        render(parse(text), {"a": "x"})
