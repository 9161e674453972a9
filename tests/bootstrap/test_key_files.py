"""`arcan bootstrap` where each key of the realm has a file: what it prints, and that its script runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from tests.bootstrap.cluster import FakeCluster
from tests.bootstrap.test_script import LABEL, Operator, recorded
from tests.support.key_files import key_path, put_keys
from tests.support.realm_files import CANARY, RealmFiles


@pytest.fixture
def in_files(repository: Path, tmp_path: Path) -> RealmFiles:
    """The repository, in which `production/prod` has become key files."""
    made = RealmFiles(tmp_path / "made")
    put_keys(made, "production/prod", {"URL": CANARY, "OTHER": CANARY})
    (repository / "realms/production/prod.sops.yaml").unlink()
    shutil.copytree(made.root / "production/prod", repository / "realms/production/prod")
    made.root = repository / "realms"
    return made


def bootstrap(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["bootstrap", *arguments])


@pytest.mark.parametrize("style", ["commands", "manifests", "terraform"])
def test_the_output_is_that_of_a_document_with_the_same_keys(
    repository: Path, style: str, request: pytest.FixtureRequest
) -> None:
    before = bootstrap("--format", style, "prod")
    request.getfixturevalue("in_files")
    after = bootstrap("--format", style, "prod")
    assert after.exit_code == 0, after.exception
    assert after.stdout == before.stdout
    assert CANARY not in after.output


def test_the_script_makes_a_token_for_the_keys_of_the_apps_and_no_others(
    in_files: RealmFiles, cluster: FakeCluster, repository: Path, values: Path
) -> None:
    operator = Operator(cluster, repository)
    tls = {"tls.crt": "chain", "tls.key": "key", "ca.crt": "PEM"}
    cluster.put("secret/arcan/arcan-tls", **tls)
    done = operator.run(operator.script(), VALUES=str(values))
    assert done.returncode == 0, done.stderr
    assert cluster.secret("mailer/arcan-credentials")["token"].startswith("arc_")
    assert cluster.labels("mailer/arcan-credentials") == LABEL
    (mailer,) = (record for record in recorded(operator) if record.name == "mailer")
    assert (mailer.environments, mailer.keys) == (("prod",), ("URL",))
    assert CANARY not in done.stdout + done.stderr


def test_it_needs_no_key_and_a_file_that_is_broken_stops_it_by_name(in_files: RealmFiles) -> None:
    key_path(in_files, "production", "prod", "OTHER").write_bytes(b"OTHER: [")
    broken = bootstrap("prod")
    assert broken.exit_code != 0
    assert "realms/production/prod/OTHER.sops.yaml" in str(broken.exception)


def test_a_key_that_an_app_names_and_that_has_no_file_is_told(in_files: RealmFiles) -> None:
    key_path(in_files, "production", "prod", "URL").unlink()
    missing = bootstrap("prod")
    assert missing.exit_code != 0
    assert "URL" in str(missing.exception)


def test_both_layouts_at_once_are_refused_with_what_makes_one_of_them(in_files: RealmFiles) -> None:
    document = in_files.root / "production/prod.sops.yaml"
    document.write_bytes(key_path(in_files, "production", "prod", "URL").read_bytes())
    both = bootstrap("prod")
    assert both.exit_code != 0
    assert "the environment is there twice" in str(both.exception)
