"""`arcan secret edit`: what the editor gets, what comes of what it leaves, and what is left of it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from arcan_gitops.memory_folder import NoMemoryFolder
from tests.support.live_server import ARCAN
from tests.support.realm_files import CANARY
from tests.support.secret_command import SHARED_MEMORY, Result, SecretCommand, assert_error, left_in_memory

PATH = "realms/shop/prod.sops.yaml"


@pytest.fixture
def arcan(secret_command: SecretCommand, monkeypatch: pytest.MonkeyPatch) -> SecretCommand:
    monkeypatch.setattr("arcan_gitops.cli.secret_edit._editor_has_a_terminal", lambda: True)
    return secret_command


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_without_a_terminal_no_editor_is_opened(closed: str, arcan: SecretCommand) -> None:
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, closed: subprocess.DEVNULL}
    done = subprocess.run(
        [*ARCAN, "secret", "edit", "shop", "--env=prod"], stderr=subprocess.PIPE, text=True, check=False,
        cwd=arcan.folder, env={**arcan.environment, "EDITOR": editor(arcan, "exit 0")}, **streams,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 1
    assert "there is no terminal for the editor; nothing was opened" in done.stderr
    assert "arcan secret import shop - --replace --env prod\n" in done.stderr
    assert not (arcan.folder / "seen").exists()


def editor(arcan: SecretCommand, text: str) -> str:
    """An editor that is a shell script; `$1` is the file. It notes the folder of the file in `seen`."""
    path = arcan.folder / "editor.sh"
    path.write_text(f'#!/bin/sh\ndirname "$1" > seen.new; mv seen.new seen\n{text}\n')
    path.chmod(0o755)
    return str(path)


def folder_of_the_file(arcan: SecretCommand) -> Path:
    """Where the editor had the file, once it runs."""
    seen, end = arcan.folder / "seen", time.monotonic() + 20
    while not seen.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    return Path(seen.read_text().strip())


def edit(arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch, text: str) -> Result:
    monkeypatch.setenv("EDITOR", editor(arcan, text))
    result = arcan("edit", "shop", "--env=prod")
    assert not folder_of_the_file(arcan).exists()
    return result


def test_what_is_changed_in_the_editor_is_changed_in_the_file(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = arcan.path.read_text().splitlines()
    result = edit(arcan, monkeypatch, "sed -i 's/per_day: 10/per_day: 20/' \"$1\"")
    assert (result.status, result.out, result.err) == (0, "", f"arcan: {PATH}: changed LIMITS\n")
    after = arcan.path.read_text().splitlines()
    differing = [new.split(":")[0].strip() for old, new in zip(before, after, strict=True) if old != new]
    assert [name for name in differing if name != "lastmodified"] == ["per_day", "mac"]
    assert arcan.seen_by_sops() == {
        "DATABASE_URL": f"{CANARY}-old",
        "PORT": 5432,
        "LIMITS": {"per_day": 20, "tiers": ["free", "pro"]},
    }


def test_what_was_added_removed_and_renamed_is_told_of(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "sed -i -e 's/DATABASE_URL/DB_URL/' -e 's/^PORT:.*/NEW: x/' -e 's/free/none/' $1"
    result = edit(arcan, monkeypatch, text)
    assert result.err == f"arcan: {PATH}: changed LIMITS; added DB_URL, NEW; removed DATABASE_URL, PORT\n"
    assert list(arcan.seen_by_sops()) == ["DB_URL", "LIMITS", "NEW"]


def test_the_editor_gets_the_values_in_a_private_folder_in_memory(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = edit(arcan, monkeypatch, 'ls -ld "$(dirname "$1")" "$1" > modes; grep -v "^#" "$1" > content')
    assert result.status == 0
    folder, file = (arcan.folder / "modes").read_text().splitlines()
    assert folder.startswith("drwx------")
    assert file.startswith("-rw-------")
    assert folder_of_the_file(arcan).parent == SHARED_MEMORY
    assert (
        (arcan.folder / "content")
        .read_text()
        .startswith(f"DATABASE_URL: {CANARY}-old\nPORT: 5432\nLIMITS:\n")
    )


def test_an_editor_that_renames_the_file_and_leaves_backups_is_fine(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
    cp "$1" "$1~"; cp "$1" "$(dirname "$1")/.prod.yaml.swp"; mkdir "$TMPDIR/more"; cp "$1" "$TMPDIR/more/x"
    sed 's/5432/6543/' "$1" > "$1.new"; rm "$1"; mv "$1.new" "$1"
    """
    assert edit(arcan, monkeypatch, text).err == f"arcan: {PATH}: changed PORT\n"
    assert arcan.seen_by_sops()["PORT"] == 6543
    assert left_in_memory() == []
    assert arcan.files_with(CANARY) == []


