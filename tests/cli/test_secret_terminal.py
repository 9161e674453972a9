"""`arcan secret` at a real terminal: what is asked for, what is shown, and what is not."""

from __future__ import annotations

import pytest

from tests.support.live_server import ARCAN
from tests.support.realm_files import CANARY
from tests.support.secret_command import SecretCommand
from tests.support.terminal import Terminal

PATH = "realms/shop/prod.sops.yaml"


@pytest.fixture
def arcan(secret_command: SecretCommand) -> SecretCommand:
    return secret_command


def at_terminal(arcan: SecretCommand, *arguments: str, **environment: str) -> Terminal:
    return Terminal([*ARCAN, "secret", *arguments], arcan.folder, {**arcan.environment, **environment})


def test_a_value_is_asked_for_twice_and_not_shown(arcan: SecretCommand) -> None:
    with at_terminal(arcan, "set", "shop", "KEY", "--env=prod") as terminal:
        terminal.read_until("value of KEY, one line, not shown: ")
        terminal.type(f"{CANARY}\r")
        terminal.read_until("the same again: ")
        terminal.type(f"{CANARY}\r")
        assert terminal.wait() == 0
    assert CANARY not in terminal.shown
    assert f"arcan: added KEY to {PATH}" in terminal.shown
    assert arcan.seen_by_sops()["KEY"] == CANARY


@pytest.mark.parametrize(
    ("typed", "again", "said"),
    [
        (f"{CANARY}\r", f"{CANARY}x\r", "the two values differ"),
        (
            f"-----BEGIN X-----\r{CANARY}\r-----END X-----\r",
            None,
            "a value of several lines cannot be typed here",
        ),
        (f"{CANARY * 200}\r", None, "the terminal takes no value of that length"),
        ("\r", "\r", "key 'KEY': would be empty"),
        ("\x04", None, "interrupted"),
    ],
)
def test_what_cannot_be_the_value_is_refused_and_not_shown(
    typed: str, again: str | None, said: str, arcan: SecretCommand
) -> None:
    before = arcan.path.read_bytes()
    with at_terminal(arcan, "set", "shop", "KEY", "--env=prod") as terminal:
        terminal.read_until("not shown: ")
        terminal.type(typed)
        if again is not None:
            terminal.read_until("the same again: ")
            terminal.type(again)
        assert terminal.wait() in (1, 130)
    assert said in terminal.shown
    assert CANARY not in terminal.shown
    assert arcan.path.read_bytes() == before


def test_ctrl_c_at_the_prompt_changes_nothing(arcan: SecretCommand) -> None:
    before = arcan.path.read_bytes()
    with at_terminal(arcan, "set", "shop", "KEY", "--env=prod") as terminal:
        terminal.read_until("not shown: ")
        terminal.type(CANARY)
        assert terminal.wait(interrupting=True) == 130
    assert "arcan: interrupted" in terminal.shown
    assert CANARY not in terminal.shown
    assert arcan.path.read_bytes() == before


def test_what_is_left_of_a_paste_does_not_reach_the_shell(arcan: SecretCommand) -> None:
    """Else the shell would run the lines of a private key, and keep them in its history."""
    command = " ".join((*ARCAN[:2], f"'{ARCAN[2]}'", "secret set shop KEY --env=prod"))
    with Terminal(["/bin/sh", "-c", f"{command}; read rest; echo \"got <$rest>\""], arcan.folder,
                  arcan.environment) as terminal:  # fmt: skip
        terminal.read_until("not shown: ")
        terminal.type(f"line one\rtouch {CANARY}\rtouch more\r")
        terminal.read_until("several lines")
        terminal.type("typed later\r")
        terminal.read_until("got <typed later>")
        assert terminal.wait() == 0
    assert CANARY not in terminal.shown


def test_get_shows_a_value_only_when_told_to(arcan: SecretCommand) -> None:
    where = ("get", "shop", "DATABASE_URL", "--env=prod")
    with at_terminal(arcan, *where) as terminal:
        assert terminal.wait() == 1
    assert "standard output is a terminal" in terminal.shown
    assert "--reveal" in terminal.shown
    assert CANARY not in terminal.shown
    with at_terminal(arcan, *where, "--reveal") as terminal:
        assert terminal.wait() == 0
    assert terminal.shown == f"{CANARY}-old\r\n"


def test_a_value_that_would_drive_the_terminal_is_not_shown(arcan: SecretCommand) -> None:
    assert (
        arcan("set", "shop", "KEY", "--env=prod", "--stdin", stdin=f"\x1b]0;{CANARY}\x07".encode()).status
        == 0
    )
    with at_terminal(arcan, "get", "shop", "KEY", "--env=prod", "--reveal") as terminal:
        assert terminal.wait() == 1
    assert "would control the terminal" in terminal.shown
    assert "\x1b" not in terminal.shown


def test_standard_input_that_is_a_terminal_is_refused_where_typing_would_show(arcan: SecretCommand) -> None:
    for arguments in (["set", "shop", "KEY", "--stdin"], ["import", "shop", "-"]):
        with at_terminal(arcan, *arguments, "--env=prod") as terminal:
            assert terminal.wait() == 2
        assert "standard input is a terminal" in terminal.shown


def editor(arcan: SecretCommand, text: str) -> str:
    path = arcan.folder / "editor.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_after_a_mistake_the_editor_is_opened_again_on_what_was_typed(arcan: SecretCommand) -> None:
    text = "if grep -q 'PORT: a: b' $1; then sed -i 's/a: b/6543/' $1; else sed -i 's/5432/a: b/' $1; fi"
    with at_terminal(arcan, "edit", "shop", "--env=prod", EDITOR=editor(arcan, text)) as terminal:
        terminal.read_until("open the editor again? [Y/n]: ")
        assert "arcan: error: what was typed, line 4: not YAML" in terminal.shown
        terminal.type("\r")
        assert terminal.wait() == 0
    assert f"arcan: {PATH}: changed PORT" in terminal.shown
    assert arcan.seen_by_sops()["PORT"] == 6543
    assert CANARY not in terminal.shown


def test_after_a_mistake_one_may_leave_it_at_that(arcan: SecretCommand) -> None:
    before = arcan.path.read_bytes()
    for interrupting in (False, True):
        with at_terminal(
            arcan, "edit", "shop", "--env=prod", EDITOR=editor(arcan, "echo : : >> $1")
        ) as terminal:
            terminal.read_until("open the editor again? [Y/n]: ")
            if not interrupting:
                terminal.type("n\r")
            assert terminal.wait(interrupting=interrupting) == (130 if interrupting else 1)
        assert arcan.path.read_bytes() == before


def test_what_was_typed_can_be_copied_when_the_file_was_changed_meanwhile(arcan: SecretCommand) -> None:
    other = " ".join((*ARCAN[:2], f"'{ARCAN[2]}'"))
    text = f"""
    if grep -q mine $1; then touch copied; exit; fi
    printf theirs | {other} secret set shop PORT --env=prod --stdin 2> /dev/null
    sed -i 's/-old/-mine/' $1
    """
    with at_terminal(arcan, "edit", "shop", "--env=prod", EDITOR=editor(arcan, text)) as terminal:
        terminal.read_until("to copy what you typed? It will not be saved. [Y/n]: ")
        terminal.type("y\r")
        assert terminal.wait() == 1
    assert (arcan.folder / "copied").exists()
    assert terminal.shown.count("was changed meanwhile; nothing was written") == 1
    assert arcan.seen_by_sops()["PORT"] == "theirs"
