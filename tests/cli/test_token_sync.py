"""`arcan token sync`: what is missing is made, the rest is named; it narrows and widens only when asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arcan_gitops.access import TokenRecord, read_tokens_file, token_id
from arcan_gitops.access.times import format_time
from arcan_gitops.access.token import mint
from arcan_gitops.access.tokens_file import TokensFile
from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio import emit, read_documents
from tests.support.account_project import lay_out, run

TOKENS = (
    "tokens: {name: '{app}.{overlay}'}\noverlays:\n  dev: {environment: dev}\n  prod: {environment: prod}\n"
)
APP = "name: {0}\nrealm: production\nnamespace: {0}\nsecrets: [{{name: {0}, {1}}}]\n"
ACCOUNT = "eu/shop/arcan-reader"


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


@pytest.fixture
def tokens(accounts: Path) -> Path:
    """Two apps, two overlays, and no app names a token."""
    Path("kustomize/arcan.yaml").write_text(TOKENS)
    declare("shop", "keys: [URL]")
    declare("web", "all: true")
    return accounts


def declare(app: str, content: str) -> None:
    Path(f"kustomize/apps/{app}.yaml").write_text(APP.format(app, content))


def held() -> TokensFile:
    return read_tokens_file(Path("realms/production/tokens.yaml").read_bytes(), "tokens.yaml")


def scopes() -> dict[str, tuple[tuple[str, ...] | None, tuple[str, ...] | None]]:
    return {record.name: (record.environments, record.keys) for record in held().tokens}


def checked() -> list[str]:
    result = run("token", "sync", "--check")
    assert result.exit_code in (0, 1)
    assert (result.exit_code == 0) == all("is unused" in line for line in result.stdout.splitlines())
    return [line.removeprefix("production: ") for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("accounts")
def test_an_account_that_apps_need_is_granted_just_that() -> None:
    assert checked() == [f"account '{ACCOUNT}' is missing: apps read URL of prod"]
    assert not Path("realms/production/tokens.yaml").exists()
    assert run("token", "sync").exit_code == 0
    (record,) = held().accounts
    assert (str(record.name), record.environments, record.keys) == (ACCOUNT, ("prod",), ("URL",))
    assert checked() == []
    assert run("generate", "overlays").exit_code == 0


@pytest.mark.usefixtures("tokens")
def test_missing_tokens_are_made_at_once_each_into_a_file_of_its_own(tmp_path: Path) -> None:
    error = run("token", "sync").exception
    assert isinstance(error, ArcanError)
    assert "shop.dev, shop.prod, web.dev, web.prod" in error.message
    assert not Path("realms/production/tokens.yaml").exists()
    values = tmp_path / "values"
    result = run("token", "sync", f"--output-dir={values}")
    assert result.exit_code == 0, result.exception
    assert scopes() == {
        "shop.dev": (("dev",), ("URL",)),
        "shop.prod": (("prod",), ("URL",)),
        "web.dev": (("dev",), None),
        "web.prod": (("prod",), None),
    }
    now = datetime.now(UTC)
    for record in held().tokens:
        file = values / "tokens/production" / record.name  # where the script of 'arcan bootstrap' looks
        assert file.stat().st_mode & 0o777 == 0o600
        text = file.read_text().strip()
        assert token_id(text) == record.id
        assert text not in result.output
        assert record.expires is not None
        assert timedelta(days=179) < record.expires - now < timedelta(days=181)
    assert checked() == []
    assert run("token", "sync", f"--output-dir={values}").exit_code == 0
    assert len(held().tokens) == 4
    assert run("generate", "overlays").exit_code == 0


@pytest.mark.usefixtures("tokens")
def test_secrets_for_kubectl_are_all_of_standard_output() -> None:
    result = run("token", "sync", "--format=secret", "--overlay=prod")
    assert result.exit_code == 0, result.exception
    secrets = read_documents(result.stdout.encode(), "stdout")
    assert [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in secrets] == [
        ("shop", "arcan-credentials"),
        ("web", "arcan-credentials"),
    ]
    texts = [each["stringData"]["token"] for each in secrets]
    assert sorted(scopes()) == ["shop.prod", "web.prod"]
    assert {token_id(text) for text in texts} == {record.id for record in held().tokens}
    assert "token 'shop.dev' of realm 'production' is not made" in result.stderr
    assert not any(text in result.stderr for text in texts)


def record(name: str, keys: tuple[str, ...] | None, **more: object) -> TokenRecord:
    minted = mint()
    created = datetime(2026, 1, 1, tzinfo=UTC)
    made = TokenRecord(minted.id, name, "read-only", ("prod",), keys, created, None, minted.digest)
    return TokenRecord.from_plain({**made.to_plain(), **more})


def write(*records: TokenRecord) -> None:
    text = emit([{"version": 1, "tokens": [each.to_plain() for each in records]}])
    Path("realms/production/tokens.yaml").write_text(text)


@pytest.fixture
def drifted(tokens: Path) -> Path:
    """A token of each kind; `shop` reads by one, `web` by another."""
    Path("kustomize/arcan.yaml").write_text(
        TOKENS.replace("{app}.{overlay}", "{app}").replace("  dev: {environment: dev}\n", "")
    )
    declare("web", "keys: [URL, PASSWORD]")
    write(record("shop", ("URL", "OLD_*")), record("web", ("URL",)), record("spare", None))
    return tokens


@pytest.mark.usefixtures("drifted")
def test_what_is_too_wide_too_narrow_or_unused_is_named_and_left_alone() -> None:
    before = scopes()
    assert checked() == [
        "token 'shop' is too wide: it may read URL, OLD_* of prod, and apps read URL of prod",
        "token 'spare' is unused: no declared app reads by it",
        "token 'web' is too narrow: apps read PASSWORD, which it may not",
    ]
    result = run("token", "sync")
    assert "let token 'web' read it: arcan token sync --widen web" in result.stderr
    assert "take it from token 'shop': arcan token sync --narrow" in result.stderr
    assert scopes() == before


@pytest.mark.usefixtures("drifted")
def test_it_narrows_all_and_widens_what_is_named_and_nothing_else() -> None:
    assert run("token", "sync", "--narrow").exit_code == 0
    assert scopes() == {
        "shop": (("prod",), ("URL",)),
        "web": (("prod",), ("URL",)),
        "spare": (("prod",), None),
    }
    assert run("token", "sync", "--widen=web").exit_code == 0
    assert scopes()["web"] == (("prod",), ("URL", "PASSWORD"))
    error = run("token", "sync", "--widen=web").exception
    assert isinstance(error, ArcanError)
    assert error.message == "--widen web: no token or account of that name is too narrow"


@pytest.mark.usefixtures("drifted")
def test_both_at_once_is_just_what_the_apps_read() -> None:
    write(record("shop", ("URL",)), record("web", ("URL", "OLD")))
    assert run("token", "sync", "--narrow", "--widen=web").exit_code == 0
    assert scopes()["web"] == (("prod",), ("URL", "PASSWORD"))
    assert checked() == []


@pytest.mark.usefixtures("drifted")
def test_a_token_that_reads_nothing_of_what_is_needed_is_not_narrowed_to_nothing() -> None:
    write(record("shop", ("OTHER",)), record("web", ("URL", "PASSWORD")))
    result = run("token", "sync", "--narrow")
    assert "token 'shop' is left as it is" in result.stderr
    assert scopes()["shop"] == (("prod",), ("OTHER",))


@pytest.mark.usefixtures("drifted")
def test_a_token_that_has_ended_and_is_in_use_is_named_with_the_command() -> None:
    ended = format_time(datetime(2026, 2, 1, tzinfo=UTC))
    write(record("shop", ("URL",), expires=ended), record("web", ("URL", "PASSWORD")))
    result = run("token", "sync", "--check")
    assert result.exit_code == 1
    assert f"production: token 'shop' has ended: apps read by it, and its end was {ended}" in result.stdout
    assert "arcan token rotate shop --realm=production" in result.stderr


@pytest.mark.usefixtures("accounts")
def test_an_account_is_narrowed_and_widened_as_a_token_is() -> None:
    add = ("account", "add", ACCOUNT, "--realm=production", "--env=dev", "--env=prod", "--key=PASSWORD")
    assert run(*add).exit_code == 0
    assert checked() == [
        f"account '{ACCOUNT}' is too narrow: apps read URL, which it may not",
        f"account '{ACCOUNT}' is too wide: it may read PASSWORD of dev, prod, and apps read URL of prod",
    ]
    assert run("token", "sync", "--narrow", f"--widen={ACCOUNT}").exit_code == 0
    (found,) = held().accounts
    assert (found.environments, found.keys) == (("prod",), ("URL",))
