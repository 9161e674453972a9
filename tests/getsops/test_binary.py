"""How the binary is run: what it gets, and that it can neither hang, flood nor speak through us."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError
from arcan_gitops.getsops import Binary, BinaryFailed, Fallback
from arcan_gitops.sops import NoMatchingIdentity, SopsError, Tampered
from tests.support.crafting import as_yaml, craft
from tests.support.realm_files import CANARY, new_identity, sops_binary

PRIVATE, PUBLIC = new_identity()
DOCUMENT = as_yaml(
    craft({"A": (b"x", "str")}, [PUBLIC], unencrypted_suffix=None, encrypted_comment_regex="x")
)


def program(folder: Path, script: str) -> Path:
    """A shell script in the place of sops."""
    path = folder / "sops"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def load(path: Path, **settings: float) -> None:
    Fallback(Binary(path, timeout=settings.pop("timeout", 20), **settings)).load(  # type: ignore[arg-type]
        DOCUMENT, identities=[PRIVATE]
    )


def test_it_gets_the_document_on_standard_input_and_little_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", CANARY)
    seen = tmp_path / "seen"
    seen.mkdir()
    script = f'cd "$PWD"; /bin/pwd > {seen}/cwd; /bin/ls -A > {seen}/ls; /usr/bin/env > {seen}/env; echo "$*" > {seen}/args; /bin/cat > {seen}/stdin; exit 1'
    with pytest.raises(BinaryFailed, match="exit status 1"):
        load(program(tmp_path, script))
    assert (seen / "args").read_text() == (
        "--config /dev/null decrypt --input-type yaml --output-type json /dev/stdin\n"
    )
    assert b"A: ENC[AES256_GCM," in (seen / "stdin").read_bytes()
    assert PUBLIC.encode() not in (seen / "stdin").read_bytes()
    assert (seen / "ls").read_text() == ""
    cwd = (seen / "cwd").read_text().strip()
    assert not Path(cwd).exists()
    variables = dict(line.split("=", 1) for line in (seen / "env").read_text().splitlines())
    assert set(variables) - {"PWD", "OLDPWD", "_", "SHLVL"} == {
        "HOME", "XDG_CONFIG_HOME", "SOPS_AGE_KEY", "SOPS_DISABLE_VERSION_CHECK",
    }  # fmt: skip
    assert variables["HOME"] == variables["XDG_CONFIG_HOME"] == cwd
    assert CANARY not in str(variables)
    assert PRIVATE not in str(variables)


def test_a_binary_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    started = time.monotonic()
    with pytest.raises(BinaryFailed, match=r"no answer within 0\.5 s"):
        load(program(tmp_path, f"sleep 60 & echo $! >> {pids}; echo $$ >> {pids}; wait"), timeout=0.5)
    assert time.monotonic() - started < 10
    for pid in pids.read_text().split():
        assert gone(int(pid))


def gone(pid: int) -> bool:
    """Whether a process ended; one that waits for its parent to look has ended too."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_child_that_keeps_the_output_open_counts_as_no_answer(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with pytest.raises(BinaryFailed, match="no answer"):
        load(program(tmp_path, f"sleep 60 & echo $! > {pids}; exit 0"), timeout=0.5)
    assert gone(int(pids.read_text()))


def test_a_flood_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(BinaryFailed, match="more than 100000 bytes"):
        load(program(tmp_path, "cat /dev/zero"), max_output=100_000)


def test_a_binary_that_reads_nothing_of_a_large_document_is_no_trouble(tmp_path: Path) -> None:
    binary = Binary(program(tmp_path, "exit 3"), timeout=20)
    with pytest.raises(BinaryFailed, match="exit status 3"):
        binary.decrypt(b"x" * 10_000_000, {})
    binary = Binary(program(tmp_path, "echo {}; exec 0<&-; exit 0"), timeout=20)
    assert binary.decrypt(b"x" * 10_000_000, {}) == b"{}\n"


def test_large_documents_go_in_and_come_out_at_once(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    assert Binary(program(tmp_path, "cat"), timeout=20).decrypt(data, {}) == data


@pytest.mark.parametrize(
    ("status", "error"),
    [(25, Tampered), (24, Tampered), (51, Tampered), (52, Tampered), (128, NoMatchingIdentity),
     (1, BinaryFailed), (2, BinaryFailed), (200, BinaryFailed)],
)  # fmt: skip
def test_an_exit_status_is_an_error_of_its_kind(status: int, error: type[SopsError], tmp_path: Path) -> None:
    with pytest.raises(error, match=f"exit status {status}") as caught:
        load(program(tmp_path, f"exit {status}"))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "output",
    [
        CANARY,
        f'"{CANARY}"',
        f'{{"A": "{CANARY}"',
        f'{{"A": "{CANARY}", "A": "{CANARY}"}}',
        f'{{"{CANARY}": "x"}}',
        f'{{"A": ["{CANARY}"]}}',
        f'{{"A": {{"{CANARY}": 1}}}}',
        '{"A": 1}',
        '{"A": "xy"}',
        "{}",
        "",
        '{"A": "x", "B": "y"}',
        '{"A": null}',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("status", [0, 1])
def test_nothing_that_it_prints_is_in_a_message_and_what_does_not_fit_is_refused(
    output: str, status: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text"
    text.write_text(output)
    with pytest.raises(ArcanError) as caught:
        load(program(tmp_path, f"cat {text}; cat {text} >&2; exit {status}"))
    assert isinstance(caught.value, BinaryFailed)
    assert caught.value.__cause__ is None
    printed = capfd.readouterr()
    assert CANARY not in f"{caught.value} {caught.value.hint} {printed.out} {printed.err}"


def test_an_answer_that_fits_is_taken(tmp_path: Path) -> None:
    answer = json.dumps({"A": "x"})
    fallback = Fallback(Binary(program(tmp_path, f"echo '{answer}'")))
    assert fallback.load(DOCUMENT, identities=[PRIVATE]).tree == {"A": "x"}


def test_the_version_is_told_without_a_network() -> None:
    assert Binary(Path(sops_binary())).version() == "3.11.0"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'sops 3.8.1 (latest)'", r"is sops 3\.8\.1, and 3\.9\.0 or newer is needed"),
        (f"echo {CANARY}", "not the getsops binary"),
        (f"echo sops 3.11.0 {CANARY}; exit 1", "not the getsops binary"),
        ("exit 0", "not the getsops binary"),
        ("sleep 60", "no answer"),
    ],
)
def test_what_is_no_usable_sops_is_refused(script: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BinaryFailed, match=said) as caught:
        Binary(program(tmp_path, script), timeout=0.5).version()
    assert CANARY not in f"{caught.value} {caught.value.hint}"


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(BinaryFailed, match=f"{path}: cannot be run"):
            Binary(path).version()


def test_it_hides_its_environment() -> None:
    assert CANARY not in repr(Binary(Path("/sops"), {"VAULT_TOKEN": CANARY}))
