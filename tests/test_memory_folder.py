"""The folder for values in clear: private, in memory, and gone in the end, however that comes."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arcan_gitops.memory_folder import NoMemoryFolder, memory_folder

SHARED_MEMORY = Path("/dev/shm")

HOLDING = """
import sys, time
from pathlib import Path
from arcan_gitops.memory_folder import memory_folder
with memory_folder([Path("/dev/shm")]) as folder:
    (folder / "file").write_text("in clear")
    print(folder, flush=True)
    time.sleep(60)
"""


def gone(folder: Path, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return not folder.exists()


def test_only_this_user_can_look_into_it_and_it_is_removed_with_all_that_is_in_it() -> None:
    with memory_folder([SHARED_MEMORY]) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "deeper").mkdir()
        (folder / "deeper" / "file~").write_text("a backup")
        (folder / "link").symlink_to(Path.home())
    assert not folder.exists()
    assert Path.home().exists()


def test_it_is_removed_when_something_goes_wrong() -> None:
    folders = []

    def interrupted() -> None:
        with memory_folder([SHARED_MEMORY]) as folder:
            folders.append(folder)
            (folder / "file").write_text("in clear")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [folder.exists() for folder in folders] == [False]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_is_removed_when_the_process_is_killed(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert (folder / "file").exists()
        process.send_signal(number)
        process.wait()
    assert gone(folder)


def test_a_file_system_of_another_kind_is_not_taken() -> None:
    with pytest.raises(NoMemoryFolder, match="no memory file system to edit on \\(tried: /proc\\)"):
        memory_folder([Path("/proc")]).__enter__()


def test_the_first_candidate_that_is_in_memory_is_taken(tmp_path: Path) -> None:
    with memory_folder([tmp_path / "missing", Path(__file__), SHARED_MEMORY]) as folder:
        assert folder.parent == SHARED_MEMORY
