"""`arcan account`: granted as narrowly as what is declared, changed, taken out; nothing secret anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arcan_gitops.access import AccountRecord, Revocations, parse_revocations, read_tokens_file
from arcan_gitops.errors import ArcanError
from tests.support.account_project import lay_out, run

NAME = "eu/shop/arcan-reader"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def accounts(realm: str = "production") -> tuple[AccountRecord, ...]:
    path = Path("realms") / realm / "tokens.yaml"
    return read_tokens_file(path.read_bytes(), str(path)).accounts


def add(*options: str) -> None:
    result = run("account", "add", NAME, "--realm=production", *options)
    assert result.exit_code == 0, result.exception


@pytest.mark.usefixtures("project")
def test_what_generation_offers_grants_just_what_the_app_reads_and_then_it_generates() -> None:
    error = run("generate", "overlays").exception
    assert isinstance(error, ArcanError)
    assert f"arcan account add {NAME} --realm=production --env=prod --key=URL" in error.message
    result = run("account", "add", NAME, "--realm=production")
    assert "reads URL of prod" in result.stderr
    assert "next: arcan cluster add eu" in result.stderr
    assert accounts() == (AccountRecord("eu", "shop", "arcan-reader", ("prod",), ("URL",)),)
    assert run("generate", "overlays").exit_code == 0
    made = Path("kustomize/overlays/prod/shop/stores.yaml").read_text()
    assert made.index("kind: ServiceAccount") < made.index("kind: Secret\n") < made.index("kind: SecretStore")


@pytest.mark.usefixtures("project")
def test_an_account_that_nothing_declares_is_granted_what_is_named_and_never_all() -> None:
    error = run("account", "add", "eu/other/arcan-reader", "--realm=production").exception
    assert isinstance(error, ArcanError)
    assert "no declared app reads realm 'production' by account 'eu/other/arcan-reader'" in error.message
    assert not Path("realms/production/tokens.yaml").exists()
    add("--env=prod", "--key=UR", "--uid=6f1c")
    assert accounts()[0].uid == "6f1c"
    result = run("account", "add", NAME, "--realm=production", "--env=prod")
    assert isinstance(result.exception, ArcanError)
    assert result.exception.hint == f"change what it may read with 'arcan account scope {NAME}'"


@pytest.mark.usefixtures("project")
def test_accounts_are_listed() -> None:
    assert "there are no accounts" in run("account", "list").stderr
    add()
    rows = [line.split() for line in run("account", "list").stdout.splitlines()]
    assert rows == [
        ["REALM", "ACCOUNT", "ENVIRONMENTS", "KEYS", "UID"],
        ["production", NAME, "prod", "URL", "any"],
    ]


@pytest.mark.usefixtures("project")
def test_a_scope_is_widened_and_what_would_break_an_app_is_asked_about() -> None:
    add()
    assert run("account", "scope", NAME, "--add-key=PASSWORD", "--env=dev", "--env=prod").exit_code == 0
    assert accounts()[0].keys == ("URL", "PASSWORD")
    assert accounts()[0].environments == ("prod", "dev")
    result = run("account", "scope", NAME, "--remove-key=URL")
    assert "app 'shop' uses key 'URL' in prod" in result.stderr
    assert isinstance(result.exception, ArcanError)
    assert accounts()[0].keys == ("URL", "PASSWORD")
    assert run("account", "scope", NAME, "--remove-key=URL", "--yes").exit_code == 0
    assert accounts()[0].keys == ("PASSWORD",)
    assert run("account", "scope", NAME, "--uid=abc").exit_code == 0
    assert accounts()[0].uid == "abc"
    assert run("account", "scope", NAME, "--any-uid").exit_code == 0
    assert accounts()[0].uid is None


@pytest.mark.usefixtures("project")
def test_an_account_in_use_does_not_go_unasked_and_the_command_for_the_cluster_is_what_a_server_reads() -> (
    None
):
    add()
    result = run("account", "remove", NAME)
    assert isinstance(result.exception, ArcanError)
    assert "app 'shop' uses key 'URL' in prod" in result.stderr
    result = run("account", "remove", NAME, "--now", "--yes")
    assert result.exit_code == 0
    assert accounts() == ()
    literal = result.stdout.split("--from-literal=")[1].split("=")[0]
    assert parse_revocations(literal, "x")[0] == Revocations(
        accounts=parse_revocations(NAME, "x")[0].accounts
    )
    missing = run("account", "remove", "eu/shop/arcan-readr").exception
    assert isinstance(missing, ArcanError)


@pytest.mark.usefixtures("project")
def test_the_check_of_realms_names_accounts_of_clusters_that_have_no_file() -> None:
    add()
    assert run("realm", "check").exit_code == 0, "no cluster is known yet"
    Path("clusters").mkdir()
    result = run("realm", "check")
    path = Path("realms/production/tokens.yaml")
    assert f"{path}: account '{NAME}': there is no clusters/eu.yaml" in result.stdout
    assert "hint: arcan cluster add eu" in result.stdout


def test_with_accounts_and_a_server_in_the_cluster_its_identity_and_certificate_are_all_that_is_left(
    project: Path,
) -> None:
    settings = project / "kustomize/arcan.yaml"
    settings.write_text(
        "credentials: account\nclusterKeys: eu\n"
        "server: {url: 'https://arcan.arcan.svc:9797', ca: {public: true},"
        " deploy: {image: 'registry.example.com/arcan:1', components: [own-ca]}}\n"
        "overlays: {prod: {environment: prod}}\n"
    )
    add()
    script = run("bootstrap", "prod").stdout.partition("main() {")[2]
    steps = re.findall(r"^  # \d+\. (.*)$", script, re.M)
    assert steps == [
        "The namespaces",
        "Secret arcan-tls in namespace arcan, the server's certificate under its own CA",
        "Secret arcan-age-identity in namespace arcan, for the server",
        "The CA of the server's certificate, where its stores look for it",
        "What waited for all this, told to look again",
    ]
    assert "wake externalsecrets force-sync --namespace=shop" in script
