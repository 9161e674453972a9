"""Where private keys are found: sops's own places in its order, and ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

from arcan_gitops.cli.identities import (
    CannotReadIdentity,
    NoIdentity,
    default_key_file,
    held_identities,
    server_identities,
)
from arcan_gitops.cli.key_command import CommandFailed, output_of
from arcan_gitops.errors import ArcanError
from arcan_gitops.sops import BadIdentity, NoMatchingIdentity, load
from tests.support.crafting import as_yaml, craft
from tests.support.live_server import ARCAN
from tests.support.realm_files import CANARY, RealmFiles, new_identity

PASSPHRASE = f"a passphrase, {CANARY}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no variable of sops's."""
    for name in [name for name in os.environ if name.startswith(("SOPS_", "ARCAN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def key_file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_text(text)
    return path


def ssh_key(path: Path, *options: str) -> str:
    """Makes a key pair; the public key as a recipient."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-C", "", "-f", str(path), *(options or ("-N", ""))]
    subprocess.run(command, check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def recipients(*files: Path, passphrase_file: Path | None = None) -> tuple[str, ...]:
    return held_identities(files, passphrase_file).recipients


# The sources


def test_all_sources_are_collected_in_the_order_of_sops(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    option, key, file, command, default = (new_identity() for _ in range(5))
    by_variable = ssh_key(tmp_path / "one")
    by_command = ssh_key(tmp_path / "two")
    in_home = ssh_key(home / ".ssh" / "id_ed25519")
    monkeypatch.setenv("SOPS_AGE_SSH_PRIVATE_KEY_FILE", str(tmp_path / "one"))
    monkeypatch.setenv("SOPS_AGE_SSH_PRIVATE_KEY_CMD", f"cat '{tmp_path / 'two'}'")
    monkeypatch.setenv("SOPS_AGE_KEY", key[0])
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(key_file(tmp_path / "file", file[0])))
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"echo {command[0]}")
    key_file(home / ".config" / "sops" / "age" / "keys.txt", default[0])
    given = key_file(tmp_path / "option", option[0])
    named = (option[1], by_variable, by_command, key[1], file[1], command[1])
    assert recipients(given) == (*named, in_home, default[1])


def test_a_server_takes_nothing_that_nobody_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh_key(home / ".ssh" / "id_ed25519")
    key_file(home / ".config" / "sops" / "age" / "keys.txt", new_identity()[0])
    with pytest.raises(NoIdentity, match="no age identity to decrypt the realms with") as caught:
        server_identities((), None)()
    assert "--identity-file" in str(caught.value.hint)
    private, public = new_identity()
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"echo {private}")
    assert server_identities((), None)().recipients == (public,)
    monkeypatch.delenv("SOPS_AGE_KEY_CMD")
    assert server_identities((), None, required=False)().recipients == ()


def test_a_key_in_a_variable_may_be_several_with_blanks_and_comments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two, three = new_identity(), new_identity(), new_identity()
    monkeypatch.setenv("SOPS_AGE_KEY", f"# first\n {one[0]}  {two[0]}\n\n{three[0]} # last\n")
    assert recipients() == (one[1], two[1], three[1])


def test_a_key_in_a_variable_is_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = new_identity()
    code = (
        "import os; from arcan_gitops.cli.identities import held_identities;"
        "held = held_identities((), None); print(held.recipients[0], 'SOPS_AGE_KEY' in os.environ);"
        "print(open('/proc/self/environ').read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "SOPS_AGE_KEY": private}, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stdout.startswith(f"{public} False\n")
    assert private not in done.stdout


@pytest.mark.parametrize("given", ["absolute", ""])
def test_the_default_file_is_in_the_configuration_directory(
    given: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "config" if given else home / ".config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder) if given else "")
    private, public = new_identity()
    key_file(folder / "sops" / "age" / "keys.txt", private)
    assert default_key_file() == folder / "sops" / "age" / "keys.txt"
    assert recipients() == (public,)


@pytest.mark.parametrize(
    ("platform", "place"),
    [("darwin", "Library/Application Support/sops/age/keys.txt"), ("win32", "AppData/Roaming/sops/age/keys.txt")],
)  # fmt: skip
def test_other_systems_have_it_elsewhere(
    platform: str, place: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("APPDATA", raising=False)
    assert default_key_file() == home / place


# What cannot be used


def test_without_any_key_all_places_are_named(home: Path) -> None:
    with pytest.raises(NoIdentity) as caught:
        held_identities((), None)
    for place in (
        "--identity-file", "SOPS_AGE_KEY,", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
        "SOPS_AGE_SSH_PRIVATE_KEY_CMD", str(home / ".ssh/id_ed25519"), str(home / ".ssh/id_rsa"), str(default_key_file()),
    ):  # fmt: skip
        assert place in caught.value.message
    assert f"arcan keygen -o {default_key_file()}" in str(caught.value.hint)


@pytest.mark.parametrize("variable", ["SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"])
def test_a_file_that_a_variable_names_must_be_there(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "none"))
    with pytest.raises(CannotReadIdentity, match=f"{variable}: .*none: cannot be read: No such file"):
        held_identities((), None)


def test_a_named_source_that_is_no_key_is_an_error_that_does_not_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = key_file(tmp_path / "good", new_identity()[0])
    for text in (CANARY, f"AGE-SECRET-KEY-1{CANARY}", f"# {CANARY}\n", ""):
        bad = key_file(tmp_path / "bad", text)
        with pytest.raises(BadIdentity, match=str(bad)) as caught:
            held_identities((good, bad), None)
        assert CANARY not in f"{caught.value} {caught.value.hint}"
        if text:
            monkeypatch.setenv("SOPS_AGE_KEY", text)
            with pytest.raises(BadIdentity, match="SOPS_AGE_KEY") as caught:
                held_identities((good,), None)
            assert CANARY not in f"{caught.value} {caught.value.hint}"


def test_an_ssh_key_in_the_home_that_cannot_be_used_is_told_of_when_nothing_opens(
    home: Path, tmp_path: Path
) -> None:
    ssh_key(home / ".ssh" / "id_ed25519", "-N", "secret passphrase")
    private, public = new_identity()
    held = held_identities((key_file(tmp_path / "key", private),), None)
    assert held.recipients == (public,)
    document = as_yaml(craft({"A": (b"x", "str")}, [new_identity()[1]]))
    with pytest.raises(NoMatchingIdentity, match=r"not used: .*id_ed25519: an SSH private key .* passphrase"):
        load(document, identities=held)
    (tmp_path / "key").unlink()
    with pytest.raises(NoIdentity, match=r"not used: .*id_ed25519"):
        held_identities((), None)


def test_identities_of_plugins_alone_are_said_to_take_the_binary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", "AGE-PLUGIN-YUBIKEY-1QQQQ")
    with pytest.raises(NoIdentity, match="--sops-binary") as caught:
        held_identities((), None)
    assert "QQQQ" not in f"{caught.value} {caught.value.hint}"


def test_a_key_file_that_everybody_can_read_is_warned_of_whoever_owns_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = key_file(tmp_path / "key", new_identity()[0])
    held_identities((file,), None)
    file.chmod(0o640)  # a group that was chosen for it
    held_identities((file,), None)
    assert capsys.readouterr().err == ""
    file.chmod(0o644)
    held_identities((file,), None)
    said = capsys.readouterr().err
    assert f"warning: {file}: everybody on this machine can read it" in said
    command = said.strip().rpartition("end that: ")[2]
    subprocess.run(command.split(), check=True)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_file_that_kubernetes_mounts_from_a_secret_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kubelet's layout: NAME -> ..data/NAME, ..data -> a folder named by the time."""
    folder = tmp_path / "..2026_11_28"
    folder.mkdir()
    key_file(folder / "identity.txt", new_identity()[0]).chmod(0o644)
    (tmp_path / "..data").symlink_to(folder.name)
    (tmp_path / "identity.txt").symlink_to("..data/identity.txt")
    held_identities((tmp_path / "identity.txt",), None)
    assert capsys.readouterr().err == ""


# A command


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"sh -c 'echo {CANARY}; echo {CANARY} >&2; exit 3'", "ended with exit status 3"),
        ("/nonexistent/program", "cannot be run: No such file"),
        ("sleep 60", r"no answer after 0\.3 s"),
        ("echo 'unclosed", "a quote that is not closed"),
        ("   ", "no command"),
    ],
)
def test_a_command_that_fails_is_told_of_without_its_output(
    command: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandFailed, match=f"SOPS_AGE_KEY_CMD: {said}") as caught:
        output_of(command, "SOPS_AGE_KEY_CMD", timeout=0.3)
    printed = capfd.readouterr()
    assert CANARY not in f"{caught.value} {caught.value.hint} {printed.out} {printed.err}"


