"""Hints of the commands that read values: each is pasted as it is, and does what it says."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.support.import_command import ImportCommand
from tests.support.key_files import key_path
from tests.support.pasted import pasted
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY, decrypt_to_json, run_sops
from tests.support.secret_command import Result, SecretCommand, assert_error


@pytest.fixture
def importing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


@pytest.fixture
def secret(secret_command: SecretCommand) -> SecretCommand:
    return secret_command


@pytest.fixture
def realm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    return RealmCommand(tmp_path, monkeypatch, capsys)


def after(result: Result, words: str) -> str:
    """The rest of the line of a result that has the words; up to the next way, where there is one."""
    [line] = [line for line in (result.out + result.err).splitlines() if words in line]
    return line.partition(words)[2].partition("; ")[0]


PLAIN = {
    "values.yaml": f"A: {CANARY}\n",
    "prod.env": f"export A={CANARY}\n",
    "a b.json": f'{{"A": "{CANARY}"}}',
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("there", [False, True])
def test_a_file_in_clear_is_taken_by_the_hint_of_import_sops(
    name: str, there: bool, importing: ImportCommand
) -> None:
    if there:
        importing.files.root.mkdir()
        importing.files.write("shop", "prod", "B: x\n")
    (importing.folder / name).write_text(PLAIN[name])
    result = importing("sops", name) if name.endswith(".env") else _import(importing, name)
    assert f"{name}: is not encrypted by SOPS" in result.err
    done = pasted(after(result, "if it is in clear: "), importing.folder)
    assert done.returncode == 0, done.stderr
    if there:
        assert importing.seen_by_sops() == {"B": "x", "A": CANARY}
    else:
        file = key_path(importing.files, "shop", "prod", "A")
        assert json.loads(decrypt_to_json(file.read_bytes(), importing.files.identity).stdout)["A"] == CANARY


def _import(importing: ImportCommand, name: str) -> Result:
    """Another file than `*.env` may hold no canary when the command ends; this one is put there by the test."""
    text = (importing.folder / name).read_text()
    (importing.folder / name).write_text(text.replace(CANARY, "x"))
    result = importing("sops", name)
    (importing.folder / name).write_text(text)
    return result


@pytest.mark.parametrize("root", ["realms", "other realms"])
def test_an_encrypted_file_is_taken_by_the_hint_of_secret_import(root: str, secret: SecretCommand) -> None:
    document = secret.files.write("shop", "dev", f"NEW: {CANARY}\n").read_bytes()
    (secret.folder / "it's new.yaml").write_bytes(document)
    secret.files.root.rename(secret.folder / root)
    options = [] if root == "realms" else [f"--realms={root}"]
    result = secret("import", "shop", "it's new.yaml", "--env=prod", *options)
    assert_error(result, "is encrypted by SOPS")
    done = pasted(after(result, "take it as it is: "), secret.folder)
    assert done.returncode == 0, done.stderr
    secret.path = secret.folder / root / "shop" / "prod.sops.yaml"
    assert secret.seen_by_sops()["NEW"] == CANARY


def test_what_came_through_a_pipe_is_taken_from_a_pipe(secret: SecretCommand) -> None:
    document = secret.files.write("shop", "dev", f"NEW: {CANARY}\n")
    result = secret("import", "shop", "-", "--env=prod", stdin=document.read_bytes())
    command = after(result, "take it as it is: ")
    assert command == "arcan import sops shop - --env prod"
    done = pasted(f"cat realms/shop/dev.sops.yaml | {command}", secret.folder)
    assert done.returncode == 0, done.stderr
    assert secret.seen_by_sops()["NEW"] == CANARY


def test_the_way_through_sops_makes_a_document_where_there_is_none(importing: ImportCommand) -> None:
    encrypted = run_sops("encrypt", "--age", importing.files.recipient, "--input-type", "dotenv",
                         "--output-type", "dotenv", "/dev/stdin", data=f"A=two # {CANARY}\\n'x'\n".encode())  # fmt: skip
    (importing.folder / "shop.env").write_bytes(encrypted.stdout)
    result = importing("dotenv", "shop.env")
    assert after(result, "take it as it is: ") == "arcan import sops shop shop.env --env prod"
    [line] = [line for line in result.err.splitlines() if "through sops: " in line]
    assert line.endswith("'shop.env' | arcan realm create shop --import - --env prod")


def test_bytes_that_are_no_text_are_stored_by_the_hint_of_their_key(secret: SecretCommand) -> None:
    data = {"tls.p12": base64.b64encode(b"\xff\xfe").decode()}
    manifest = json.dumps({"apiVersion": "v1", "kind": "Secret", "data": data}).encode()
    result = secret("import", "shop", "-", "--env=prod", stdin=manifest)
    command = after(result, "store its base64: ")
    assert command == "arcan secret set shop tls.p12 --stdin --env prod"
    assert pasted(f"printf %s //4= | {command}", secret.folder).returncode == 0
    assert secret.seen_by_sops()["tls.p12"] == "//4="


def test_names_that_no_key_has_are_mapped_by_the_hints(realm: RealmCommand) -> None:
    realm.rules(shop="alice")
    (realm.folder / "values.json").write_text(
        json.dumps({"db/password": CANARY, "a b": CANARY, "..": CANARY})
    )
    create = ["create", "shop", "--env=prod", "--layout=document", "--import", "values.json"]
    result = realm(*create)
    maps = [line.partition("give it a name: ")[2] for line in result.err.splitlines() if "--map" in line]
    done = pasted(f"arcan realm {' '.join(create)} {' '.join(maps)}", realm.folder)
    assert done.returncode == 0, done.stderr
    assert set(realm.values(realm.path("shop"), "alice")) == {"db_password", "a_b", "_."}


def test_a_document_in_clear_is_encrypted_by_the_hint(realm: RealmCommand) -> None:
    realm.rules(shop="alice")
    path = realm.path("shop")
    path.parent.mkdir(parents=True)
    path.write_text(f"A: {CANARY}\n")
    result = realm("verify")
    done = pasted(after(result, "encrypt it: "), realm.folder)
    assert done.returncode == 0, done.stderr
    assert realm.values(path, "alice") == {"A": CANARY}
    assert [path for path, data in realm.state().items() if CANARY.encode() in data] == []
