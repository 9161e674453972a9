"""`arcan secret` where each key has a file: values come and go without an identity, and nothing is decrypted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.sops import age
from tests.support.git import GitRepository
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY
from tests.support.secret_command import Result, assert_error

PEM = "-----BEGIN THING-----\nQUJD\n-----END THING-----\n"


class Files(RealmCommand):
    """Alice's and Bob's environment shop/prod, in files, with the keys A and B; their identities are moved to
    where no command looks.
    """

    def secret(self, *arguments: str, held: str = "", stdin: str = "", shows: str = "") -> Result:
        verb, *others = arguments
        place = ("shop", *others, "--env", "prod")
        return self(verb, *place, held=held, stdin=stdin.encode(), command="secret", shows=shows)

    def value(self, key: str, held: str = "bob") -> object:
        """What the real sops reads."""
        return self.values(self.key_path("shop", key), held)[key]

    def file(self, key: str) -> bytes:
        return self.key_path("shop", key).read_bytes()


@pytest.fixture
def arcan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Files:
    arcan = Files(tmp_path, monkeypatch, capsys)
    arcan.rules(shop="alice bob")
    for key in "AB":
        data = sops.encrypt({key: CANARY}, recipients=arcan.public("alice bob"), place="shop/prod")
        path = arcan.key_path("shop", key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    return arcan


@pytest.fixture
def unwrapped(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Each time that a private key is used."""
    found: list[object] = []
    real = age.decrypt

    def counting(file: bytes, identities: list[object]) -> bytes:
        found.append(file)
        return real(file, identities)

    monkeypatch.setattr(age, "decrypt", counting)
    return found


def no_canary_on_disk(arcan: Files) -> None:
    assert [path for path, data in arcan.state().items() if CANARY.encode() in data] == []


def test_a_value_is_set_without_an_identity_and_said_for_whom(arcan: Files, unwrapped: list[object]) -> None:
    other = arcan.file("B")
    result = arcan.secret("set", "NEW", "--stdin", stdin=CANARY)
    assert result.status == 0, result.err
    assert result.out == ""
    assert "added NEW to realms/shop/prod/NEW.sops.yaml" in result.err
    assert "encrypted for alice, bob (rule 1 of .sops.yaml), and for nobody else" in result.err
    assert "cannot be read back without the identity of one of them" in result.err
    assert unwrapped == []
    assert arcan.value("NEW") == CANARY
    assert arcan.file("B") == other
    one = sops.load(arcan.file("NEW"), identities=[arcan.people["alice"][0]])
    assert (one.place, one.keys) == ("shop/prod", ("NEW",))
    no_canary_on_disk(arcan)


def test_a_value_that_is_replaced_gets_a_new_data_key_and_its_age_is_said(
    arcan: Files, unwrapped: list[object]
) -> None:
    old = arcan.key_path("shop", "A")
    aged = sops.outline(old.read_bytes()).metadata.lastmodified
    old.write_text(old.read_text().replace(aged, "2020-01-02T03:04:05Z"))  # the MAC is not looked at
    before = {key: sops.outline(arcan.file(key)).metadata.groups for key in "AB"}
    result = arcan.secret("set", "A", "--stdin", stdin=f"{CANARY}-2")
    assert result.status == 0, result.err
    assert "changed A in realms/shop/prod/A.sops.yaml; it replaces a value of 2020-01-02, 2" in result.err
    assert " days old" in result.err
    assert unwrapped == []
    assert arcan.value("A") == f"{CANARY}-2"
    assert sops.outline(arcan.file("A")).metadata.groups != before["A"]


def test_a_generated_value_is_shown_only_where_that_is_asked_for(
    arcan: Files, unwrapped: list[object]
) -> None:
    result = arcan.secret("generate", "JWT", "--length", "40")
    assert (result.status, result.out) == (0, "")
    value = arcan.value("JWT")
    assert isinstance(value, str)
    assert len(value) == 40
    assert value not in result.err
    again = arcan.secret("generate", "JWT")
    assert_error(again, "JWT: there already", "--replace")
    shown = arcan.secret("generate", "JWT", "--replace", "--show")
    assert shown.out == f"{arcan.value('JWT')}\n"
    assert unwrapped == []