def test_a_command_is_split_like_a_shell_does_and_run_without_one(tmp_path: Path) -> None:
    file = key_file(tmp_path / "a b", "x")
    assert output_of(f'cat "{file}"', "X") == b"x"
    assert output_of("echo $HOME; echo *", "X") == b"$HOME; echo *\n"


def test_a_command_that_prints_no_key_is_an_error_that_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"echo {CANARY}")
    with pytest.raises(BadIdentity, match="SOPS_AGE_KEY_CMD, line 1") as caught:
        held_identities((), None)
    assert CANARY not in f"{caught.value} {caught.value.hint}"


# A passphrase


@pytest.fixture(scope="module")
def protected() -> tuple[bytes, str]:
    """(identity file that the passphrase opens, its recipient)."""
    private, public = new_identity()
    file: bytes = pyrage.passphrase.encrypt(f"# comment\n{private}\n".encode(), PASSPHRASE)
    return file, public


def test_a_protected_identity_file_opens_by_a_passphrase_file(
    protected: tuple[bytes, str], tmp_path: Path
) -> None:
    file, public = protected
    identity = tmp_path / "identity.age"
    identity.write_bytes(file)
    identity.chmod(0o600)
    for ending in ("", "\n", "\r\n", "\nsecond line\n"):
        passphrase = key_file(tmp_path / "passphrase", "")
        passphrase.write_bytes(f"{PASSPHRASE}{ending}".encode())
    assert recipients(identity, passphrase_file=passphrase) == (public,)
    with pytest.raises(BadIdentity, match=f"{identity}: .*none is given") as caught:
        held_identities((identity,), None)
    assert "--passphrase-file" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "its first line is empty"), (b"\nx", "first line is empty"), (b"\xff", "not a text")],
)
def test_a_passphrase_file_without_a_passphrase_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    file = key_file(tmp_path / "passphrase", "")
    file.write_bytes(content)
    with pytest.raises(CannotReadIdentity, match=said):
        held_identities((), file)
    with pytest.raises(CannotReadIdentity, match=r"--passphrase-file: .*cannot be read"):
        held_identities((), tmp_path / "none")


def test_a_wrong_passphrase_is_told_of_by_the_server_and_not_shown(
    protected: tuple[bytes, str], tmp_path: Path
) -> None:
    files = RealmFiles(tmp_path / "git")
    files.write("shop", "prod", "A: x\n")
    files.identity_file.write_bytes(protected[0])
    wrong = key_file(tmp_path / "passphrase", f"{CANARY}\n")
    done = subprocess.run(
        [*ARCAN, "serve", "--realms", str(files.root), "--data-dir", str(tmp_path / "data"), "--port", "0",
         "--identity-file", str(files.identity_file), "--passphrase-file", str(wrong)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{files.identity_file}: the passphrase does not open it" in done.stderr
    assert CANARY not in done.stderr + done.stdout


def test_a_file_may_be_a_pipe(tmp_path: Path) -> None:
    private, public = new_identity()
    read, write = os.pipe()
    os.write(write, private.encode())
    os.close(write)
    assert recipients(Path(f"/dev/fd/{read}")) == (public,)
    os.close(read)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(ArcanError, match="too large for an identity file"):
        held_identities((Path("/dev/zero"),), None)
