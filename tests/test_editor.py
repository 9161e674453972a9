"""The editor: which one, with what options, and what happens to it when we are asked to end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from arcan_gitops.editor import Editor, EditorFailed, NoEditor

# where the tests run in the background, SIGINT is ignored, and a shell cannot trap what it was given as ignored
OPENING = """
import os, signal, sys
from pathlib import Path
from arcan_gitops.editor import Editor
signal.signal(signal.SIGINT, signal.default_int_handler)
Editor((sys.argv[1],)).open(Path(sys.argv[2]), os.environ)
print("after", flush=True)
"""


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder on PATH, where a test puts editors."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def script(path: Path, text: str = "exit 0") -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_first_command_that_is_given_counts_and_is_split_as_a_shell_does(bin: Path) -> None:
    script(bin / "code")
    assert Editor.choose((None, "", "code --wait 'a b'")).command == ("code", "--wait", "a b")


def test_without_one_it_is_vim_nano_or_vi(bin: Path) -> None:
    script(bin / "vi")
    assert Editor.choose((None,)).command == ("vi",)
    script(bin / "nano")
    assert Editor.choose((None,)).command == ("nano", "--restricted")
    script(bin / "vim")
    assert Editor.choose((None,)).command[0] == "vim"


def test_no_editor_at_all_and_one_that_is_not_there_are_errors(bin: Path) -> None:
    with pytest.raises(NoEditor, match="vim, nano, vi"):
        Editor.choose((None,))
    with pytest.raises(NoEditor, match="no editor 'emacs'"):
        Editor.choose(("emacs -nw",))
    with pytest.raises(NoEditor, match="quote without its end"):
        Editor.choose(("vim 'x",))


@pytest.mark.parametrize("name", ["vim", "nvim", "gvim", "vim.basic", "vimx"])
def test_vim_of_any_kind_keeps_nothing(bin: Path, name: str) -> None:
    script(bin / name)
    command = Editor.choose((f"{name} -f",)).command
    assert command[:4] == (name, "-n", "-i", "NONE")
    assert command[-1] == "-f"
    for option in ("noswapfile", "nobackup", "nowritebackup", "noundofile", "viminfo="):
        assert sum(option in part for part in command) == 2  # before the user's settings, and after them


def test_a_link_to_vim_is_vim(bin: Path) -> None:
    script(bin / "vim.tiny")
    (bin / "vi").symlink_to(bin / "vim.tiny")
    assert "-n" in Editor.choose(("vi",)).command


def test_the_real_vim_keeps_no_swap_file_backup_undo_file_or_viminfo(tmp_path: Path) -> None:
    """Against settings of a user that ask for all of them."""
    program = shutil.which("vim")
    if program is None:  # a machine without vim cannot leak through it
        return
    home, folder, kept = tmp_path / "home", tmp_path / "folder", tmp_path / "kept"
    for made in (home, folder, kept):
        made.mkdir()
    (home / ".vimrc").write_text(
        f"set nocompatible\nset backup writebackup undofile swapfile\nset backupdir={kept}\nset undodir={kept}\n"
        f"set directory={kept}\nset viminfo='100,n{kept}/viminfo\n"
    )
    file = folder / "prod.yaml"
    file.write_text("A: canary\n")
    editor = Editor.choose((program,))
    batch = Editor((*editor.command, "-es", "-c", "%s/canary/changed canary/", "-c", "wq"))
    batch.open(file, {**os.environ, "HOME": str(home), "TERM": "dumb"})
    assert file.read_text() == "A: changed canary\n"
    assert list(kept.iterdir()) == []
    assert [path.name for path in home.iterdir()] == [".vimrc"]
    assert [path.name for path in folder.iterdir()] == ["prod.yaml"]


def test_an_editor_that_fails_is_an_error(bin: Path, tmp_path: Path) -> None:
    failing = script(bin / "failing", "exit 3")
    with pytest.raises(EditorFailed, match="'failing' exited with status 3; nothing was changed"):
        Editor.choose(("failing",)).open(tmp_path / "file", os.environ)
    crashing = script(bin / "crashing", "kill -SEGV $$")
    with pytest.raises(EditorFailed, match="was ended by signal 11"):
        Editor((str(crashing),)).open(tmp_path / "file", os.environ)
    failing.chmod(0o644)
    with pytest.raises(EditorFailed, match="cannot be started"):
        Editor((str(failing),)).open(tmp_path / "file", os.environ)


def test_its_temporary_files_go_beside_the_file_and_its_environment_is_what_is_given(
    bin: Path, tmp_path: Path
) -> None:
    showing = script(bin / "showing", 'echo "$TMPDIR $ONE $HOME" > "$1"')
    Editor((str(showing),)).open(tmp_path / "file", {"ONE": "1"})
    assert (tmp_path / "file").read_text() == f"{tmp_path} 1 \n"


@contextmanager
def run(editor: Path, file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that waits for the editor; both are gone afterwards, whatever the test found."""
    process = subprocess.Popen(
        [sys.executable, "-c", OPENING, str(editor), str(file)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 20
        while not file.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_editor_is_ended_when_this_process_is_asked_to_end(
    number: signal.Signals, bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    waiting = script(bin / "waiting", 'echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 60')
    with run(waiting, tmp_path / "file") as process:
        process.send_signal(number)
        assert process.wait(20) == 128 + number
        assert process.stdout is not None
        assert process.stdout.read() == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "file").read_text()), 0)


def test_ctrl_c_is_the_editor_s(bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    asked = script(bin / "asked", 'trap "exit 0" INT; touch "$1"; while :; do sleep 0.05; done')
    with run(asked, tmp_path / "file") as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        [child] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "after\n"
