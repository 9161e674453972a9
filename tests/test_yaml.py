"""The strict reader, the deterministic emitter, the round-trip editor; and how go-yaml reads a scalar."""

from __future__ import annotations

import json
import math
import subprocess
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcan_gitops.golang.yaml import Ambiguous, Timestamp, format_float, resolve_plain
from arcan_gitops.yamlio import InvalidFile, emit, read_documents, read_foreign, read_mapping, read_objects
from arcan_gitops.yamlio.editing import RoundTrip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("nULL", "nULL"),
        ("true", True), ("False", False), ("yes", "yes"), ("on", "on"), ("y", "y"),
        ("0", 0), ("-0", 0), ("+5", 5), ("1_000", 1000), ("0x1F", 31), ("0b101", 5), ("0o17", 15), ("017", 15),
        ("08", 8.0), ("9223372036854775807", 9223372036854775807), ("18446744073709551616", 1.8446744073709552e19),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-3", -0.0015), (".inf", math.inf),
        ("1e400", "1e400"), ("12:30:45", "12:30:45"), ("1.2.3", "1.2.3"), ("0x", "0x"), ("-", "-"), ("+", "+"),
        ("2024-01-02", Timestamp("2024-01-02T00:00:00Z")), ("2024-13-02", "2024-13-02"), ("2024-02-30", "2024-02-30"),
        ("2024-01-02T03:04:05+00:00", Timestamp("2024-01-02T03:04:05Z")),
    ],
)  # fmt: skip
def test_a_plain_scalar_means_what_it_means_to_go_yaml(text: str, value: object) -> None:
    read = resolve_plain(text)
    assert type(read) is type(value)
    assert read == value


def test_what_go_yaml_reads_oddly_is_refused() -> None:
    with pytest.raises(OverflowError):
        resolve_plain("18446744073709551615")
    for text in ("2024-01-02T3", "0o-010", "0b+1"):
        with pytest.raises(Ambiguous):
            resolve_plain(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1, "0.1"), (1e21, "1000000000000000000000"), (1e-7, "0.0000001"), (-0.0, "-0"), (1e16, "10000000000000000"),
     (123456789.125, "123456789.125"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
)  # fmt: skip
def test_floats_print_as_go_prints_them(number: float, text: str) -> None:
    assert format_float(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_float_is_the_same_number_without_an_exponent(number: float) -> None:
    text = format_float(number)
    assert float(text) == number
    assert "e" not in text


# Reading


def refused(text: str) -> str:
    with pytest.raises(InvalidFile) as caught:
        read_mapping(text.encode(), "f.yaml").done()
    return f"{caught.value.message} | {caught.value.hint}"


def test_errors_point_at_the_line() -> None:
    assert refused("a: 1\na: 2\n").startswith("f.yaml:2: 'a' is given twice (first in line 1)")
    assert refused("a: &x 1\n").startswith("f.yaml:1: anchors and aliases")
    assert refused("a: [1\n").startswith("f.yaml:")
    assert refused("- 1\n") == "f.yaml:1: must be a mapping | None"
    assert refused("") == "f.yaml:1: is empty | None"
    assert refused("a: 1\n---\nb: 2\n").startswith("f.yaml:2: has more than one YAML document")
    assert refused("1: a\n") == "f.yaml:1: a key must be a text | None"
    assert refused("a: !!python/object x\n") == "f.yaml:1: YAML tags are not supported here | None"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: 1\n---\n", "f:2: an empty YAML document: nothing follows '---'"),
        (b"a: 1\n---\n# nothing\n", "f:2: an empty YAML document: nothing follows '---'"),
        (b"---\n---\na: 1\n", "f:1: an empty YAML document: nothing stands between this and the next '---'"),
        (b"\n\n---\n# nothing\n", "f:3: is empty"),
        (b"# nothing\n", "f:1: is empty"),
        (b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", "f:2: a conflict marker of Git"),
        (b"a: 1\n=======\nb: 2\n", "f:2: a conflict marker of Git"),
        (b"a: [1,\n>>>>>>> x\n", "f:2: a conflict marker of Git"),
        (b"a: 1\nb: \xe9t\xe9\n", "f:2: not UTF-8"),
        ("a: 1".encode("utf-16")[:-1], "f:1: not UTF-8 but UTF-16"),
        ("a: 1".encode("utf-16-be"), "f:1: not UTF-8 but UTF-16"),
        ("a: 1".encode("utf-16-le"), "f:1: not UTF-8 but UTF-16"),
        (b"a: 1\n\nb: \x00\n", "f:3: a control character (U+0000)"),
    ],
)
def test_what_is_wrong_before_yaml_begins_has_its_own_sentence_and_line(data: bytes, said: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        read_mapping(data, "f")
    assert caught.value.message.startswith(said)
    if "empty" not in said:
        for read in (read_documents, read_foreign):
            with pytest.raises(InvalidFile) as caught:
                read(data, "f")
            assert caught.value.message.startswith(said)


def test_a_conflict_marker_alone_is_told_as_what_it_is_where_a_mapping_is_wanted() -> None:
    assert refused("# a\n<<<<<<< HEAD\n").startswith("f.yaml:2: a conflict marker of Git")


def test_what_looks_like_a_conflict_inside_a_text_is_a_text() -> None:
    assert read_mapping(b"a: |\n  <<<<<<< HEAD\n  =======\n  >>>>>>> x\n", "f").text("a").count("\n") == 3
    assert read_documents(b"a: 1\n---\n---\nb: 2\n---\n", "f") == [{"a": 1}, {"b": 2}]


def test_unknown_fields_are_errors_with_the_nearest_match() -> None:
    fields = read_mapping(b"name: x\n\nsecrts: []\n", "app.yaml")
    assert fields.text("name") == "x"
    assert fields.items("secrets") == ()
    with pytest.raises(InvalidFile, match=r"app\.yaml:3: unknown field 'secrts'") as caught:
        fields.done()
    assert caught.value.hint == "did you mean 'secrets'?"


def test_a_field_of_the_wrong_type_says_what_it_must_be() -> None:
    fields = read_mapping(b"a: 5\nb: text\nc: {d: e}\n", "f.yaml")
    for read, message in (
        (lambda: fields.text("a"), "f.yaml:1: 'a' must be a text"),
        (lambda: fields.integer("b"), "f.yaml:2: 'b' must be an integer"),
        (lambda: fields.flag("b"), "f.yaml:2: 'b' must be true or false"),
        (lambda: fields.optional_texts("b"), "f.yaml:2: 'b' must be a list of texts"),
        (lambda: fields.mappings("c"), "f.yaml:3: 'c' must be a list"),
        (lambda: fields.text("missing"), "f.yaml:1: 'missing' is missing"),
    ):
        with pytest.raises(InvalidFile) as caught:
            read()
        assert caught.value.message.startswith(message)


def test_a_foreign_file_may_use_anchors() -> None:
    assert read_foreign(b"keys: [&a x]\nuse: *a\n", "f")["use"] == "x"


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "? " * 100_000, "- " * 100_000])
def test_deep_nesting_is_an_error_and_no_crash(text: str) -> None:
    for read in (read_mapping, read_documents, read_objects, read_foreign, RoundTrip):
        for data in (text, "a: " + text):
            with pytest.raises(InvalidFile):
                read(data.encode(), "f")