@pytest.mark.parametrize(
    "text", ["sleep 1.1", "touch $1", "cp $1 x; cat x > $1; rm x", "echo '# typed' >> $1"]
)
def test_what_is_left_as_it_was_changes_nothing(
    text: str, arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = arcan.path.read_bytes()
    result = edit(arcan, monkeypatch, text)
    assert result.status == 0
    assert result.err.splitlines()[-1] == f"arcan: unchanged: {PATH}"
    assert ("ended at once" in result.err) == (text in ("touch $1", "cp $1 x; cat x > $1; rm x"))
    assert arcan.path.read_bytes() == before


def test_an_editor_that_does_not_wait_is_told_of(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = edit(arcan, monkeypatch, "exit 0")
    assert result.status == 0
    assert "ended at once" in result.err
    assert "code --wait" in result.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sed -i 's/5432/6543/' $1; exit 3", "exited with status 3; nothing was changed"),
        ("sed -i 's/5432/6543/' $1; kill -KILL $$", "was ended by signal 9; nothing was changed"),
        ("rm $1", "the editor left no file; nothing was changed"),
        ("echo ' broken: [' >> $1", "what was typed, line "),
        ("sed -i 's/^PORT: 5432/PORT: a: b/' $1", "what was typed, line 4: not YAML"),
        ("sed -i 's/^PORT:.*/PORT:/' $1", "key 'PORT': would be empty"),
        ("sed -i 's/^PORT:.*/PORT: .nan/' $1", "key 'PORT': is NaN"),
        ("sed -i 's/^PORT:/PO RT:/' $1", "the key below 'DATABASE_URL' is not a valid key name"),
        (f"echo '{CANARY} {CANARY}: x' >> $1", "the key below 'LIMITS' is not a valid key name"),
        ("sed -i 's/^LIMITS:/PORT:/' $1", "a key is given twice"),
        ("echo > $1", "no key at all"),
    ],
)
def test_what_cannot_be_saved_changes_nothing_and_is_told_of_without_a_value(
    text: str, said: str, arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = arcan.path.read_bytes()
    assert_error(edit(arcan, monkeypatch, text), said)
    assert arcan.path.read_bytes() == before
    assert arcan.files_with(CANARY) == ([arcan.folder / "editor.sh"] if CANARY in text else [])
    assert left_in_memory() == []


def test_a_file_that_was_changed_meanwhile_is_not_written_over(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = " ".join((*ARCAN[:2], f"'{ARCAN[2]}'"))
    text = f"printf theirs | {other} secret set shop PORT --env=prod --stdin; sed -i 's/-old/-mine/' $1"
    result = edit(arcan, monkeypatch, text)
    assert_error(result, f"{PATH}: was changed meanwhile; nothing was written", "what was typed is not kept")
    seen = arcan.seen_by_sops()
    assert (seen["PORT"], seen["DATABASE_URL"]) == ("theirs", f"{CANARY}-old")


def test_sops_editor_comes_before_editor(arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("SOPS_EDITOR", editor(arcan, "sed -i 's/5432/6543/' $1"))
    assert arcan("edit", "shop", "--env=prod").status == 0
    assert arcan.seen_by_sops()["PORT"] == 6543
    monkeypatch.delenv("SOPS_EDITOR")
    assert_error(arcan("edit", "shop", "--env=prod"), "'false' exited with status 1")
    monkeypatch.setenv("EDITOR", "no-such-editor -x")
    assert_error(arcan("edit", "shop", "--env=prod"), "there is no editor 'no-such-editor'")


def test_the_editor_does_not_inherit_the_identity(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    monkeypatch.setenv("SOPS_AGE_KEY", arcan.files.identity)
    result = edit(arcan, monkeypatch, "env > environment; sed -i 's/5432/6543/' $1")
    assert result.status == 0, result.err
    assert arcan.files.identity not in (arcan.folder / "environment").read_text()


@pytest.mark.parametrize("victim", ["arcan", "editor"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_arcan_or_the_editor_is_killed(
    victim: str, number: signal.Signals, arcan: SecretCommand
) -> None:
    before = arcan.path.read_bytes()
    command = editor(
        arcan, "cp $1 $1~; sed -i 's/5432/6543/' $1; echo $$ > pid.new; mv pid.new pid; exec sleep 60"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*ARCAN, "secret", "edit", "shop", "--env=prod"],
        cwd=arcan.folder, env={**arcan.environment, "EDITOR": command}, stdin=theirs,
        stdout=theirs, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        folder = folder_of_the_file(arcan)
        while not (arcan.folder / "pid").exists():
            time.sleep(0.01)
        child = int((arcan.folder / "pid").read_text())
        assert (folder / "shop-prod.yaml~").exists()
        os.kill(process.pid if victim == "arcan" else child, number)
        status = process.wait(20)
        end = time.monotonic() + 20
        while folder.exists() and time.monotonic() < end:
            time.sleep(0.01)
        if victim == "arcan" and number == signal.SIGKILL:  # nobody is left to end the editor
            os.kill(child, signal.SIGKILL)
        _, err = process.communicate()
    os.write(theirs, b"end")
    out = os.read(ours, 1 << 16).decode()
    os.close(ours)
    os.close(theirs)
    assert not folder.exists()
    if victim == "editor":
        assert status == 1
        assert f"was ended by signal {number.value}; nothing was changed" in err
    else:
        assert status == (-number if number == signal.SIGKILL else 128 + number)
        assert err == ""
    assert CANARY not in out + err
    assert arcan.path.read_bytes() == before
    assert arcan.files_with(CANARY) == []


def test_where_no_memory_file_system_is_the_hint_is_the_way_without_one(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(candidates: Sequence[Path]) -> Path:
        raise NoMemoryFolder("no memory file system")

    monkeypatch.setattr("arcan_gitops.memory_folder._make", make)
    assert_error(
        arcan("edit", "shop", "--env=prod"), "hint: this writes none: arcan secret set shop KEY --env prod\n"
    )
