"""Reading takes bytes and nothing else: no process, no network, no file, no environment, no trace."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from arcan_gitops import sops
from tests.support.crafting import as_yaml, craft
from tests.support.realm_files import CANARY, decrypt_to_json, encrypt, new_identity
from tests.support.vectors import identity

TIME = "2026-01-02T03:04:05Z"
IDENTITY, RECIPIENT = new_identity()


@pytest.mark.parametrize("with_age", [True, False])
def test_a_vault_that_a_document_names_is_never_contacted(
    with_age: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", CANARY)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        vault = {
            "vault_address": address,
            "engine_path": "transit",
            "key_name": "k",
            "created_at": TIME,
            "enc": "vault:v1:QUFB",
        }
        document = craft({"a": (b"x", "str")}, [RECIPIENT] if with_age else [], hc_vault=[vault])
        if with_age:
            assert sops.load(as_yaml(document), identities=[IDENTITY]).tree == {"a": "x"}
        for identities in ([], [identity("bob")]):
            with pytest.raises(sops.Unsupported, match="hc_vault"):
                sops.load(as_yaml(document), identities=identities)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_broken_configuration_of_sops_around_it_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".sops.yaml").write_text("creation_rules: [")
    monkeypatch.chdir(tmp_path)
    assert sops.load(encrypt("a: x\n", RECIPIENT), identities=[IDENTITY]).tree == {"a": "x"}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("kms", {"arn": "arn:aws:kms:x", "role": "r", "context": {"a": "b"}}),
        ("gcp_kms", {"resource_id": "projects/x"}),
        ("hckms", {"key_id": "region:uuid"}),
        ("azure_kv", {"vault_url": "https://x", "name": "k", "version": ""}),
        ("hc_vault", {"vault_address": "https://x", "engine_path": "transit", "key_name": "k"}),
        ("pgp", {"fp": "AAAA"}),
    ],
)
def test_a_key_type_that_is_not_native_is_named_with_the_option(kind: str, fields: dict[str, object]) -> None:
    document = as_yaml(
        craft({"a": (b"x", "str")}, [], **{kind: [{**fields, "created_at": TIME, "enc": "x"}]})
    )
    with pytest.raises(sops.Unsupported, match=kind) as caught:
        sops.load(document, identities=[IDENTITY])
    assert "--sops-binary" in str(caught.value.hint)
    assert sops.outline(document).metadata.other_key_types == (kind,)
    broken = document.replace(b"created_at", b"creation")
    with pytest.raises(sops.Malformed, match="created_at"):
        sops.outline(broken)


def test_ini_is_refused_by_its_name_with_the_option() -> None:
    with pytest.raises(sops.Unsupported, match="'ini'") as caught:
        sops.load(b"", format="ini", identities=[])
    assert "--sops-binary" in str(caught.value.hint)


def test_reading_starts_no_process_and_reads_no_file(tmp_path: Path) -> None:
    """In a process of its own, whose every system call of that kind Python tells of."""
    document = tmp_path / "d.yaml"
    document.write_bytes(encrypt("a: x\n", RECIPIENT))
    code = """
import json, sys
from arcan_gitops import sops
data, identity = json.load(sys.stdin)
sops.load(data.encode(), identities=[identity])  # what is imported late is imported now
seen = []
sys.addaudithook(lambda event, _: seen.append(event))
assert sops.load(data.encode(), identities=[identity]).tree == {"a": "x"}
print([event for event in seen if event.split(".")[0] in ("open", "socket", "subprocess", "os", "shutil", "tempfile")])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps([document.read_text(), IDENTITY]), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("size", [1 << 20])
def test_a_value_of_a_mebibyte_is_read(size: int) -> None:
    document = encrypt(f"big: {'x' * size}\n", RECIPIENT)
    assert sops.load(document, identities=[IDENTITY]).tree == {"big": "x" * size}
    assert len(json.loads(decrypt_to_json(document, IDENTITY).stdout)["big"]) == size


def test_no_value_is_in_an_error_of_any_format() -> None:
    """Values in clear, broken at every byte: an error names a place, a key or a recipient."""
    texts = {
        "yaml": f"k: {CANARY}\nl: [{CANARY}]\nsops: {{mac: '{CANARY}', version: {CANARY}}}\n",
        "json": json.dumps({"k": CANARY, "sops": {"mac": CANARY, "lastmodified": CANARY, "age": [CANARY]}}),
        "dotenv": f"K={CANARY}\nsops_mac={CANARY}\nsops_version={CANARY}\n",
        "binary": json.dumps(
            {"data": CANARY, "sops": {"mac": CANARY, "version": "3.11.0", "lastmodified": CANARY}}
        ),
    }
    for format, text in texts.items():
        for at in range(len(text)):
            for broken in (text[:at], text[:at] + "{" + text[at:], text[:at] + text[at + 1 :]):
                with pytest.raises(sops.SopsError) as caught:
                    sops.load(broken.encode(), format=format, identities=[IDENTITY])
                assert CANARY not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__}", broken
