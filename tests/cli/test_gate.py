"""`arcan gate`: what the key tells of a change, in a real repository."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli.gate import gate
from arcan_gitops.sops import Limits, encrypt
from tests.support.git import GitRepository
from tests.support.realm_files import CANARY, RealmFiles

PLAIN = {"PASSWORD": f"{CANARY}-1", "TOKEN": f"{CANARY}-2", "MODE": "production", "PORT": "8443"}


class Platform:
    """A repository with a realm of two environments on branch main, and a branch that is checked out."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files = RealmFiles(folder / "held")
        self.repository = GitRepository(folder / "repository")
        self.put("prod", PLAIN)
        self.put("staging", {"PASSWORD": f"{CANARY}-s"})
        self.commit("the realm")
        self.repository.git("checkout", "--quiet", "-b", "change")
        monkeypatch.chdir(self.repository.root)

    def put(self, environment: str, values: Mapping[str, str], realm: str = "shop") -> None:
        data = encrypt(
            dict(values),
            recipients=[self.files.recipient],
            place=f"{realm}/{environment}",
            limits=Limits(allow_empty=("EXTRA",)),
        )
        self.write(f"realms/{realm}/{environment}.sops.yaml", data.decode())

    def write(self, path: str, text: str) -> None:
        (self.repository.root / path).parent.mkdir(parents=True, exist_ok=True)
        self.repository.write(path, text)

    def commit(self, message: str) -> None:
        self.repository.git("add", "--all")
        self.repository.git("commit", "--quiet", "--message", message)

    def gate(self, *arguments: str) -> Result:
        held = ["--identity-file", str(self.files.identity_file)]
        done = CliRunner().invoke(gate, [*arguments, *held], catch_exceptions=False)
        assert CANARY not in done.output
        return done

    def report(self, *arguments: str) -> Any:
        return json.loads(self.gate(*arguments, "--format", "json").stdout)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    (tmp_path / "held").mkdir()
    return Platform(tmp_path, monkeypatch)


def place_of(report: Any, environment: str) -> Any:
    (found,) = [each for each in report["places"] if each["environment"] == environment]
    return found


def test_it_names_the_keys_whose_values_changed_and_shows_none(platform: Platform) -> None:
    platform.write("realms/shop/realm.yaml", "allowEmpty: [EXTRA]\n")
    new = {**PLAIN, "PASSWORD": f"{CANARY}-s", "EXTRA": "", "MODE": "canary"}
    del new["PORT"]
    platform.put("prod", new)
    done = platform.gate()
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "shop/prod: verified, 4 keys",
        "  it has a new data key, and 2 keys with another value: no plain rotation",
        "  the value changed: MODE, PASSWORD",
        "  new: EXTRA",
        "  gone: PORT",
        "  empty: EXTRA",
        "  PASSWORD: has the same value in shop/staging",
        "shop/staging: verified, 1 key",
    ]


def test_a_rotation_that_changed_no_value_is_told_from_one_that_did(platform: Platform) -> None:
    platform.put("prod", PLAIN)
    done = platform.gate()
    assert "new data key, and every value that was there before is the same" in done.stdout
    found = place_of(platform.report(), "prod")
    assert (found["newDataKey"], found["changed"], found["added"]) == (True, [], [])
    assert found["encryptedAnew"] == sorted(PLAIN)


def test_commits_are_judged_as_the_working_tree_is(platform: Platform) -> None:
    platform.put("prod", {**PLAIN, "TOKEN": f"{CANARY}-3"})
    platform.commit("another token")
    (platform.repository.root / "realms/shop/prod.sops.yaml").write_text("not what is judged")
    found = place_of(platform.report("main", "change"), "prod")
    assert found["changed"] == ["TOKEN"]


def test_a_document_that_does_not_open_is_the_gates_to_stop(platform: Platform) -> None:
    document = platform.repository.root / "realms/shop/prod.sops.yaml"
    platform.files.tamper(document, "PORT")
    platform.commit("a bad merge")
    for arguments in ((), ("main", "HEAD")):
        done = platform.gate(*arguments)
        assert done.exit_code == 1
        assert "realms/shop/prod.sops.yaml: " in done.stdout
        assert "/tmp" not in done.stdout
        assert "shop/staging: verified" in done.stdout


def test_values_are_held_to_the_kinds_of_the_realm(platform: Platform) -> None:
    platform.write("realms/shop/realm.yaml", "kinds: {MODE: url, PORT: integer}\n")
    done = platform.gate()
    assert done.exit_code == 1
    assert "shop/prod: key 'MODE': " in done.stdout
    assert "PORT" not in done.stdout


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"url: https://user:{PLAIN['PASSWORD']}@host/\n", 1),
        (f"one\ntwo\npassword = '{PLAIN['PASSWORD']}'\n", 3),
        (f"data:\n  PASSWORD: {base64.b64encode(PLAIN['PASSWORD'].encode()).decode()}\n", 2),
        (f"password: {PLAIN['PASSWORD'][:-4]}\n", 0),
    ],
    ids=["inside a URL", "on a later line", "base64, as a Secret has it", "a part of it is another text"],
)
def test_a_value_that_lies_in_clear_is_found_by_file_and_line(
    platform: Platform, text: str, line: int
) -> None:
    platform.write("docs/notes.txt", text)
    platform.write("docs/other.txt", "production on port 8443\n")  # no secrets: words and short numbers
    done = platform.gate()
    expected = f"docs/notes.txt:{line}: has the value of shop/prod/PASSWORD in clear" if line else ""
    assert (expected in done.stdout, done.exit_code) == (True, 1 if line else 0)
    assert "other.txt" not in done.stdout


def test_a_value_of_signs_and_of_several_lines_is_found_too(platform: Platform) -> None:
    values = {"SIGNS": "!!$$%%&&//((", "LINES": f"-----\n{CANARY}\n-----"}
    platform.put("prod", values)
    platform.write("a.txt", f"x {values['SIGNS']} y\n")
    platform.write("b.txt", f"\n{values['LINES']}\n")
    found = [(each["path"], each["line"], each["key"]) for each in platform.report()["inClear"]]
    assert found == [("a.txt", 1, "SIGNS"), ("b.txt", 2, "LINES")]


def test_what_did_not_open_before_is_not_called_new(platform: Platform) -> None:
    platform.repository.git("checkout", "--quiet", "main")
    (platform.repository.root / "realms/shop/staging.sops.yaml").write_text("broken")
    platform.commit("broken")
    platform.repository.git("checkout", "--quiet", "-B", "change")
    platform.put("staging", {"PASSWORD": f"{CANARY}-new"})
    done = platform.gate()
    assert "what changed is not known: it was not there before, or does not open" in done.stdout


def test_a_selection_opens_nothing_else(platform: Platform) -> None:
    platform.put("prod", PLAIN, realm="other")
    document = platform.repository.root / "realms/other/prod.sops.yaml"
    platform.files.tamper(document, "PORT")
    done = platform.gate("--select", "shop")
    assert done.exit_code == 0
    assert "other" not in done.stdout
