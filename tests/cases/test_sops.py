"""sops/: documents and rules that people have."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.realms.check import check
from arcan_gitops.realms.importing import BadImport, read_values
from tests.support.realm_files import RealmFiles, encrypt

CASES = Path(__file__).parent / "sops"


def test_each_number_that_json_would_change_is_named() -> None:
    with pytest.raises(BadImport, match="key 'id', key 'version', key 'e', key 'x': numbers that would"):
        read_values((CASES / "numbers.json").read_bytes(), "numbers.json")


def test_a_secret_of_flux_in_a_realm_is_recognised(tmp_path: Path) -> None:
    files = RealmFiles(tmp_path)
    plain = (CASES / "secret.yaml").read_text()
    path = files.path("shop", "prod")
    path.parent.mkdir()
    path.write_bytes(encrypt(plain, files.recipient, options=("--encrypted-regex", "^(data|stringData)$")))
    [problem] = check(files.root).problems
    assert "is an encrypted Kubernetes Secret" in problem.message
    assert "arcan import sops shop shop-prod.secret.sops.yaml --env prod" in str(problem.hint)
