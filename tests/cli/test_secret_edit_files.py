"""`arcan secret edit` at a real terminal, where each key has a file: what is saved, and what is never left."""

from __future__ import annotations

import json
import os
import time

import pytest

from tests.support.key_files import key_path, put_key, put_keys
from tests.support.live_server import ARCAN
from tests.support.realm_files import CANARY, decrypt_to_json
from tests.support.secret_command import SecretCommand, left_in_memory
from tests.support.terminal import Terminal

FOLDER = "realms/shop/prod"


@pytest.fixture
def arcan(secret_command: SecretCommand) -> SecretCommand:
    arcan = secret_command
    arcan.path.unlink()
    values = {"DATABASE_URL": f"{CANARY}-old", "PORT": 5432, "TOKEN": f"{CANARY}-token", ".dot": {"a": "b"}}
    put_keys(arcan.files, "shop/prod", values)
    (arcan.folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: {arcan.files.recipient}\n")
    (arcan.files.root / "shop" / "realm.yaml").write_text("deletions: recorded\n")
    return arcan


def edit(arcan: SecretCommand, script: str, *options: str) -> Terminal:
    path = arcan.folder / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    command = [*ARCAN, "secret", "edit", "shop", "--env=prod", *options]
    return Terminal(command, arcan.folder, {**arcan.environment, "EDITOR": str(path)})


def files(arcan: SecretCommand) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (arcan.folder / FOLDER).iterdir()}


def seen_by_sops(arcan: SecretCommand, key: str) -> object:
    path = key_path(arcan.files, "shop", "prod", key)
    done = decrypt_to_json(path.read_bytes(), arcan.files.identity)
    return json.loads(done.stdout)[key]


def nothing_is_left(arcan: SecretCommand, terminal: Terminal) -> None:
    assert CANARY not in terminal.shown
    assert left_in_memory() == []
    assert arcan.files_with(CANARY) == []
    assert not [name for name in files(arcan) if not name.endswith(".sops.yaml")]


def test_only_the_files_of_keys_that_were_changed_are_written(arcan: SecretCommand) -> None:
    before = files(arcan)
    script = "sed -i -e 's/5432/6543/' -e 's/^TOKEN:.*/NEW: added/' $1"
    with edit(arcan, script, "--yes") as terminal:
        assert terminal.wait() == 0
    after = files(arcan)
    assert f"arcan: {FOLDER}: changed PORT; added NEW; removed TOKEN" in terminal.shown
    assert before.keys() ^ after.keys() == {"NEW.sops.yaml", "TOKEN.sops.yaml"}
    kept = ("DATABASE_URL.sops.yaml", ".dot.sops.yaml")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert (seen_by_sops(arcan, "PORT"), seen_by_sops(arcan, "NEW")) == (6543, "added")
    assert (arcan.files.root / "shop/removed/prod/TOKEN.yaml").is_file()
    nothing_is_left(arcan, terminal)


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("sed -i 's/5432/6543/' $1; exit 3", 1, "nothing was changed"),
        ("kill -9 $$", 1, "nothing was changed"),
        ("rm $1", 1, "open the editor again? [Y/n]: "),
        ("cp $1 $1~; : > $TMPDIR/more", 0, f"unchanged: {FOLDER}"),
    ],
)
def test_an_editor_that_fails_or_changes_nothing_leaves_every_file_as_it_was(
    arcan: SecretCommand, script: str, status: int, said: str
) -> None:
    before = files(arcan)
    with edit(arcan, script) as terminal:
        terminal.read_until(said)
        if said.endswith(": "):
            terminal.type("n\r")
        assert terminal.wait() == status
    assert files(arcan) == before
    nothing_is_left(arcan, terminal)


def test_ctrl_c_in_the_editor_leaves_every_file_as_it_was(arcan: SecretCommand) -> None:
    before = files(arcan)
    with edit(arcan, "sed -i 's/5432/6543/' $1; echo ready; exec sleep 60") as terminal:
        terminal.read_until("ready")
        assert terminal.wait(interrupting=True) in (1, 130)
    assert files(arcan) == before
    end = time.monotonic() + 20
    while left_in_memory() and time.monotonic() < end:
        time.sleep(0.01)
    nothing_is_left(arcan, terminal)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("PORT: {}", "key 'PORT'"),
        ("port: differs only in case", "PORT and port differ only in case"),
        (f"{'K' * 244}: too long a name for a file", "at most 243 characters"),
        ("arcan_place: shop/dev", "arcan_place"),
    ],
)
def test_what_no_file_can_hold_is_said_and_nothing_is_written(
    arcan: SecretCommand, typed: str, said: str
) -> None:
    before = files(arcan)
    without = "sed -i '/^PORT:/d' $1;" if typed.startswith("PORT") else ""
    script = f"sed -i 's/-old/-new/' $1; {without} echo '{typed}' >> $1"
    with edit(arcan, script, "--yes") as terminal:
        terminal.read_until("open the editor again? [Y/n]: ")
        assert said in terminal.shown
        terminal.type("n\r")
        assert terminal.wait() == 1
    assert files(arcan) == before
    nothing_is_left(arcan, terminal)


def test_somebody_elses_change_of_another_key_stays_and_one_of_the_same_key_is_not_written_over(
    arcan: SecretCommand,
) -> None:
    theirs = put_key(arcan.files, "shop/prod", "OTHER", "theirs").rename(arcan.folder / "theirs")
    put = f"cp {theirs} {arcan.folder / FOLDER}/OTHER.sops.yaml"
    with edit(arcan, f"{put}; sed -i 's/5432/6543/' $1") as terminal:
        assert terminal.wait() == 0
    assert (seen_by_sops(arcan, "OTHER"), seen_by_sops(arcan, "PORT")) == ("theirs", 6543)
    newer = put_key(arcan.files, "shop/prod", "PORT", 1).rename(arcan.folder / "newer")
    os.replace(put_key(arcan.files, "shop/prod", "PORT", 2), key_path(arcan.files, "shop", "prod", "PORT"))
    with edit(
        arcan, f"cp {newer} {arcan.folder / FOLDER}/PORT.sops.yaml; sed -i 's/: 2/: 3/' $1"
    ) as terminal:
        terminal.read_until("It will not be saved. [Y/n]: ")
        terminal.type("n\r")
        assert terminal.wait() == 1
    assert seen_by_sops(arcan, "PORT") == 1
    nothing_is_left(arcan, terminal)
