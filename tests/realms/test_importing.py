"""Files of other tools: what is read of them, and what is refused without a word of what is in them."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.importing import MAX_VALUE_BYTES, BadImport, Values
from arcan_gitops.realms.importing import read_values as read_values_for
from arcan_gitops.realms.place import Place
from tests.support.realm_files import CANARY, encrypt, new_identity

PLACE = Place(Path("realms"), RealmName("shop"), EnvironmentName("prod"))


def read_values(data: bytes, source: str, format: str | None = None) -> Values:
    return read_values_for(data, source, format, place=PLACE)


SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: shop, namespace: shop}}
type: Opaque
data:
  PASSWORD: {base64.b64encode(b"pa55").decode()}
  BOTH: {base64.b64encode(b"encoded").decode()}
stringData:
  BOTH: plain
  URL: postgres://x
"""


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("export A=plain", "plain"),
        ("  export   A = spaced out  ", "spaced out"),
        ("A=with # a comment", "with"),
        ("A=with#none", "with#none"),
        ("A=#none", "#none"),
        ("A= # all", ""),
        ("A=", ""),
        ("A=''", ""),
        ('A=""', ""),
        ("A='single # \"quoted\" \\n $x'", 'single # "quoted" \\n $x'),
        ("A='two\nlines'", "two\nlines"),
        ("A=\"double # 'quoted'\"  # a comment", "double # 'quoted'"),
        ('A="\\n \\t \\r \\" \\\\ \\$x \\q"', '\n \t \r " \\ $x \\q'),
        ('A="-----BEGIN X-----\nab=\n-----END X-----\n"', "-----BEGIN X-----\nab=\n-----END X-----\n"),
        ("A=$HOME ${HOME} $(id)", "$HOME ${HOME} $(id)"),
        ("A=a=b==", "a=b=="),
        ("A=it's", "it's"),
        ("\ufeffA=behind a mark", "behind a mark"),
        ("A=of windows\r\n", "of windows"),
        ("# first\n\n  # second\nA=x\n\n", "x"),
    ],
)
def test_a_dotenv_line_is_read_as_people_write_it(line: str, value: str) -> None:
    assert read_values(f"{line}\n".encode(), ".env") == {"A": value}
    assert read_values(line.encode(), "-", "dotenv") == {"A": value}


def test_every_line_of_a_dotenv_file_that_is_wrong_is_told() -> None:
    text = f"A=x\n{CANARY}\nB='1\n2' {CANARY}\nC=y\n1X={CANARY}\nA={CANARY}\nD=\"{CANARY}\nE {CANARY}\n"
    with pytest.raises(BadImport) as caught:
        read_values(text.encode(), ".env")
    assert CANARY not in f"{caught.value.message} {caught.value.hint}"
    assert sorted(re.findall(r"\.env:(\d+): ", caught.value.message)) == ["2", "3", "4", "6", "7", "8"]
    assert caught.value.message.startswith(".env: 6 lines cannot be read:\n")


def test_a_file_that_is_no_dotenv_at_all_is_told_with_a_bound() -> None:
    with pytest.raises(BadImport) as caught:
        read_values(f"{CANARY}\n".encode() * 5_000, ".env")
    assert caught.value.message.count(".env:") == 101


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"A=x\n{CANARY}\n", ".env:2: not of the form KEY=VALUE"),
        (f"A=x\n{CANARY}/+=x\n", ".env:2: not of the form KEY=VALUE"),
        (f'A="x\n{CANARY}\nB=y', ".env:1: a quote without its end"),
        (f'A="x" {CANARY}\n', ".env:1: something follows the closing quote"),
        (f"A='x\n\n' {CANARY}\n", ".env:1: something follows the closing quote"),
        (f"A={CANARY}\nB='1\n2'\nA=x\n", ".env:4: 'A' is given twice (first in line 1)"),
        (f"A=x\n1X={CANARY}\n", ".env:2: not of the form KEY=VALUE: what stands before '=' is not the name"),
        ("A=x\nB=\xff", ".env:2: not UTF-8"),
        ("\xff\xfeA\x00=\x001\x00", ".env:1: not UTF-8 but UTF-16"),
        (f"A=x\n<<<<<<< HEAD\nB={CANARY}\n", ".env:2: a conflict marker of Git"),
        ("", "holds no value"),
    ],
)
def test_a_dotenv_file_that_is_none_is_refused_by_its_line(text: str, said: str) -> None:
    with pytest.raises(BadImport) as caught:
        read_values(text.encode("latin-1"), ".env")
    assert said in caught.value.message
    assert CANARY not in f"{caught.value.message} {caught.value.hint}"