def test_keys_are_removed_without_an_identity_and_recorded(arcan: Files, unwrapped: list[object]) -> None:
    (arcan.folder / "realms/shop/realm.yaml").write_text("deletions: recorded\n")
    version = sops.digests(arcan.file("A")).keys["A"]
    result = arcan.secret("unset", "A", "--reason", "gone")
    assert result.status == 0, result.err
    assert (
        "removed A from realms/shop/prod; recorded, commit it too: realms/shop/removed/prod/A.yaml"
        in result.err
    )
    assert not arcan.key_path("shop", "A").exists()
    assert version in (arcan.folder / "realms/shop/removed/prod/A.yaml").read_text()
    back = arcan.secret("set", "A", "--stdin", stdin="x")
    assert back.status == 0
    assert not (arcan.folder / "realms/shop/removed").exists()
    assert unwrapped == []


def test_the_last_key_and_one_that_is_not_there_stay(arcan: Files) -> None:
    before = arcan.state()
    assert_error(arcan.secret("unset", "C"), "there is no key 'C'")
    assert_error(arcan.secret("unset", "A", "B"), "an environment needs a key", "delete its folder")
    assert arcan.state() == before


def test_new_values_of_a_file_are_imported_without_an_identity(arcan: Files, unwrapped: list[object]) -> None:
    source = f"A={CANARY}-other\nC={CANARY}-c\nD={CANARY}-d\n"
    refused = arcan.secret("import", "-", "--format", "dotenv", stdin=source)
    assert_error(refused, "A: there already")
    before = arcan.state()
    dry = arcan.secret("import", "-", "--format", "dotenv", "--only-new", "--dry-run", stdin=source)
    assert (dry.status, dry.out) == (0, "C\nD\n")
    assert arcan.state() == before
    result = arcan.secret("import", "-", "--format", "dotenv", "--only-new", stdin=source)
    assert result.status == 0, result.err
    assert "set 2 key(s) in realms/shop/prod: C, D" in result.err
    assert "left 1 key(s) as they are" in result.err
    assert unwrapped == []
    assert [arcan.value(key) for key in "ACD"] == [CANARY, f"{CANARY}-c", f"{CANARY}-d"]
    no_canary_on_disk(arcan)


def test_arcan_import_with_only_new_needs_no_identity_and_compares_with_one(
    arcan: Files, unwrapped: list[object]
) -> None:
    (arcan.folder / "in.env").write_text(f"A={CANARY}\nB={CANARY}-2\nC={CANARY}\n")
    place = ("shop", "in.env", "--env", "prod")
    new = arcan("dotenv", *place, "--only-new", command="import")
    assert new.status == 0, new.err
    assert "was left unseen" in new.out
    assert unwrapped == []
    assert arcan.value("C") == CANARY
    compared = arcan("dotenv", *place, "--replace", command="import", held="alice")
    assert compared.status == 0, compared.err
    assert arcan.value("B") == f"{CANARY}-2"
    assert "unchanged" in compared.out
    assert unwrapped != []


def test_what_needs_an_identity_says_so_and_works_with_one(arcan: Files) -> None:
    for arguments in (("get", "A"), ("rename", "A", "Z"), ("set", "A", "--path", "--stdin")):
        assert_error(arcan.secret(*arguments), "no age identity")
    got = arcan.secret("get", "A", held="alice", shows=CANARY)
    assert (got.status, got.out) == (0, CANARY)
    renamed = arcan.secret("rename", "A", "Z", held="bob")
    assert renamed.status == 0, renamed.err
    assert not arcan.key_path("shop", "A").exists()
    assert arcan.value("Z") == CANARY
    assert arcan.secret("set", "DB.password", "--path", "--stdin", held="bob", stdin=CANARY).status == 0
    assert arcan.value("DB") == {"password": CANARY}
    before = arcan.file("DB")
    assert arcan.secret("set", "DB.port", "--path", "--stdin", held="bob", stdin="1").status == 0
    assert sops.outline(before).metadata.groups == sops.outline(arcan.file("DB")).metadata.groups
    assert arcan.secret("unset", "DB.port", "--path", held="bob").status == 0
    assert arcan.value("DB") == {"password": CANARY}


