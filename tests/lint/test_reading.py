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
from tests.lint.writing import external_secret, findings, rules, store


def root(text: str) -> Node:
    (node,) = read_nodes(text, 1)
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


def test_an_alias_bomb_is_small() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    started = time.monotonic()
    node = root("\n".join(lines))
    assert sum(1 for _ in node.walk()) < 300
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("text", ["a: &a [*a]", "[" * 500 + "]" * 500, "a: {{ x }}", "a: [", "? [a]\n: b"])
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
    "text",
    [
        "a: {{ .Values.a }}\n",
        "{{- if .Values.enabled }}\na: b\n{{- end }}\n",
        'metadata: {{ include "x.labels" . | nindent 4 }}\n',
        "a: 'https://{{ .Values.host }}/x'\n",
        "{{ if eq 1 2 }}\na: b\n{{ end }}\n",
    ],
)
def test_a_helm_template_is_a_warning_also_where_it_happens_to_be_yaml(text: str) -> None:
    assert rules(text) == ["ARC002"]


def test_templates_of_others_are_read() -> None:
    assert (
        rules(external_secret(spec="  target: {template: {data: {a: '{{- if .a }}{{ .a }}{{- end }}'}}}"))
        == []
    )
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
