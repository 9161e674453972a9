"""`arcan realm create --like`: an environment in one go, and no value is shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from arcan_gitops import sops
from tests.support.live_server import ARCAN
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error
from tests.support.terminal import Terminal

LIKE = ("create", "shop", "--env=staging", "--like=prod")


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    """Realm `shop` with an environment `prod`, of which Alice has the identity."""
    command = RealmCommand(tmp_path, monkeypatch, capsys)
    command.rules(shop="alice")
    values = {
        "SMTP_HOST": "smtp.example.com",
        "SMTP_PASSWORD": CANARY,
        "LIMITS": {"a": 1},
        "JWT_KEY": f"{CANARY}-jwt",
    }
    path = command.path("shop")
    path.parent.mkdir(parents=True)
    recipients = sops.Recipients((tuple(command.public("alice")),))
    path.write_bytes(sops.encrypt(values, recipients=recipients, place="shop/prod"))
    return command


def staging(arcan: RealmCommand) -> dict[str, object]:
    return dict(arcan.values(arcan.path("shop", "staging"), "alice"))


def test_each_key_is_copied_or_made_anew(arcan: RealmCommand) -> None:
    result = arcan(*LIKE, "--copy=SMTP_*", "--copy=LIMITS", "--generate=*_KEY", held="alice")
    assert result.status == 0, result.err
    values = staging(arcan)
    made = values.pop("JWT_KEY")
    assert values == {"SMTP_HOST": "smtp.example.com", "SMTP_PASSWORD": CANARY, "LIMITS": {"a": 1}}
    assert re.fullmatch(r"[-A-Za-z0-9._~]{32}", str(made))
    assert "arcan: copied from prod: SMTP_HOST, SMTP_PASSWORD, LIMITS\n" in result.err
    assert "arcan: generated: JWT_KEY\n" in result.err
    assert arcan("check").status == 0


def test_what_is_not_copied_takes_no_identity(arcan: RealmCommand) -> None:
    assert arcan(*LIKE, "--generate").status == 0
    assert list(staging(arcan)) == ["SMTP_HOST", "SMTP_PASSWORD", "LIMITS", "JWT_KEY"]
    assert CANARY not in str(staging(arcan))


def test_a_name_counts_before_a_glob(arcan: RealmCommand) -> None:
    result = arcan(*LIKE, "--copy=*", "--generate=SMTP_PASSWORD", "--generate=JWT_KEY", held="alice")
    assert result.status == 0, result.err
    assert CANARY not in str(staging(arcan))
    assert staging(arcan)["SMTP_HOST"] == "smtp.example.com"


def test_values_are_asked_for_and_not_shown(arcan: RealmCommand) -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("SOPS_")}
    command = [*ARCAN, "realm", *LIKE, "--ask=SMTP_*", "--copy=LIMITS", "--generate=JWT_KEY"]
    command += ["--identity-file=alice.key"]
    with Terminal(command, arcan.folder, environment) as terminal:
        for key in ("SMTP_HOST", "SMTP_PASSWORD"):
            for prompt in (f"value of {key}, one line, not shown: ", "the same again: "):
                terminal.read_until(prompt)
                terminal.type(f"{CANARY}-{key}\r")
        assert terminal.wait() == 0, terminal.shown
        assert CANARY not in terminal.shown
    assert staging(arcan)["SMTP_PASSWORD"] == f"{CANARY}-SMTP_PASSWORD"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "nothing says what becomes of SMTP_HOST, SMTP_PASSWORD, LIMITS, JWT_KEY|--ask '*'"),
        (["--copy=*", "--generate=*_KEY"], "key 'JWT_KEY': --copy and --generate both match it"),
        (["--copy=*", "--generate=JWT_KEYS"], "--generate 'JWT_KEYS' matches no key|did you mean 'JWT_KEY'?"),
        (["--ask=*"], "there is no terminal to ask for SMTP_HOST"),
        (["--like=prd", "--copy=*"], "did you mean 'prod'?"),
    ],
)
def test_what_is_not_decided_is_told_and_nothing_is_written(
    options: list[str], says: str, arcan: RealmCommand
) -> None:
    before = arcan.state()
    assert_error(arcan(*LIKE, *options, held="alice"), *says.split("|"))
    assert arcan.state() == before


def test_all_that_is_missing_is_told_at_once(arcan: RealmCommand) -> None:
    config = arcan.folder / ".sops.yaml"
    config.write_text(config.read_text().replace("shop", "shop/prod"))
    result = arcan(*LIKE, "--copy=NOTHING", "--generate=SMTP_*")
    assert_error(
        result,
        "no rule of .sops.yaml is for it",
        "--copy 'NOTHING' matches no key of shop/prod",
        "nothing says what becomes of LIMITS, JWT_KEY",
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--like=prod", "--key=A"],
        ["--like=prod", "--import=x"],
        ["--key=A", "--copy=A"],
        ["--key=A", "--ask=A"],
        ["--key=A", "--generate=B"],
        ["--import=x", "--generate"],
        [],
    ],
)
def test_what_does_not_go_together_is_refused(options: list[str], arcan: RealmCommand) -> None:
    before = arcan.state()
    assert arcan("create", "shop", "--env=staging", *options).status == 2
    assert arcan.state() == before
