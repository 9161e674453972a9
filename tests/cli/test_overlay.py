"""`arcan overlay add`: one line more in arcan.yaml, and nothing else changed."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.overlay import read_settings
from tests.support.git import GitRepository

SAMPLE = (Path(__file__).parents[2] / "kustomize/arcan.yaml").read_text()
COMMENTED = """\
# for all
refreshInterval: 1h0m0s   # rarely

overlays:   # the places
    # the first one
    prod:
        environment: prod   # the only one
        # none

# below

tokenSecret: {name: a, key: b}
# the end
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kustomize").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["overlay", "add", *arguments])


def changed(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if not line.startswith(("  ", "? "))]


@pytest.mark.parametrize("text", [SAMPLE, COMMENTED], ids=["sample", "commented"])
def test_a_line_is_added_and_every_other_one_stays(project: Path, text: str) -> None:
    path = project / "kustomize/arcan.yaml"
    path.write_text(text)
    result = run("prod-eu", "--env", "prod", "--cluster", "eu-1", "--eso-version", "1.3.2")
    assert result.exit_code == 0, result.exception
    line, *section = changed(text, path.read_text())
    assert (text is SAMPLE) == (not section), "which has a section for Argo CD"
    assert all(each.strip() == "+" or each.startswith("+ #") for each in section)
    assert line.split() == [
        "+",
        "prod-eu:",
        "{environment:",
        "prod,",
        "cluster:",
        "eu-1,",
        "esoVersion:",
        "1.3.2}",
    ]
    assert "arcan generate overlays, then: arcan bootstrap prod-eu" in result.stderr


def test_the_line_stands_below_the_last_overlay_and_not_below_its_comments(project: Path) -> None:
    path = project / "kustomize/arcan.yaml"
    path.write_text(COMMENTED)
    run("eu", "--env", "prod")
    lines = path.read_text().splitlines()
    assert (
        lines[lines.index("    eu: {environment: prod}") - 1] == "        environment: prod   # the only one"
    )


def test_all_that_can_be_given_is_read_back(project: Path) -> None:
    (project / "kustomize/arcan.yaml").write_text(COMMENTED)
    url = "https://arcan.arcan.svc:9797"
    options = ["--cluster=eu-1", f"--server-url={url}", "--eso-version=0.20.4", "--eso-namespace=eso"]
    assert run("0123", "--env=prod", *options).exit_code == 0
    overlay = next(each for each in read_settings(project / "kustomize").declared if each.name == "0123")
    assert (overlay.environment, overlay.cluster) == ("prod", "eu-1")
    assert overlay.settings.server_url == url
    assert (str(overlay.settings.eso_version), overlay.settings.eso_namespace) == ("0.20.4", "eso")
    assert overlay.settings.token_secret.name == "a"


@pytest.mark.parametrize(
    "text", ["refreshInterval: 1h0m0s\n", "overlays: {}\n", "overlays: {} # none\n", None]
)
def test_where_no_overlay_was_declared_those_that_there_were_are_kept(
    project: Path, text: str | None
) -> None:
    path = project / "kustomize/arcan.yaml"
    if text is not None:
        path.write_text(text)
    for environment in ("prod", "staging"):
        document = project / f"realms/production/{environment}.sops.yaml"
        document.parent.mkdir(parents=True, exist_ok=True)
        document.touch()
    result = run("prod-eu", "--env", "prod")
    assert result.exit_code == 0, result.exception
    declared = {each.name: each.environment for each in read_settings(project / "kustomize").declared}
    assert declared == {"prod": "prod", "staging": "staging", "prod-eu": "prod"}
    assert "declared overlay 'staging', which was there without a line" in result.stderr


def test_an_environment_that_no_realm_has_is_a_warning(project: Path) -> None:
    result = run("dev", "--env", "dev")
    assert "warning: no realm has an environment 'dev' yet" in result.stderr
    text = (project / "kustomize/arcan.yaml").read_text()
    assert text.startswith("overlays:\n  dev: {environment: dev}\n\n# ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (COMMENTED, "there is an overlay 'prod' already"),
        ("overlays: {eu: {environment: prod}}\n", "is not laid out"),
        ("overlays:\n  eu: {environment: prod}\nserver: {uri: x}\n", "unknown field 'uri'"),
        ("overlays:\n  eu: {environment: prod,\n    refreshInterval: 1h}\n# end", None),
        ("overlays:\n  eu: {environment: prod,\n}\n", "is not laid out"),
        ('"overlays":\n  eu: {environment: prod}\n', "is not laid out"),
    ],
)
def test_what_cannot_be_added_leaves_the_file_as_it_was(
    project: Path, text: str, message: str | None
) -> None:
    path = project / "kustomize/arcan.yaml"
    path.write_text(text)
    error = run("prod", "--env", "prod").exception
    if message is None:
        assert error is None
        return
    assert isinstance(error, ArcanError)
    assert message in error.message
    assert path.read_text() == text


def test_an_option_that_is_no_value_is_wrong_usage() -> None:
    assert run("prod", "--env", "prod", "--server-url", "http://plain:80").exit_code == 2
    assert run("Prod", "--env", "prod").exit_code == 2


def test_a_file_that_says_nothing_of_argo_cd_gets_the_section_once(project: Path) -> None:
    path = project / "kustomize/arcan.yaml"
    assert run("one", "--env=prod").exit_code == 0
    assert run("two", "--env=prod").exit_code == 0
    text = path.read_text()
    assert text.count("# argocd:\n#   repository: https://git.example.com/") == 1
    assert read_settings(project / "kustomize").argocd is None
    without = "".join(line.removeprefix("# ") for line in text.partition("# argocd")[2].splitlines(True))
    path.write_text(text.partition("# argocd")[0] + "argocd" + without)
    argocd = read_settings(project / "kustomize").argocd
    assert argocd is not None
    assert (argocd.repository, argocd.version) == ("https://git.example.com/platform/secrets.git", None)


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("git@git.example.com:team/secrets.git", True),
        ("https://git.example.com/team/secrets.git", True),
        ("https://user:canary@git.example.com/team/secrets.git", False),
        ("/srv/git/secrets.git", False),
    ],
)
def test_the_repository_is_what_git_calls_origin_unless_argo_cd_may_not_have_it(
    url: str, known: bool, project: Path
) -> None:
    GitRepository(project).git("remote", "add", "origin", url)
    result = run("one", "--env=prod")
    assert result.exit_code == 0
    text = (project / "kustomize/arcan.yaml").read_text()
    assert "canary" not in text + result.output
    argocd = read_settings(project / "kustomize").argocd
    assert (None if argocd is None else str(argocd.repository)) == (url if known else None)


def test_a_cluster_s_own_name_for_its_keys_is_declared(project: Path) -> None:
    (project / "kustomize/arcan.yaml").write_text("credentials: account\nclusterKeys: main\n")
    assert run("us", "--env=prod", "--cluster-keys=us").exit_code == 0
    (overlay,) = read_settings(project / "kustomize").declared
    assert overlay.settings.credentials.cluster == "us"
    assert run("eu", "--env=prod", "--cluster-keys=in-cluster").exit_code == 2
