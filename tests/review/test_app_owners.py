"""Whoever owns a realm is asked what apps take of it: the lines of CODEOWNERS, and the command that writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName
from arcan_gitops.review.app_owners import BEGIN, END, with_app_lines
from arcan_gitops.review.owners import Owners

MINE = """\
* @acme/platform
/realms/production/ @acme/payments
/realms/platform/ @acme/platform
/kustomize/ @acme/platform
"""
SHOP = "kustomize/apps/shop.yaml"
APPS = {SHOP: RealmName("production"), "kustomize/apps/metrics.yaml": RealmName("platform")}
BLOCK = f"{BEGIN}\n/{SHOP} @acme/payments\n{END}\n"


def owners(text: str, path: str = SHOP) -> tuple[str, ...]:
    return Owners.parse(text.encode(), "CODEOWNERS").of(path)


def test_an_app_whose_realm_has_other_owners_gets_a_line_and_no_other_app_does() -> None:
    made = with_app_lines(MINE, APPS, "CODEOWNERS")
    assert made == f"{MINE}\n{BLOCK}"
    assert owners(made) == ("@acme/payments",)
    assert owners(made, "kustomize/apps/metrics.yaml") == ("@acme/platform",)
    assert with_app_lines(made, APPS, "CODEOWNERS") == made


def test_a_line_follows_the_owners_of_the_realm_and_goes_with_the_app() -> None:
    made = with_app_lines(MINE, APPS, "CODEOWNERS")
    other = with_app_lines(made.replace("@acme/payments", "@acme/money", 1), APPS, "CODEOWNERS")
    assert owners(other) == ("@acme/money",)
    assert with_app_lines(other, {}, "CODEOWNERS").endswith(f"\n{BEGIN}\n{END}\n")


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        (f"/{SHOP} @acme/payments", False),
        (
            f"/{SHOP} @acme/payments @acme/shop",
            True,
        ),  # any one of them is enough, so that the shop agrees alone
        (f"/{SHOP}", True),  # nobody is asked
        ("*.yaml @acme/payments", False),
    ],
)
def test_a_line_is_needed_where_somebody_else_could_agree_alone(line: str, needed: bool) -> None:
    made = with_app_lines(f"{MINE}{line}\n", {SHOP: RealmName("production")}, "CODEOWNERS")
    assert (f"{BEGIN}\n/{SHOP} @acme/payments\n" in made) is needed
    assert owners(made) == ("@acme/payments",)


def test_a_realm_that_nobody_owns_asks_nobody() -> None:
    made = with_app_lines("/kustomize/ @acme/platform\n", APPS, "CODEOWNERS")
    assert f"{BEGIN}\n{END}\n" in made


def test_lines_elsewhere_stay_as_they_are_and_one_below_that_names_others_is_refused() -> None:
    below = "# ours\n/docs/ @acme/writers"
    made = with_app_lines(f"{MINE}{BEGIN}\n{END}\n{below}", APPS, "CODEOWNERS")
    assert made == f"{MINE}{BLOCK}{below}\n"
    with pytest.raises(ArcanError, match=r"names others for kustomize/apps/metrics\.yaml") as error:
        with_app_lines(f"{MINE}{BEGIN}\n{END}\n/kustomize/apps/ @acme/apps\n", APPS, "CODEOWNERS")
    assert "to the end of the file" in str(error.value.hint)


def test_a_place_without_an_end_takes_nothing_away() -> None:
    with pytest.raises(ArcanError, match="so that nobody can say which lines are whose"):
        with_app_lines(f"{MINE}{BEGIN}\n/docs/ @acme/writers\n", APPS, "CODEOWNERS")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/arcan.yaml").write_text("overlays: {prod: {environment: prod}}\n")
    entry = "namespace: a\nsecrets: [{name: env, keys: [URL]}]\n"
    (tmp_path / SHOP).write_text(f"name: shop\nrealm: production\n{entry}")
    (tmp_path / "kustomize/apps/other.yaml").write_text(
        "name: other\nstore: vault\nnamespace: a\nsecrets: [{name: o, keys: [{key: a, as: A}]}]\n"
    )
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/CODEOWNERS").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["generate", "codeowners", *arguments])


def test_the_command_writes_the_lines_and_its_check_knows_when_they_are_missing(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = repository / ".github/CODEOWNERS"
    stale = run("--check")
    assert (stale.exit_code, file.read_text()) == (1, MINE)
    assert f"+/{SHOP} @acme/payments\n" in stale.stdout
    assert "run `arcan generate codeowners` and commit the result" in stale.stderr
    monkeypatch.chdir(repository / "kustomize/apps")  # it works in any folder of the repository
    assert run().exit_code == 0
    assert file.read_text() == f"{MINE}\n{BLOCK}"
    assert run("--check").exit_code == 0
    assert run().stderr == "arcan: ../../.github/CODEOWNERS is up to date\n"


def test_without_a_file_the_command_says_where_it_would_be(repository: Path) -> None:
    (repository / ".github/CODEOWNERS").unlink()
    error = run().exception
    assert isinstance(error, ArcanError)
    assert "there is no .github/CODEOWNERS" in error.message
