"""What lands in a document, by a source that gives what a test says."""

from __future__ import annotations

import json
import logging
from http.client import HTTPConnection
from pathlib import Path

import pytest

from arcan_gitops.migrate import (
    Destination,
    Found,
    Named,
    Origin,
    Outcome,
    Status,
    as_json,
    as_text,
    unlogged,
)
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.importing import MAX_VALUE_BYTES
from arcan_gitops.secret import SecretValue
from arcan_gitops.sops import Identities
from tests.support.realm_files import CANARY, RealmFiles, decrypt_to_json

SHOP, PROD = RealmName("shop"), EnvironmentName("prod")


def named(key: str, value: str) -> Named:
    return Named(Found(Origin("a", key), SecretValue(value)), KeyName(key), renamed=False)


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    return RealmFiles(tmp_path)


def land(files: RealmFiles, *values: Named, **options: bool) -> tuple[list[str], int]:
    """Statuses, and how often the identities were asked for."""
    asked = []

    def identities() -> Identities:
        asked.append(1)
        held = Identities()
        held.add(files.identity, "test")
        return held

    destination = Destination.find(RealmTree(files.root), SHOP, PROD)
    outcomes = destination.land(values, identities, **options)
    return [str(one.status) for one in outcomes], len(asked)


def test_a_number_in_the_document_is_the_same_as_its_text(files: RealmFiles) -> None:
    path = files.write("shop", "prod", f"PORT: 5432\nA: {CANARY}\n")
    before = path.read_bytes()
    assert land(files, named("PORT", "5432"), named("A", CANARY)) == (["unchanged", "unchanged"], 1)
    assert path.read_bytes() == before


def test_a_dry_run_that_finds_no_key_opens_nothing(files: RealmFiles) -> None:
    path = files.write("shop", "prod", "A: x\n")
    before = path.read_bytes()
    assert land(files, named("B", "y"), dry_run=True) == (["imported"], 0)
    assert land(files, named("A", "y"), dry_run=True) == (["failed"], 1)
    assert land(files, named("A", "y"), dry_run=True, replace=True) == (["imported"], 1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("bad", ["", "ENC[AES256_GCM,", "bad\ud800", "x" * (MAX_VALUE_BYTES + 1)])
@pytest.mark.parametrize("there", ["A: x\n", None], ids=["edited", "new"])
def test_one_value_that_a_realm_cannot_have_does_not_keep_the_others_out(
    files: RealmFiles, bad: str, there: str | None
) -> None:
    if there is None:
        rule = f"creation_rules: [{{path_regex: 'shop/prod.sops.yaml$', age: {files.recipient}}}]\n"
        files.root.with_name(".sops.yaml").write_text(rule)
    else:
        files.write("shop", "prod", there)
    assert land(files, named("B", bad), named("C", "y"))[0] == ["skipped", "imported"]
    document = (files.root / "shop/prod.sops.yaml").read_bytes()
    assert json.loads(decrypt_to_json(document, files.identity).stdout) == {
        **({"A": "x"} if there else {"arcan_place": "shop/prod"}),
        "C": "y",
    }


def test_one_value_that_the_document_refuses_does_not_keep_the_others_out(files: RealmFiles) -> None:
    path = files.write("shop", "prod", "A: x\n")
    assert sorted(land(files, named("B_unencrypted", CANARY), named("C", "y"))[0]) == ["failed", "imported"]
    assert json.loads(decrypt_to_json(path.read_bytes(), files.identity).stdout) == {"A": "x", "C": "y"}


def test_a_report_shows_no_value_and_no_control_characters() -> None:
    one = Outcome(Origin("a\x1b[2J\nimported  b"), Status.FAILED, reason="no")
    assert as_text([one]).count("\n") == 1
    assert "\x1b" not in as_text([one])
    report = json.loads(as_json("Vault", "x", [one], dry_run=False, complete=True, apps=[]))
    assert report["values"][0]["path"] == one.origin.path
    assert CANARY not in repr(named("A", CANARY))


def test_nobody_hears_what_a_library_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    HTTPConnection.debuglevel = 1
    try:
        with unlogged():
            for name in ("botocore.parsers", "urllib3.connectionpool", "kubernetes.client.rest"):
                logging.getLogger(name).critical(CANARY)
            assert HTTPConnection.debuglevel == 0
        assert HTTPConnection.debuglevel == 1
    finally:
        HTTPConnection.debuglevel = 0
    assert caplog.records == []
    logging.getLogger("after").warning("heard again")
    assert [record.message for record in caplog.records] == ["heard again"]