ANCHORED = b"""\
labels: &labels {app: shop, tier: web}
copy: *labels
merged:
  <<: [*labels, {tier: none, c: d}]
  app: own
"""


def test_manifests_may_have_anchors_aliases_and_merge_keys() -> None:
    (read,) = read_objects(ANCHORED, "f")
    assert read["copy"] == {"app": "shop", "tier": "web"}
    assert read["merged"] == {"app": "own", "tier": "web", "c": "d"}
    read["copy"]["app"] = "other"  # whoever changes one changes no other
    assert read["labels"]["app"] == "shop"


def test_a_file_that_grants_must_not_have_them() -> None:
    for read in (read_documents, read_mapping):
        with pytest.raises(InvalidFile, match="f:1: anchors and aliases are not supported here"):
            read(ANCHORED, "f")


def test_a_declaration_may_have_them_and_each_use_is_judged_by_itself() -> None:
    fields = read_mapping(b"a: &a {x: y, z: w}\nb: *a\nc: {<<: *a, own: 1}\n", "f", aliases=True)
    assert fields.optional_mapping("c").names() == ("x", "z", "own")  # type: ignore[union-attr]
    first, second = fields.optional_mapping("a"), fields.optional_mapping("b")
    assert first is not None
    assert second is not None
    assert (first.text("x"), first.text("z"), second.text("x")) == ("y", "w", "y")
    first.done()
    with pytest.raises(InvalidFile, match="f:1: unknown field 'z'"):
        second.done()


def test_an_alias_bomb_is_refused_by_every_reader_that_takes_aliases() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    wide = [f"a: &a '{'x' * 100_000}'", "b: [" + "*a, " * 100 + "]"]
    merged = ["a: &a {" + ", ".join(f"k{n}: v" for n in range(1000)) + "}", "b: ["]
    merged += ["  {<<: *a},"] * 200 + ["]"]
    for bomb in (lines, wide, merged):
        data = "\n".join(bomb).encode()
        for read in (read_objects, read_foreign, lambda *file: read_mapping(*file, aliases=True)):
            with pytest.raises(InvalidFile, match="aliases repeat more than"):
                read(data, "f")


def test_an_alias_inside_of_its_anchor_and_one_without_are_refused() -> None:
    for text in (
        b"a: &a [*a]\n",
        b"a: *a\n",
        b"a: &a 1\n---\nb: *a\n",
        b"a: {<<: 3}\n",
        b"a: &a 1\nb: {<<: *a}\n",
    ):
        with pytest.raises(InvalidFile, match=r"f:\d: "):
            read_objects(text, "f")


