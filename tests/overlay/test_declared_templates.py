"""The templates of a declared Secret: they parse, ESO has their functions, and their variables are fetched."""

from __future__ import annotations

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.overlay import App, Settings, build_overlays
from tests.overlay.samples import SAMPLES

HEAD = "name: shop\nrealm: production\ntoken: shop\nnamespace: shop\n"


def problems(secret: str, *, using: str = "") -> list[tuple[str, str]]:
    text = f"{HEAD}secrets:\n- name: s\n{secret}"
    settings = Settings.parse(
        f"overlays: {{prod: {{environment: prod}}}}\n{using}".encode(), "arcan.yaml", pytest.fail
    )
    try:
        build_overlays([App.parse(text.encode(), "apps/shop.yaml")], settings, SAMPLES)
    except SeveralErrors as error:
        return [(problem.message, problem.hint or "") for problem in error.problems]
    return []


KEYS = "  keys: [{key: DATABASE_URL, as: url}, {key: REDIS_URL, as: pw-x}, {key: GREETING, as: tls.crt}]\n"


@pytest.mark.parametrize(
    ("template", "problem", "hint"),
    [
        ("{{ .pw-x }}", "bad character U+002D '-'", '{{ index . "pw-x" }}'),
        ("{{ .url", "unclosed action", ""),
        ("{{ nosuchfunc .url }}", 'function "nosuchfunc" not defined', "templating"),
        (
            '{{ template "x" .url }}',
            'line 1: includes the template "x", which it does not define',
            "{{ define",
        ),
        ("{{ .url | b64encode }}", 'function "b64encode" not defined', "'b64enc'"),
        ("{{ .ur }}", "uses .ur, which is no key of Secret 's'", "'url'"),
        ("{{ .ur | default `x` }}", "uses .ur", "'url'"),
        ("{{ $.ur }}{{ index . `ur` }}", "uses .ur", "'url'"),
        ("{{ if .url }}{{ .ur }}{{ end }}", "uses .ur", "'url'"),
        ("{{ .tls.crt }}", "takes .tls.crt for a field of 'tls'", '{{ index . "tls.crt" }}'),
        ("{{ .url.host }}", "uses .url.host, and 'url' is a text", "{{ (.url | fromJson).host }}"),
    ],
)
def test_a_template_that_eso_cannot_run_is_refused(template: str, problem: str, hint: str) -> None:
    (found,) = set(problems(f"{KEYS}  template:\n    data:\n      DSN: '{template}'\n"))
    assert found[0].startswith("apps/shop.yaml:10: the template of 'DSN'")
    assert problem in found[0]
    assert hint in found[1]


@pytest.mark.parametrize(
    "template",
    [
        '{{ index . "pw-x" }}{{ .url | toString }}{{ index . "tls.crt" }}',
        "{{ (.url | fromJson).host }}",
        "{{ range $k, $v := . }}{{ $k }}={{ $v }}{{ end }}",
        "{{ with .url }}{{ . }}{{ $.url }}{{ end }}",
        "{{ $x := .url | fromJson }}{{ $x.anything }}",
        "{{ pemToPkcs12 .url .url }}",
    ],
)
def test_what_eso_can_run_is_taken(template: str) -> None:
    assert problems(f"{KEYS}  template: {{data: {{DSN: '{template}'}}}}\n") == []


def test_all_mistakes_of_an_app_are_named_at_once() -> None:
    template = "  template: {data: {A: '{{ .url', B: '{{ .no }}'}, annotations: {c: '{{ x }}'}}\n"
    assert len(problems(f"{KEYS}{template}")) == 3


def test_labels_and_annotations_are_templates_too() -> None:
    (found,) = problems(f"{KEYS}  template: {{annotations: {{a: '{{{{ .no }}}}'}}}}\n")
    assert "the template of 'a' uses .no" in found[0]


def test_annotations_of_the_app_are_evaluated_where_there_is_a_template() -> None:
    assert problems(f"{KEYS}  annotations: {{a: '{{{{ .no }}}}'}}\n") == []
    assert problems(f"{KEYS}  annotations: {{a: '{{{{ .no }}}}'}}\n  type: Opaque\n")


def test_the_keys_of_a_whole_realm_are_known_where_they_keep_their_names() -> None:
    data = "  template: {data: {A: '{{ .DATABASE_URL }}{{ .NOPE }}'}}\n"
    ((message, _),) = problems(f"  all: true\n{data}")
    assert "uses .NOPE, which is no key of Secret 's'" in message
    assert problems(f"  all: true\n  rewrite: [{{source: a, target: b}}]\n{data}") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ .value | uper }}", 'function "uper" not defined'),
        ("{{ .key }}", "'transform' uses .key; it knows .value"),
    ],
)
def test_a_rewrite_s_template_knows_the_key_alone(text: str, problem: str) -> None:
    ((message, _),) = problems(f"  all: true\n  rewrite: [{{transform: '{text}'}}]\n")
    assert problem in message


@pytest.mark.parametrize(("version", "taken"), [("2.2.0", True), ("2.1.0", False)])
def test_a_function_that_the_version_of_eso_lacks_is_refused(version: str, taken: bool) -> None:
    found = problems(
        f"{KEYS}  template: {{data: {{A: '{{{{ certSANs .url }}}}'}}}}\n", using=f"esoVersion: {version}\n"
    )
    assert (found == []) is taken
    if not taken:
        assert "the function certSANs in the template of 'A' needs ESO 2.2.0" in found[0][0]