def test_a_long_dotenv_file_is_read_in_one_pass() -> None:
    text = "A=" + " " * 200_000 + "x\n" + "".join(f"KEY_{n}={n} # {n}\n" for n in range(50_000))
    assert len(read_values(text.encode(), ".env")) == 50_001


def test_a_json_object_keeps_the_types_of_its_values() -> None:
    values = {"TEXT": "x\ny", "NUMBER": 5432, "RATIO": 1.5, "FLAG": True}
    read = read_values(json.dumps(values).encode(), "values.json")
    assert read == values
    assert [type(value) for value in read.values()] == [str, int, float, bool]


NUMBERS = {"id": "12345678901234567890", "version": "1.10", "e": "1e3", "minus": "-0", "one": "1.0",
           "large": "100000000000000000000.5"}  # fmt: skip


def test_numbers_that_json_would_change_are_refused_by_their_keys() -> None:
    numbers = NUMBERS | {"infinite": "1e400"}  # a text in YAML, to Go
    text = "{" + ", ".join(f'"{key}": {number}' for key, number in numbers.items()) + ', "kept": 5432}'
    with pytest.raises(BadImport) as caught:
        read_values(text.encode(), "x.json")
    named = ", ".join(f"key '{key}'" for key in numbers)
    assert caught.value.message == f"x.json: {named}: numbers that would be served as another text"
    assert caught.value.hint == "put them in quotes"


def test_numbers_that_yaml_would_change_are_refused_by_their_lines() -> None:
    text = "kept: 5432\n" + "".join(f"{key}: {number}\n" for key, number in NUMBERS.items())
    with pytest.raises(BadImport, match="line 2, line 3, line 4, line 5, line 6, line 7: numbers that would"):
        read_values(text.encode(), "x.yaml")


@pytest.mark.parametrize("number", ["0", "-7", "9223372036854775807", "-9223372036854775808", "0.1", "1e+21"])
def test_numbers_that_json_keeps_are_taken(number: str) -> None:
    assert list(read_values(f'{{"A": {number}}}'.encode(), "x.json")) == ["A"]


def test_a_yaml_mapping_means_what_it_means_to_go_but_a_date_stays_a_text() -> None:
    read = read_values(b"A: yes\nB: 17\nC: |\n  x\nD: 2024-01-01\nE: 'true'\n", "values.yml")
    assert read == {"A": "yes", "B": 17, "C": "x\n", "D": "2024-01-01", "E": "true"}


@pytest.mark.parametrize("name", ["secret.yaml", "standard input"])
def test_a_kubernetes_secret_is_decoded_and_string_data_wins(name: str) -> None:
    read = read_values(SECRET.encode(), name)
    assert read == {"PASSWORD": "pa55", "BOTH": "plain", "URL": "postgres://x"}


def test_kubectl_s_json_is_a_secret_too() -> None:
    manifest: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "data": {"A": "eA==\n"}, "metadata": {}}
    for text in (json.dumps(manifest), json.dumps(manifest, indent=4)):
        for name in ("secret.json", "standard input"):
            assert read_values(text.encode(), name) == {"A": "x"}
        assert read_values(text.encode(), "x", "kubernetes") == {"A": "x"}