def test_a_map_is_not_replaced_by_a_text_and_a_name_that_could_be_a_path_is_asked_about(arcan: Files) -> None:
    assert arcan.secret("set", "DB.password", "--path", "--stdin", held="bob", stdin=CANARY).status == 0
    before = arcan.state()
    assert_error(arcan.secret("set", "DB", "--stdin", stdin="x"), "is a map or a list")
    assert_error(arcan.secret("set", "DB.password", "--stdin", stdin="x"), "--no-path means a key named")
    assert_error(arcan.secret("unset", "DB.password"), "--path removes 'password' in it")
    assert arcan.state() == before


def test_one_bad_file_keeps_no_other_value_from_being_read_or_set(arcan: Files) -> None:
    arcan.key_path("shop", "A").write_text("<<<<<<< HEAD\n")
    assert arcan.secret("get", "B", held="alice", shows=CANARY).out == CANARY
    assert arcan.secret("set", "B", "--stdin", stdin=CANARY).status == 0
    mended = arcan.secret("set", "A", "--stdin", stdin=CANARY)
    assert "it replaces a file that was no document" in mended.err
    assert arcan.value("A") == CANARY


def test_a_key_that_no_rule_is_for_is_refused_before_the_value_is_asked_for(arcan: Files) -> None:
    config = arcan.folder / ".sops.yaml"
    config.write_text(config.read_text().replace("^realms/shop/", r"^realms/shop/prod\.sops\.yaml$"))
    before = arcan.state()
    result = arcan.secret("set", "NEW")
    assert_error(result, "no rule of .sops.yaml is for it", r"^realms/shop/prod(/[^/]+)?\.sops\.yaml$")
    assert arcan.state() == before


def test_names_that_differ_only_in_case_and_long_ones_are_refused(arcan: Files) -> None:
    before = arcan.state()
    assert_error(arcan.secret("set", "a", "--stdin", stdin="x"), "A and a differ only in case")
    assert_error(arcan.secret("set", "K" * 244, "--stdin", stdin="x"), "at most 243 characters")
    assert arcan.state() == before


def test_a_rule_that_is_not_the_one_of_the_default_branch_is_told(arcan: Files) -> None:
    git = GitRepository(arcan.folder)
    git.write(".gitignore", "*.key\n")
    git.commit()
    told = arcan.secret("set", "A", "--stdin", stdin="x")
    assert "the rule is not the one" not in told.err
    git.git("checkout", "--quiet", "-b", "proposal")
    arcan.rules(shop="alice ci")
    git.commit()
    result = arcan.secret("set", "A", "--stdin", stdin="x")
    assert result.status == 0
    assert "warning: the rule is not the one of main: it adds ci; it lacks bob" in result.err
    (arcan.folder / ".sops.yaml").write_text("creation_rules:\n  - age: " + arcan.public("ci")[0] + "\n")
    assert "it adds age1" in arcan.secret("set", "A", "--stdin", stdin="x").err


KINDS = "kinds:\n  '*_URL': url\n  CERT: pem\n  DOC: json\n  N: integer\n  B64: base64\n  '*': at least 3 characters\n"


