"""Messages name paths and problems, and reports carry them."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.explain import path_text
from arcan_gitops.validate.manifests import Manifest, read_manifests, shown
from arcan_gitops.validate.reports import FORMATS
from arcan_gitops.validate.results import Report, Result, Status
from arcan_gitops.validate.schemaset import SchemaSet

VALID = Result("overlays/prod", "SecretStore", "arcan", "default", Status.VALID)
INVALID = Result(
    "overlays/prod", "ConfigMap", "a", "", Status.INVALID, 'data["a<b"]: must be a text, not a number'
)
ERROR = Result("overlays/staging", "", "", "", Status.ERROR, "builds to nothing")
REPORT = Report("", "embedded", ("v2.9.0",), "v2.9.0", (VALID, INVALID, ERROR))

CANARY = "canary-9f3a"


def _judge(text: str) -> Result:
    (result,) = judge(read_manifests(text.encode(), "-"), Embedded(), SchemaSet("v2.9.0"))
    return result


@pytest.mark.parametrize(
    "text",
    [
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{a: '{CANARY}'}}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: [{CANARY}]\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nimmutable: {CANARY}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nunknown: {CANARY}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {CANARY}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{a: {CANARY}, a: {CANARY}}}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{a: &x {CANARY}, b: *y}}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{a: !!int {CANARY}}}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  a: '{CANARY}\n",
        f"{CANARY}\n",
    ],
)
def test_no_message_quotes_a_value(text: str) -> None:
    result = _judge(text)
    assert result.status is not Status.VALID
    assert result.message
    assert CANARY not in str(result)


def test_a_message_tells_the_first_problems_and_counts_the_rest() -> None:
    fields = "\n".join(f"  k{n}: {n}" for n in range(8))
    message = _judge(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{fields}\n").message
    assert message.startswith("data.k0: must be a text, not a number; data.k1: ")
    assert message.endswith("data.k4: must be a text, not a number; and 3 more")


def test_a_path_is_written_as_people_write_it() -> None:
    assert path_text(("spec", "data", 0, "remoteRef")) == "spec.data[0].remoteRef"
    assert path_text(("metadata", "labels", "a.b/c")) == 'metadata.labels["a.b/c"]'


def test_a_name_cannot_write_to_the_terminal() -> None:
    (item,) = read_manifests(b'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "a\\e[31mb\\n"}\n', "-")
    assert isinstance(item, Manifest)
    assert item.result(Status.VALID).name == "a?[31mb?"
    assert len(shown("x" * 1_000)) == 253


def test_the_same_name_in_another_namespace_or_group_is_another_object() -> None:
    text = "\n---\n".join(
        f"apiVersion: {group}v1\nkind: Thing\nmetadata: {{name: a, namespace: {namespace}}}"
        for group in ("", "example.com/", "example.org/")
        for namespace in ("b", "c")
    )
    assert all(isinstance(item, Manifest) for item in read_manifests(text.encode(), "-"))


def test_the_text_report_is_a_table_and_a_sum() -> None:
    assert FORMATS["text"](REPORT) == (
        "SOURCE            KIND         NAMESPACE/NAME  STATUS   MESSAGE\n"
        "overlays/prod     SecretStore  default/arcan   valid\n"
        "overlays/prod     ConfigMap    a               invalid  "
        'data["a<b"]: must be a text, not a number\n'
        "overlays/staging                               error    builds to nothing\n"
        "\n"
        "3 manifests: 1 valid, 1 invalid, 1 error (embedded, ESO v2.9.0; known up to v2.9.0)\n"
    )


def test_what_repeats_is_one_row_of_the_text_report() -> None:
    wrong = [
        Result(
            f"overlays/{overlay}", "ExternalSecret", name, "shop", Status.INVALID, "spec: 'data' is missing"
        )
        for overlay in ("eu", "prod", "staging", "us")
        for name in ("a", "b")
    ]
    valid = [Result("overlays/eu", "ConfigMap", f"c{number}", "", Status.VALID) for number in range(5)]
    rows = FORMATS["text"](replace(REPORT, results=(*wrong, *valid))).splitlines()
    assert " ".join(rows[1].split()) == (
        "overlays/eu ExternalSecret shop/a, shop/b invalid spec: 'data' is missing"
    )
    assert rows[2] == "  | also in overlays/prod, overlays/staging, overlays/us"
    assert rows[3].split() == ["overlays/eu", "ConfigMap", *["c0,", "c1,", "c2", "and", "2", "more"], "valid"]
    assert rows[5].startswith("13 manifests: 5 valid, 8 invalid, 0 errors")


def test_the_name_of_a_file_with_a_line_end_is_one_line_and_is_not_repeated() -> None:
    (result,) = read_manifests(b"a: [", "a\n::error::b.yaml")
    assert isinstance(result, Result)
    assert result.message.startswith("line 2: ")
    twice = replace(result, source="c\n::error::d.yaml")
    rows = FORMATS["text"](replace(REPORT, results=(result, twice))).splitlines()
    assert not any(row.lstrip(" |").startswith("::") for row in rows)
    assert rows[2] == "  | also in c\ufffd::error::d.yaml"


def test_the_json_report_has_every_result() -> None:
    body = json.loads(FORMATS["json"](REPORT))
    assert (body["engine"], body["esoVersions"], body["passed"]) == ("embedded", ["v2.9.0"], False)
    assert body["summary"] == {"valid": 1, "invalid": 1, "error": 1}
    assert [result["status"] for result in body["results"]] == ["valid", "invalid", "error"]
    assert body["results"][1]["message"] == INVALID.message


def test_the_junit_report_has_a_suite_for_each_source() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](REPORT))
    suites = [(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors")) for s in root]
    assert suites == [("overlays/prod", "2", "1", "0"), ("overlays/staging", "1", "0", "1")]
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == INVALID.message
    assert [case.get("name") for case in root.iter("testcase")] == [
        "SecretStore default/arcan",
        "ConfigMap a",
        "manifests",
    ]