@pytest.mark.parametrize(
    ("data", "name", "format"),
    [
        (b"A=1", ".env", "dotenv"),
        (b"A=1", ".env.production", "dotenv"),
        (b"A=1", "path/to/prod.env", "dotenv"),
        (b"# c\n\nexport A=1", "standard input", "dotenv"),
        (b'{"A": 1}', "x.json", "json"),
        (b' \n{"A": 1}', "standard input", "json"),
        (b"A: 1", "x.YAML", "yaml"),
        (b"# c\nA: b=1", "standard input", "yaml"),
        (b"{A: 1}", "x.yaml", "yaml"),
    ],
)
def test_the_format_is_found_by_the_name_and_the_content(data: bytes, name: str, format: str) -> None:
    assert read_values(data, name) == read_values(data, name, format)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (f'{{"A": "{CANARY}" x}}', "x.json", "x.json: line 1: not JSON"),
        (f'{{"A": "{CANARY}", "A": "x"}}', "x.json", "'A' is given twice"),
        (f'{{"A": ["{CANARY}"]}}', "x.json", "key 'A': is a map or a list"),
        (f"A: {CANARY}\n b: x\n", "x.yaml", "x.yaml:2: "),
        (f"A: {CANARY}\nA: {CANARY}\n", "x.yaml", "x.yaml:2: 'A' is given twice"),
        (f"A: &a {CANARY}\n", "x.yaml", "x.yaml:1: anchors"),
        (f"A: {{b: {CANARY}}}\n", "x.yaml", "key 'A': is a map or a list"),
        (f"A: x\n---\nB: {CANARY}\n", "x.yaml", "more than one YAML document"),
        (f"- {CANARY}\n", "x.yaml", "is not a mapping"),
        (f"{CANARY}\n", "standard input", "is not a mapping"),
        ("A:\n", "x.yaml", "key 'A': is null"),
        ("A: \xff\n", "x.yaml", "x.yaml:1: not UTF-8"),
        ("# nothing\n", "x.yaml", "holds no value"),
        ("{}", "x.json", "holds no value"),
        (SECRET.replace("v1", "v2"), "x.yaml", "key 'metadata': is a map"),
        (SECRET.replace("cGE1NQ==", CANARY), "x.yaml", "data: key 'PASSWORD': is not base64"),
        (SECRET.replace("cGE1NQ==", "/w=="), "x.yaml", "data: key 'PASSWORD': is not UTF-8"),
        (SECRET.replace("cGE1NQ==", "5432"), "x.yaml", "data: key 'PASSWORD': is not a text"),
        (f"apiVersion: v1\nkind: Secret\ndata: {CANARY}\n", "x.yaml", "'data' is not a mapping"),
        ("apiVersion: v1\nkind: Secret\n", "x.yaml", "holds no value"),
    ],
)
def test_a_file_that_is_none_is_refused_and_not_quoted(text: str, name: str, said: str) -> None:
    with pytest.raises(BadImport) as caught:
        read_values(text.encode("latin-1"), name)
    assert said in caught.value.message
    assert CANARY not in f"{caught.value.message} {caught.value.hint}"


def test_what_is_no_secret_is_refused_where_one_is_asked_for() -> None:
    manifests = {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Secret"}]}
    for text in ("A: x\n", json.dumps(manifests)):
        with pytest.raises(BadImport, match="is not one Kubernetes Secret") as caught:
            read_values(text.encode(), "x", "kubernetes")
        assert "kubectl get secret NAME" in str(caught.value.hint)


def test_a_sops_document_is_not_imported_as_ciphertext() -> None:
    document = encrypt("A: x\nB: {c: y}\n", new_identity()[1])
    for data, name in ((document, "prod.sops.yaml"), (b"A=ENC[AES256_GCM,data:x]\nsops_mac=x\n", ".env")):
        with pytest.raises(BadImport, match="is encrypted by SOPS") as caught:
            read_values(data, name)
        assert (
            f"sops decrypt --output-type json '{name}' | arcan realm create shop --import - --env prod"
            in str(caught.value.hint)
        )


def test_a_value_that_no_kubernetes_secret_can_hold_is_refused() -> None:
    assert read_values(b"A=" + b"x" * MAX_VALUE_BYTES, ".env")
    with pytest.raises(BadImport, match="key 'A': has more than the 1048576 bytes"):
        read_values(b"A=x" + b"x" * MAX_VALUE_BYTES, ".env")