def test_no_message_shows_a_name_that_may_be_an_unquoted_password() -> None:
    with pytest.raises(InvalidFile) as caught:
        read_objects(b"password: *canary\n", "f")
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"


def test_a_member_without_a_value_is_absent_from_a_manifest_and_nowhere_else() -> None:
    data = b"metadata:\n  annotations:\n  labels: ~\nlist: [null]\ntext: ''\n"
    assert read_objects(data, "f") == [{"metadata": {}, "list": [None], "text": ""}]
    assert read_documents(data, "f")[0]["metadata"] == {"annotations": None, "labels": None}


def test_a_template_of_another_program_is_named_as_what_it_is() -> None:
    for text, program in (("a: {{ .Values.x }}", "Helm"), ("{% if x %}\na: b", "Jinja")):
        with pytest.raises(InvalidFile, match=f"f:1: a {program} template"):
            read_objects(text.encode(), "f")
    with pytest.raises(InvalidFile, match="f:1: a mapping or a list as a key"):
        read_objects(b"a: {{ .password }}", "f")


# Emitting

TREES = st.recursive(
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20) | st.integers(-(2**60), 2**60) | st.booleans() | st.none(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text("abyn01.-_ :", min_size=1, max_size=8), children, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), TREES, min_size=1))
def test_emitted_yaml_reads_back(tree: dict[str, object]) -> None:
    assert read_documents(emit([tree]).encode(), "f") == [tree]


def test_texts_that_a_go_program_would_take_for_something_else_are_quoted(tmp_path: Path) -> None:
    texts = [
        "1e3",
        "0o14",
        "yes",
        "no",
        "on",
        "y",
        "12:30",
        "2024-01-01",
        "null",
        "~",
        "true",
        "0x1",
        "1_0",
        "",
        ".5",
        "=",
        "<<",
    ]
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
                "data": {f"k{n}": text for n, text in enumerate(texts)}}  # fmt: skip
    (tmp_path / "x.yaml").write_text(emit([manifest]))
    (tmp_path / "kustomization.yaml").write_text(emit([{"resources": ["x.yaml"]}]))
    built = subprocess.run(["kustomize", "build", str(tmp_path)], capture_output=True, check=True).stdout
    (read,) = read_documents(built, "kustomize")
    assert {read["data"][f"k{n}"] for n in range(len(texts))} == set(texts)
    assert json.dumps(read)  # nothing but texts


def test_the_emitter_is_deterministic_and_keeps_the_order() -> None:
    assert emit([{"b": 1, "a": {"d": "x\ny\n", "c": []}}]) == "---\nb: 1\na:\n  d: |\n    x\n    y\n  c: []\n"


# Editing

COMMENTED = b"""\
# head
version: 1  # here
tokens:
  # the first
  - name: 'a'
    keys: [x, y]

  - name: "b"
"""


def test_an_edit_keeps_comments_order_quotes_and_indentation() -> None:
    editor = RoundTrip(COMMENTED, "f.yaml")
    assert editor.dump() == COMMENTED
    editor.root["tokens"][1]["name"] = "c"
    assert editor.dump() == COMMENTED.replace(b'"b"', b'"c"')


def test_an_edit_of_what_is_no_mapping_is_refused() -> None:
    for data in (b"- a\n", b"a: [\n", b""):
        with pytest.raises(InvalidFile):
            RoundTrip(data, "f.yaml")


def test_two_merge_keys_in_one_mapping_are_refused_as_kustomize_refuses_them() -> None:
    """kubectl takes what the last one brings."""
    data = b"x: &x {a: 1}\ny: &y {a: 2}\nz:\n  <<: *x\n  <<: *y\n"
    for read in (read_objects, partial(read_mapping, aliases=True)):
        with pytest.raises(InvalidFile, match=r"f:5: '<<' is given twice \(first in line 4\)"):
            read(data, "f")


def test_an_alias_inside_of_its_own_anchor_is_refused_also_where_the_name_had_another_meaning() -> None:
    with pytest.raises(InvalidFile, match="f:2: an alias without an anchor above it, or inside of it"):
        read_objects(b"a: &x 1\nb: &x [*x]\n", "f")


@pytest.mark.parametrize("text", ["2024-01-01 10:00", "2001-12-14T21:59:43", "2001-12-14 21:59:43.10 -5"])
def test_a_plain_text_that_is_almost_a_timestamp_has_no_certain_meaning(text: str) -> None:
    for read in (read_documents, read_objects, read_mapping):
        with pytest.raises(InvalidFile, match=r"f:1: .* has no certain meaning") as caught:
            read(f"a: {text}\n".encode(), "f")
        assert caught.value.hint == "quote it"
    assert read_documents(f"a: '{text}'\n".encode(), "f") == [{"a": text}]
