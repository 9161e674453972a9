"""The policy on stores as Kyverno has it, judged by Kyverno's command line: `make e2e-kyverno`."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.yamlio import emit
from tests.e2e.account_secrets import CASES as ACCOUNTS
from tests.e2e.conftest import Excepting
from tests.e2e.programs import Programs
from tests.e2e.stores import CASES, EXCEPTED, HTTPS, Case, deleted, named


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kyverno_refuses_bad_stores_and_lets_good_ones_in(
    programs: Programs, kustomize: Path, tmp_path: Path, case: Case
) -> None:
    policy = kustomize / "components" / "policies" / "kyverno" / "policy.yaml"
    done = judged(programs, tmp_path, case.manifest, policy)
    assert (done.returncode == 0) == (not case.refusal), f"{done.stdout}{done.stderr}"
    assert case.refusal in done.stdout


@pytest.mark.parametrize("name", EXCEPTED)
def test_kyverno_lets_in_what_the_settings_except(
    programs: Programs, excepting: Excepting, tmp_path: Path, name: str
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(emit([excepting("kyverno", "ValidatingPolicy")]))
    done = judged(programs, tmp_path, named(name).manifest, policy)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_kyverno_lets_what_is_deleted_go(programs: Programs, kustomize: Path, tmp_path: Path) -> None:
    """By an update that leaves it as it is, the only one that the command line knows. Found by a scan, it is
    still bad."""
    policy = kustomize / "components" / "policies" / "kyverno" / "policy.yaml"
    bad = deleted(named("plain-http"))
    assert HTTPS in judged(programs, tmp_path, bad, policy).stdout
    update = tmp_path / "update.yaml"
    values = {
        "apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "metadata": {"name": "update"},
        "globalValues": {"request.operation": "UPDATE"},
    }  # fmt: skip
    update.write_text(emit([values]))
    done = judged(programs, tmp_path, bad, policy, f"--values-file={update}")
    assert done.returncode == 0
    assert "skip: 1" in done.stdout


def judged(
    programs: Programs, folder: Path, manifest: Mapping[str, Any], policy: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    store = folder / "store.yaml"
    store.write_text(emit([manifest]))
    command = [
        str(programs["kyverno"]), "apply", str(policy), f"--resource={store}", "--detailed-results", *options
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "error: 0," in done.stdout, f"{done.stdout}{done.stderr}"
    return done


@pytest.mark.parametrize(("name", "manifest", "refusal"), ACCOUNTS, ids=[name for name, _, _ in ACCOUNTS])
def test_kyverno_takes_the_secrets_of_our_accounts_alone(
    programs: Programs, kustomize: Path, tmp_path: Path, name: str, manifest: Mapping[str, Any], refusal: str
) -> None:
    policy = kustomize / "components" / "policies" / "kyverno" / "accounts.yaml"
    done = judged(programs, tmp_path, manifest, policy)
    assert (done.returncode == 0) == (not refusal), f"{name}: {done.stdout}{done.stderr}"
    assert refusal in done.stdout
