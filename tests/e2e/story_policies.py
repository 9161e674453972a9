"""The policy on stores, each variant judged by its own engine: good stores are let in, bad ones are not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.yamlio import emit
from tests.e2e.api_server import ApiServer
from tests.e2e.conftest import Excepting
from tests.e2e.process import wait_until
from tests.e2e.programs import Programs
from tests.e2e.stores import ALLOWED_HOST, CASES, EXCEPTED, HTTPS, Case, deleted, held, named

BEFORE = named("generator-by-http")  # made before the policy, which refuses it


@pytest.fixture(scope="module")
def guarded(programs: Programs, folder: Path, kustomize: Path) -> Iterator[ApiServer]:
    """An API server of its own, with the policy: other stories apply stores that it would refuse."""
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": ["../base/arcan"], "components": ["../components/policies/validating-admission-policy"],
    }  # fmt: skip
    server = kustomize / "server"
    server.mkdir()
    (server / "kustomization.yaml").write_text(emit([kustomization]))
    place = folder / "policies"
    place.mkdir()
    with ApiServer(programs, place) as api:
        api.install_crds([programs["crds"]])
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stores"}})
        api.apply(held(BEFORE))
        api.apply_from_git(server)
        api.assert_nothing_differs(server)
        wait_until("the policy is in force", lambda: HTTPS in try_to_create(api, named("plain-http")).stderr)
        yield api


def try_to_create(api: ApiServer, case: Case) -> subprocess.CompletedProcess[str]:
    return api.try_kubectl("create", "--dry-run=server", "-f", "-", data=emit([case.manifest]))


def is_let_in(api: ApiServer, case: Case) -> bool:
    done = try_to_create(api, case)  # admission comes before the look at what is there
    return done.returncode == 0 or "AlreadyExists" in done.stderr


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_api_server_refuses_bad_stores_and_lets_good_ones_in(guarded: ApiServer, case: Case) -> None:
    done = try_to_create(guarded, case)
    assert (done.returncode == 0) == (not case.refusal), done.stderr
    assert case.refusal in done.stderr


def patch(api: ApiServer, case: Case, changes: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return api.try_kubectl("patch", *named_to_kubectl(case), "--type=merge", f"--patch={json.dumps(changes)}")


def named_to_kubectl(case: Case) -> tuple[str, ...]:
    group = case.manifest["apiVersion"].partition("/")[0]
    metadata = case.manifest["metadata"]
    return (f"{case.manifest['kind']}.{group}/{case.name}", f"--namespace={metadata['namespace']}")


def delete(api: ApiServer, case: Case) -> None:
    """It is held, and stays."""
    api.kubectl("delete", *named_to_kubectl(case), "--wait=false")
    assert api.kubectl("get", *named_to_kubectl(case), "--output=jsonpath={.metadata.deletionTimestamp}")


@pytest.mark.parametrize("name", ["good", "good-generator"])
def test_what_is_deleted_and_held_is_led_to_no_other_host(guarded: ApiServer, name: str) -> None:
    """The operator goes on using it, as long as it is there."""
    good, bad = named(name), named({"good": "another-host"}.get(name, "generator-elsewhere"))
    guarded.apply(held(good))
    delete(guarded, good)
    done = patch(guarded, good, {"spec": bad.manifest["spec"]})
    assert done.returncode != 0
    assert ALLOWED_HOST in done.stderr
    done = patch(guarded, good, {"spec": bad.manifest["spec"], "metadata": {"finalizers": None}})
    assert ALLOWED_HOST in done.stderr
    lets_go(guarded, good)


def test_what_was_bad_before_the_policy_can_be_deleted(guarded: ApiServer) -> None:
    done = patch(guarded, BEFORE, {"metadata": {"labels": {"team": "shop"}}})
    assert HTTPS in done.stderr
    delete(guarded, BEFORE)
    assert patch(guarded, BEFORE, {"metadata": {"labels": {"team": "shop"}}}).returncode == 0
    lets_go(guarded, BEFORE)


def lets_go(api: ApiServer, case: Case) -> None:
    done = patch(api, case, {"metadata": {"finalizers": None}})
    assert done.returncode == 0, done.stderr
    assert "NotFound" in api.try_kubectl("get", *named_to_kubectl(case)).stderr


def test_the_api_server_lets_in_what_the_settings_except(guarded: ApiServer, excepting: Excepting) -> None:
    guarded.apply(excepting("validating-admission-policy", "ValidatingAdmissionPolicy"))
    for name in EXCEPTED:
        wait_until(f"{name} is let in", partial(is_let_in, guarded, named(name)))
    assert ALLOWED_HOST in try_to_create(guarded, named("another-port")).stderr


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gatekeeper_refuses_bad_stores_and_lets_good_ones_in(
    programs: Programs, kustomize: Path, tmp_path: Path, case: Case
) -> None:
    policy = kustomize / "components" / "policies" / "gatekeeper"
    refusals = refusals_of_gatekeeper(
        programs, tmp_path, case, policy / "template.yaml", policy / "constraint.yaml"
    )
    assert refusals == ([case.refusal] if case.refusal else [])


@pytest.mark.parametrize("name", EXCEPTED)
def test_gatekeeper_lets_in_what_the_settings_except(
    programs: Programs, excepting: Excepting, tmp_path: Path, name: str
) -> None:
    parts = {"template.yaml": "ConstraintTemplate", "constraint.yaml": "ArcanStores"}
    for file, kind in parts.items():
        (tmp_path / file).write_text(emit([excepting("gatekeeper", kind)]))
    assert refusals_of_gatekeeper(programs, tmp_path, named(name), *(tmp_path / file for file in parts)) == []


def refusals_of_gatekeeper(programs: Programs, folder: Path, case: Case, *policy: Path) -> list[str]:
    store = folder / "store.yaml"
    store.write_text(emit([case.manifest]))
    files = [f"--filename={path}" for path in (*policy, store)]
    done = subprocess.run(
        [str(programs["gator"]), "test", *files, "--output=json"], check=False, capture_output=True, text=True
    )
    violations = json.loads(done.stdout)  # nothing but JSON, or gator has failed
    return [violation["msg"] for violation in violations or []]


UPDATES = (
    ("UPDATE", "plain-http", "plain-http", True),
    ("UPDATE", "good", "plain-http", False),
    ("UPDATE", "generator-by-http", "generator-by-http", True),
    ("UPDATE", "good-generator", "generator-by-http", False),
    ("DELETE", "plain-http", None, True),
)


@pytest.mark.parametrize(("operation", "before", "after", "let_in"), UPDATES)
def test_gatekeeper_lets_what_is_deleted_go_and_judges_a_new_spec(
    programs: Programs,
    kustomize: Path,
    tmp_path: Path,
    operation: str,
    before: str,
    after: str | None,
    let_in: bool,
) -> None:
    old = {**deleted(named(before))}
    new = None if after is None else {**deleted(named(after)), "metadata": old["metadata"]}
    group, _, version = old["apiVersion"].partition("/")
    request = {
        "uid": "1", "operation": operation, "name": before, "namespace": "stores",
        "kind": {"group": group, "version": version, "kind": old["kind"]},
        "oldObject": old, **({} if new is None else {"object": new}),
    }  # fmt: skip
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    assertion = {"violations": "no"} if let_in else {"violations": 1, "message": f"^{HTTPS}$"}
    policy = kustomize / "components" / "policies" / "gatekeeper"
    suite = {
        "apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite",
        "tests": [
            {
                "name": "updates", "template": "template.yaml", "constraint": "constraint.yaml",
                "cases": [{"name": "update", "object": "review.yaml", "assertions": [assertion]}],
            }
        ],
    }  # fmt: skip
    for name in ("template.yaml", "constraint.yaml"):
        (tmp_path / name).write_bytes((policy / name).read_bytes())
    (tmp_path / "review.yaml").write_text(emit([review]))
    (tmp_path / "suite.yaml").write_text(emit([suite]))
    done = subprocess.run(
        [str(programs["gator"]), "verify", str(tmp_path / "suite.yaml"), "--verbose"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert "--- PASS: update" in done.stdout
