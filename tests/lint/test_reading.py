"""Foreign files: whatever they are, lint reads what it can and says what it could not read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import NothingToLint, lint
from arcan_gitops.lint.nodes import Node, Unreadable, read_nodes
from arcan_gitops.lint.reading import Source, files_under, read_file
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.results import Result
from tests.lint.writing import external_secret, findings, rules, store


def root(text: str) -> Node:
    (node,) = read_nodes(text, 1).documents
    return node


def test_a_value_has_the_line_of_its_key_and_an_item_its_own() -> None:
    node = root("a:\n  b: |\n    x\n  c:\n  - d\n  -\n    e: f\n")
    assert [node.at(*path).line for path in (("a",), ("a", "b"), ("a", "c"))] == [1, 2, 4]  # type: ignore[union-attr]
    assert [item.line for item in node.items("a", "c")] == [5, 7]


def test_plain_scalars_mean_what_they_mean_to_go() -> None:
    node = root("a: yes\nb: true\nc: 0o17\nd: '0'\ne: 2024-13-01\nf:\ng: 0x10\n")
    assert [node.fields()[name].scalar for name in "abcdefg"] == [
        "yes",
        True,
        15,
        "0",
        "2024-13-01",
        None,
        16,
    ]


def test_anchors_aliases_and_merge_keys_are_read() -> None:
    node = root("x: &x {a: 1, b: 2}\ny:\n  <<: [*x, {b: 4, c: 3}]\n  b: 9\nz: *x\n")
    assert {name: child.scalar for name, child in node.fields("y").items()} == {"a": 1, "b": 9, "c": 3}
    assert node.at("z", "a") is node.at("x", "a")


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    (finding,) = findings("\n".join(lines))
    assert finding.rule == "ARC001"
    assert "aliases repeat" in finding.message


def test_an_anchor_that_is_given_twice_is_read_and_said() -> None:
    text = "kind: A\na: &x 1\nb: &x 2\nc: *x\n"
    assert root(text).at("c").scalar == 2  # type: ignore[union-attr]
    (finding,) = findings(text)
    assert (finding.rule, finding.severity, finding.place.line) == ("ARC004", "warning", 3)  # type: ignore[union-attr]
    assert rules("a: &x 1\n---\nb: &x 2\nc: *x\n") == []  # each document has its own


def test_a_merge_key_below_what_it_brings_is_said_once_with_its_line() -> None:
    (finding,) = findings("kind: A\nb:\n  x: 1\n  <<: {x: 2, y: 3}\n")
    assert (finding.rule, finding.place.line) == ("ARC004", 4)  # type: ignore[union-attr]
    assert rules("kind: A\nb:\n  <<: {x: 2, y: 3}\n  x: 1\n") == []


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "[" * 100_000, "{a: " * 100_000, "a: {{ .x }}", "a: [", "? [a]\n: b"]
)
def test_what_cannot_be_read_is_said_and_no_crash(text: str) -> None:
    with pytest.raises(Unreadable):
        read_nodes(text, 1)
    assert rules(text + "\n") == ["ARC001"]


def test_a_bad_document_does_not_hide_the_others() -> None:
    found = findings("a: [\n" + store(timeout="0s") + "---\nb: }\n" + store(timeout="0s"))
    assert [f.rule for f in found] == ["ARC001", "ARC030", "ARC001", "ARC030"]
    assert [f.place.line for f in found if f.place] == [2, 11, 21, 31]


def test_a_template_without_quotes_is_told_to_take_some() -> None:
    for line in ("url: {{ .remoteRef.key }}/x", "result: {jsonPath: $[0]}"):
        (finding,) = findings(f"a:\n  {line}\n")
        assert finding.rule == "ARC001"
        assert finding.place is not None
        assert finding.place.line == 2
        assert "in single quotes" in finding.hint


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("Helm", "a: {{ .Values.a }}\n"),
        ("Helm", "{{- if .Values.enabled }}\na: b\n{{- end }}\n"),
        ("Helm", 'metadata: {{ include "x.labels" . | nindent 4 }}\n'),
        ("Helm", "apiVersion: v1\na: 'https://{{ .Values.host }}/x'\n"),
        ("Helm", "{{ if eq 1 2 }}\na: b\n{{ end }}\n"),
        ("Helm", 'a: "{{\n  "{{ .password | toString }}"\n}}"\n'),
        ("Helm", "apiVersion: v1\na: '{{ \"{{ .password }}\" }}'\n"),
        ("Helm", "a: {{ `{{ .password }}` }}\n"),
        ("Helm", 'a: {{ "{{" }} .password }}\n'),
        ("Jinja", "{% if enabled %}\na: b\n{% endif %}\n"),
        ("Jinja", "a: {{ namespace }}\n"),
        ("Jinja", "a: {{ shop.namespace | default('x') }}\n"),
        ("Jinja", "a: {{ lookup('env', 'HOME') }}\n"),
        ("Jinja", "{% for x in y %}\na: {{ x }}\n{%- end %}\n"),
        ("Jinja", "{# a comment #}\na: b\n"),
    ],
)
def test_a_template_is_named_as_what_it_is(program: str, text: str) -> None:
    (finding,) = findings(text)
    assert (finding.rule, finding.severity) == ("ARC002", "warning")
    assert f"a {program} template" in finding.message


@pytest.mark.parametrize("kind", ["HelmRelease", "Application", "ApplicationSet", "HelmChart"])
def test_a_manifest_that_gives_helm_its_values_may_have_templates_in_them(kind: str) -> None:
    chart = "spec: {chart: external-secrets, version: 2.4.0, values: {name: '{{ .Release.Name }}-x'}}"
    assert rules(f"apiVersion: x/v1\nkind: {kind}\n{chart}\n") == ["ARC060"]


def test_templates_of_others_are_read() -> None:
    assert (
        rules(external_secret(spec="  target: {template: {data: {a: '{{- if .k0 }}{{ .k0 }}{{- end }}'}}}"))
        == []
    )
    assert rules("kind: ConfigMap\ndata:\n  a: |\n    {% if x %}{{ y.z }}{% endif %}\n") == []
    assert rules("kind: ConfigMap\ndata: {a: '{{ template \"slack\" . }}{{ .GroupLabels.Values }}'}\n") == []


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"\xff\xfe", 1, "not UTF-8 but UTF-16"),
        (b"a: b\nc: \xff\n", 2, "not UTF-8"),
        (b"a: b\n---\nc: d\n<<<<<<< HEAD\ne: f\n=======\n", 4, "a conflict marker of Git"),
        (b"a: b\n---\nc: \x01\n", 3, "a control character (U+0001)"),
    ],
)
def test_what_is_wrong_before_yaml_begins(data: bytes, line: int, said: str) -> None:
    (finding,) = lint([Source("a", data)], EsoVersion(2, 9)).findings
    assert finding.place is not None
    assert (finding.rule, finding.place.line) == ("ARC001", line)
    assert finding.message.startswith(said)


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    (finding,) = lint(
        [Source("a", b"\xef\xbb\xbf" + store(timeout="0s").replace("\n", "\r\n").encode())], EsoVersion(2, 9)
    ).findings
    assert finding.place is not None
    assert (finding.rule, finding.place.line) == ("ARC030", 10)


def test_the_items_of_a_list_are_objects() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: external-secrets.io/v1beta1\n  kind: SecretStore\n- 3\n"
    (finding,) = findings(text)
    assert finding.place is not None
    assert (finding.rule, finding.place.line) == ("ARC010", 4)


def test_the_values_of_a_chart_and_other_yaml_are_no_manifests_and_fine() -> None:
    report = lint([Source("values.yaml", b"image: {tag: 1}\n---\n- a\n---\ntext\n")], EsoVersion(2, 9))
    assert (report.findings, report.manifests) == ((), 1)


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "---\n---\n"])
def test_nothing_at_all_is_a_failure(text: str) -> None:
    with pytest.raises(NothingToLint):
        lint([Source("-", text.encode())], EsoVersion(2, 9))


def test_a_folder_is_its_yaml_files_without_the_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.yml", "a/c.yaml", "a/.d.yaml", ".git/e.yaml", "f.json", "kustomization.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a: b")
    found = [str(path.relative_to(tmp_path)) for path in files_under(tmp_path)]
    assert found == ["a/c.yaml", "b.yml", "kustomization.yaml"]
    assert files_under(tmp_path / "f.json") == (tmp_path / "f.json",)


def test_a_path_that_gives_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(ArcanError):
            files_under(path)
    with pytest.raises(ArcanError):
        read_file(tmp_path / "empty")


def test_many_manifests_are_read_in_no_time() -> None:
    text = "".join(
        store(name=f"s{n}") + external_secret(name=f"e{n}", ref=f"{{name: s{n}}}") for n in range(500)
    )
    started = time.monotonic()
    assert findings(text) == ()
    assert time.monotonic() - started < 10


OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"%YAML 1.1\n---\n{OBJECT}", 1, "a YAML directive, which kubectl and Kustomize do not read"),
        (f"# about it\n\n%YAML 1.2\n---\n{OBJECT}", 3, "a YAML directive"),
        (f"{OBJECT}---\n%TAG ! tag:x,2000:\n---\n{OBJECT}", 5, "a YAML directive"),
        ("\ufeff%YAML 1.1\r\n---\r\na: b\r\n", 1, "a YAML directive"),
        (f"{OBJECT}data:\n  a: |\n    %YAML 1.1\n", 0, ""),
        (f"---\n# %YAML\n{OBJECT}", 0, ""),
    ],
)
def test_a_directive_is_judged_by_lint_and_validate_as_kubectl_does(text: str, line: int, said: str) -> None:
    found = lint([Source("a", text.encode())], EsoVersion(2, 9)).findings
    results = [item for item in read_manifests(text.encode(), "a") if isinstance(item, Result)]
    assert len(found) == len(results) == (1 if line else 0)
    for finding, result in zip(found, results, strict=True):
        assert finding.place is not None
        assert (finding.rule, finding.place.line) == ("ARC001", line)
        assert finding.message.startswith(said)
        assert result.message.startswith(f"line {line}: {said}")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_lint_and_validate_name_another_encoding_alike(encoding: str) -> None:
    data = OBJECT.encode(encoding)
    (finding,) = lint([Source("a", data)], EsoVersion(2, 9)).findings
    (result,) = read_manifests(data, "a")
    assert isinstance(result, Result)
    assert finding.message == "not UTF-8 but UTF-16"
    assert result.message == "line 1: not UTF-8 but UTF-16 (save the file as UTF-8)"