def test_a_value_that_is_not_of_its_kind_is_refused_where_it_is_set(arcan: Files) -> None:
    realm = arcan.folder / "realms/shop/realm.yaml"
    realm.write_text(KINDS)
    before = arcan.state()
    wrong = {"X_URL": CANARY, "CERT": CANARY, "DOC": CANARY, "N": CANARY, "B64": f"{CANARY}!", "T": "ab"}
    for key, value in wrong.items():
        result = arcan.secret("set", key, "--stdin", stdin=value)
        assert_error(result, f"key '{key}'", "realm.yaml, kinds: ")
    assert_error(
        arcan.secret("import", "-", "--format", "json", stdin=json.dumps(wrong)), "key 'T'", "key 'DOC'"
    )
    assert_error(arcan.secret("generate", "N"), "is not an integer in decimal")
    assert arcan.state() == before
    assert_error(arcan.secret("set", "CERT", "--stdin", stdin=f"{PEM}more"), "is not PEM")
    for url in ("jdbc:postgresql://db/x", "redis://:pw@db", "file:///x"):
        assert arcan.secret("set", "X_URL", "--stdin", stdin=url).status == 0
    right = {"X_URL": "postgresql://db/x", "CERT": PEM, "DOC": "[1]", "N": "-12", "B64": "QUJD"}
    for key, value in right.items():
        result = arcan.secret("set", key, "--stdin", "--keep-newline", stdin=value)
        assert result.status == 0, result.err
    made = arcan("create", "shop", "--env", "qa", "--key", "N", "--stdin", stdin=CANARY.encode())
    assert_error(made, "key 'N': is not an integer in decimal")
    (arcan.folder / "in.env").write_text(f"N={CANARY}\nM=sound\n")
    imported = arcan("dotenv", "shop", "in.env", "--env", "qa", command="import")
    assert imported.status == 0, imported.err
    assert "is not an integer in decimal" in imported.out
    assert arcan.values(arcan.key_path("shop", "M", "qa"), "alice") == {"M": "sound"}
    realm.write_text("kinds:\n  A: uri\n")
    assert_error(
        arcan.secret("set", "A", "--stdin", stdin="x"), "there is no such kind", "a kind is url, pem"
    )


def test_the_edit_of_a_document_minds_the_kinds_of_what_it_changes_alone(arcan: Files) -> None:
    path = arcan.write("shop", "staging", to="alice")
    (arcan.folder / "realms/shop/realm.yaml").write_text("kinds:\n  A: integer\n  C: integer\n")
    place = ("shop", "B", "--env", "staging", "--stdin")
    assert arcan("set", *place, command="secret", held="alice", stdin=b"x").status == 0
    wrong = arcan(
        "set", "shop", "C", "--env", "staging", "--stdin", command="secret", held="alice", stdin=b"x"
    )
    assert_error(wrong, "key 'C': is not an integer in decimal")
    assert arcan.values(path, "alice") == {"A": CANARY, "B": "x"}


@pytest.mark.parametrize("layout", ["files", "document"])
def test_an_environment_is_created_in_either_layout(
    layout: str, arcan: Files, unwrapped: list[object]
) -> None:
    place = ("shop", "--env", "staging", "--layout", layout)
    result = arcan("create", *place, "--key", "A", "--stdin", stdin=CANARY.encode())
    assert result.status == 0, result.err
    file = arcan.key_path("shop", "A", "staging") if layout == "files" else arcan.path("shop", "staging")
    assert arcan.values(file, "alice") == {"A": CANARY}
    assert_error(
        arcan("create", *place, "--key", "B", "--generate"), "is there already", "arcan secret set shop"
    )
    assert unwrapped == []


def test_an_environment_in_files_is_taken_over_from_another_and_from_a_file(arcan: Files) -> None:
    like = ("--like", "prod", "--copy", "A", "--generate", "B", "--layout", "files")
    result = arcan("create", "shop", "--env", "staging", *like, held="alice")
    assert result.status == 0, result.err
    assert arcan.values(arcan.key_path("shop", "A", "staging"), "bob") == {"A": CANARY}
    assert arcan.values(arcan.key_path("shop", "B", "staging"), "bob")["B"] != CANARY
    (arcan.folder / "in.env").write_text(f"X={CANARY}\nY={CANARY}\n")
    made = arcan("dotenv", "shop", "in.env", "--env", "qa", "--layout", "files", command="import")
    assert made.status == 0, made.err
    assert arcan.values(arcan.key_path("shop", "Y", "qa"), "bob") == {"Y": CANARY}
    refused = arcan("create", "other", "--env", "qa", "--layout", "files", "--import", "in.env")
    assert_error(refused, "no rule of .sops.yaml is for it", r"^realms/other/qa(/[^/]+)?\.sops\.yaml$")
    assert not (arcan.folder / "realms/other").exists()
