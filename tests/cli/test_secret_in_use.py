"""`arcan secret unset`, `rename` and `edit` name the declared apps that use what goes, before it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.live_server import ARCAN
from tests.support.secret_command import SecretCommand, assert_error
from tests.support.terminal import Terminal

APP = """\
name: web
realm: shop
token: web
namespace: web
secrets:
  - {name: web, keys: [PORT]}
"""
USED = "app 'web' uses key 'PORT' in prod (kustomize/apps/web.yaml:6)"


@pytest.fixture
def arcan(secret_command: SecretCommand, tmp_path: Path) -> SecretCommand:
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/apps/web.yaml").write_text(APP)
    return secret_command


COMMANDS = [["unset", "shop", "LIMITS", "PORT"], ["rename", "shop", "PORT", "HTTP_PORT"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_key_that_an_app_uses_does_not_go_without_a_yes(command: list[str], arcan: SecretCommand) -> None:
    before = arcan.path.read_bytes()
    assert_error(arcan(*command, "--env=prod"), USED, "declared apps use it; nothing was changed", "--yes")
    assert arcan.path.read_bytes() == before
    done = arcan(*command, "--env=prod", "--yes")
    assert done.status == 0
    assert USED in done.err
    assert "PORT" not in arcan.seen_by_sops()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_it_is_asked_for(command: list[str], answer: str, arcan: SecretCommand) -> None:
    with Terminal([*ARCAN, "secret", *command, "--env=prod"], arcan.folder, arcan.environment) as terminal:
        terminal.read_until("continue anyway? [y/N]: ")
        assert USED in terminal.shown
        terminal.type(f"{answer}\r")
        assert terminal.wait() == (0 if answer == "y" else 1)
    assert ("PORT" in arcan.seen_by_sops()) == (answer == "n")


def test_what_no_app_uses_goes_without_a_word(arcan: SecretCommand) -> None:
    result = arcan("unset", "shop", "DATABASE_URL", "--env=prod")
    assert (result.status, result.err.count("\n")) == (0, 1)


def test_without_declared_apps_nothing_is_asked(arcan: SecretCommand) -> None:
    (arcan.folder / "kustomize/apps/web.yaml").unlink()
    assert arcan("unset", "shop", "PORT", "--env=prod").status == 0


def test_where_the_apps_cannot_be_read_nobody_knows_who_uses_it(arcan: SecretCommand) -> None:
    (arcan.folder / "kustomize/apps/web.yaml").write_text("name: [")
    assert_error(arcan("unset", "shop", "PORT", "--env=prod"), "which apps use it is not known", "--yes")
    assert arcan("unset", "shop", "PORT", "--env=prod", "--yes").status == 0


def test_a_key_that_is_gone_after_an_edit_is_asked_for(arcan: SecretCommand) -> None:
    editor = arcan.folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i /PORT/d "$1"\n')
    editor.chmod(0o755)
    environment = {**arcan.environment, "EDITOR": str(editor)}
    with Terminal([*ARCAN, "secret", "edit", "shop", "--env=prod"], arcan.folder, environment) as terminal:
        terminal.read_until("continue anyway? [y/N]: ")
        assert USED in terminal.shown
        terminal.type("y\r")
        assert terminal.wait() == 0
    assert "PORT" not in arcan.seen_by_sops()
