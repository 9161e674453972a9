"""`arcan token scope` and `revoke`: what changes in the file, and what is asked first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.access import TokenRecord, read_tokens
from arcan_gitops.cli import arcan
from arcan_gitops.cli.in_use import InUse
from arcan_gitops.errors import ArcanError
from arcan_gitops.sops import encrypt
from tests.support.realm_files import new_identity

APP = "name: shop\nrealm: production\nnamespace: web\ntoken: shop\nsecrets: [{name: env, keys: [URL]}]\n"
FILE = Path("realms/production/tokens.yaml")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "realms/production").mkdir(parents=True)
    document = encrypt({"URL": "x", "DB_HOST": "y"}, recipients=[new_identity()[1]])
    for environment in ("dev", "prod"):
        (tmp_path / f"realms/production/{environment}.sops.yaml").write_bytes(document)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def app(repository: Path) -> Path:
    (repository / "kustomize/apps").mkdir(parents=True)
    path = repository / "kustomize/apps/shop.yaml"
    path.write_text(APP)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["token", *arguments])


def create(*options: str) -> None:
    assert run("create", "--realm=production", "--name=shop", *options).exit_code == 0


def record(number: int = 0) -> TokenRecord:
    return read_tokens(FILE.read_bytes(), "t")[number]


def error(result: Result) -> ArcanError:
    assert isinstance(result.exception, ArcanError)
    return result.exception


def test_keys_come_and_go_and_all_else_stays() -> None:
    create("--env=prod", "--key=URL", "--key=DB_*")
    before = FILE.read_text()
    result = run("scope", "shop", "--add-key=API", "--remove-key=DB_*")
    assert result.exit_code == 0, result.exception
    assert record().keys == ("URL", "API")
    assert FILE.read_text() == before.replace("    - DB_*\n", "    - API\n")
    assert "reads URL, API of prod" in result.stderr


def test_environments_and_an_end_are_set_and_an_end_is_taken_back() -> None:
    create()
    assert run("scope", "shop", "--env=prod", "--env=dev", "--key=URL", "--expires=30d").exit_code == 0
    assert (record().environments, record().keys) == (("prod", "dev"), ("URL",))
    expires = record().expires
    assert expires is not None
    assert timedelta(days=29) < expires - record().created <= timedelta(days=31)
    result = run("scope", "shop", "--expires=never")
    assert record().expires is None
    assert "never ends" in result.stderr


def test_the_old_token_of_a_rotation_is_narrowed_too_and_keeps_its_end() -> None:
    create("--expires=90d")
    run("rotate", "shop")
    end = record(0).expires
    assert run("scope", "shop", "--key=URL", "--expires=10d").exit_code == 0
    assert (record(0).keys, record(1).keys) == (("URL",), ("URL",))
    assert record(0).expires == end


def test_what_cannot_be_meant_changes_nothing() -> None:
    create("--key=URL")
    before = FILE.read_bytes()
    assert error(run("scope", "shop", "--remove-key=URI")).hint == "did you mean 'URL'?"
    assert "could read nothing" in error(run("scope", "shop", "--remove-key=URL")).message
    assert run("scope", "shop").exit_code == 2
    assert run("scope", "shop", "--key=A", "--add-key=B").exit_code == 2
    assert "did you mean 'shop'" in str(error(run("scope", "shp", "--key=A")).hint)
    assert FILE.read_bytes() == before
    create_all = run("create", "--realm=production", "--name=all")
    assert create_all.exit_code == 0
    assert "with --key" in str(error(run("scope", "all", "--remove-key=URL")).hint)


def test_what_apps_read_is_not_taken_away_unasked(app: Path) -> None:
    create("--key=URL", "--key=DB_HOST")
    assert run("scope", "shop", "--remove-key=DB_HOST").exit_code == 0  # nobody reads that
    before = FILE.read_bytes()
    refused = run("scope", "shop", "--key=DB_HOST")
    assert isinstance(refused.exception, InUse)
    assert "app 'shop' uses key 'URL' in dev, prod" in refused.stderr
    refused = run("scope", "shop", "--env=dev")
    assert "app 'shop' uses key 'URL' in prod (" in refused.stderr
    assert FILE.read_bytes() == before
    assert run("scope", "shop", "--env=dev", "--yes").exit_code == 0
    assert record().environments == ("dev",)
    assert run("scope", "shop", "--env=*").exit_code == 0  # more is never asked about
    app.write_text(APP.replace("keys: [URL]", "all: true"))
    assert isinstance(run("scope", "shop", "--add-key=API").exception, type(None))


def test_globs_that_match_nothing_are_named_with_the_nearest() -> None:
    said = run(
        "create", "--realm=production", "--name=a", "--env=prd", "--env=d*", "--key=URI", "--key=DB_*"
    ).stderr
    assert "--env 'prd' matches no environment of realm 'production'; did you mean 'prod'?" in said
    assert "--key 'URI' matches no key of production/dev; did you mean 'URL'?" in said
    assert "'d*'" not in said
    assert "'DB_*'" not in said
    said = run("create", "--realm=production", "--name=b", "--env=prd", "--key=URI").stderr
    assert "--key 'URI' matches no key of production/dev, production/prod; did you mean 'URL'?" in said
    said = run("scope", "a", "--key=ZZZZ", "--env=prod").stderr
    assert "--key 'ZZZZ' matches no key of production/prod; there are: DB_HOST, URL" in said


def test_a_token_that_apps_use_is_not_revoked_unasked(app: Path) -> None:
    create()
    run("rotate", "shop")
    old = record(0)
    assert run("revoke", old.id).exit_code == 0  # the new one stands for the name
    before = FILE.read_bytes()
    for name in ("shop", record(0).id):
        refused = run("revoke", name)
        assert isinstance(refused.exception, InUse)
        assert (
            f"app 'shop' uses token 'shop' in dev, prod ({app.relative_to(Path.cwd())}:4)" in refused.stderr
        )
        assert FILE.read_bytes() == before
    assert run("revoke", "shop", "--yes").exit_code == 0
    assert read_tokens(FILE.read_bytes(), "t") == ()


def test_a_hint_names_the_one_token_where_other_realms_have_one_of_that_name() -> None:
    create("--key=URL")
    only = record(0).id
    hint = error(run("create", "--realm=production", "--name=shop")).hint
    assert hint == f"replace it with 'arcan token rotate {only}', or choose another name"
    assert error(run("scope", "shop", "--remove-key=URL")).hint == f"arcan token revoke {only}"
