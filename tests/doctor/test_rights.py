"""Without rights for a check it says which one it could not do, and goes on with the others."""

from __future__ import annotations

import copy
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from arcan_gitops.doctor.check import examine
from arcan_gitops.doctor.checks import CHECKS
from arcan_gitops.doctor.facts import Read, Unread
from arcan_gitops.doctor.findings import Severity
from arcan_gitops.doctor.probing import tried
from arcan_gitops.doctor.reports import as_json, as_text
from arcan_gitops.errors import ArcanError
from tests.doctor.scene import PLACE, Scene
from tests.support.realm_files import CANARY


@pytest.mark.parametrize(
    ("kind", "checks"),
    [
        ("Secret", {"token-secret", "target-secret", "answer"}),
        ("ConfigMap", {"ca-object", "answer"}),
        ("SecretStore", {"store-exists", "answer"}),
        ("Event", {"events"}),
        ("Deployment", {"eso-running"}),
        ("impersonate", {"eso-rights", "target-readers"}),
        ("logs", {"eso-log"}),
        ("Application", {"argocd"}),
    ],
)
def test_what_may_not_be_looked_at_is_named(kind: str, checks: set[str]) -> None:
    scene = Scene()
    scene.groups["argoproj.io"] = ["v1alpha1"]
    scene.denied |= {kind, "reviews"} if kind == "impersonate" else {kind}
    report = scene.report()
    assert report.findings == ()
    assert {check for _, ids in report.not_done for check in ids} == checks
    assert all(missing.why for missing, _ in report.not_done)
    shown = as_text(report) + as_json(report)
    assert "you may not" in shown
    assert CANARY not in shown
    assert report.status == 0


def test_a_fault_beside_it_is_named_all_the_same() -> None:
    scene = Scene()
    scene.denied |= {"Event", "impersonate", "reviews"}
    scene.token["metadata"].pop("labels")
    assert {finding.check for finding in scene.report().findings} == {"token-label"}


def test_without_a_repository_that_is_said_and_the_rest_is_done() -> None:
    scene = Scene()
    scene.repository = Unread("there is no folder of realms here")
    scene.external["spec"]["secretStoreRef"]["name"] = "arcn"
    report = scene.report()
    assert {finding.check for finding in report.findings} == {"store-exists"}
    scene.external["spec"]["secretStoreRef"]["name"] = "arcan"
    [(missing, ids)] = scene.report().not_done
    assert (missing.why, ids) == ("there is no folder of realms here", ("token-known",))


def test_without_external_secrets_or_a_cluster_there_is_nothing_to_say() -> None:
    scene = Scene()
    scene.denied.add("ExternalSecret")
    with pytest.raises(ArcanError, match="ExternalSecrets cannot be read: you may not"):
        scene.report()


def test_what_kubectl_says_is_never_quoted() -> None:
    scene = Scene()
    scene.denied.add("ExternalSecret")
    with pytest.raises(ArcanError) as caught:
        scene.report()
    assert CANARY not in f"{caught.value.message} {caught.value.hint}"


def test_a_report_for_programs_says_the_same() -> None:
    scene = Scene()
    scene.denied.add("Event")
    scene.token["metadata"].pop("labels")
    said = json.loads(as_json(scene.report()))
    assert said["summary"] == {"error": 1, "warning": 0, "note": 0}
    assert said["lookedAt"] == ["shop/shop-env"]
    [finding] = said["findings"]
    assert (finding["check"], finding["externalSecrets"]) == ("token-label", ["shop/shop-env"])
    assert finding["fix"][0].startswith("kubectl label secret")
    assert said["notDone"][0]["checks"] == ["events"]


@pytest.mark.parametrize(
    ("severities", "status"),
    [(["error", "warning"], 1), (["warning", "note"], 3), (["note"], 0), ([], 0)],
)
def test_the_exit_status_is_that_of_the_worst(severities: list[str], status: int) -> None:
    scene = Scene()
    if "error" in severities:
        scene.token["metadata"].pop("labels")
    if "warning" in severities:
        scene.allowed = lambda who, verb, namespace: True
    if "note" in severities:
        scene.is_public = True
    report = scene.report()
    assert [str(finding.found.severity) for finding in report.findings] == severities
    assert report.status == status
    assert list(Severity) == [Severity.ERROR, Severity.WARNING, Severity.NOTE]


def test_a_context_is_in_every_command() -> None:
    scene = Scene()
    scene.token["metadata"].pop("labels")
    report = examine(replace(scene.facts(), context="prod eu"), CHECKS)
    assert report.findings[0].found.fix[0].startswith("kubectl '--context=prod eu' label secret")


def test_several_external_secrets_with_one_cause_are_one_finding() -> None:
    scene = Scene()
    twin = copy.deepcopy(scene.external)
    twin["metadata"]["name"], twin["spec"]["target"]["name"] = "other", "shop-env"
    scene.objects["ExternalSecret", "shop", "other"] = twin
    scene.declared["shop", "other"] = "shop"
    scene.remove("Secret", "shop", "arcan-credentials")
    report = scene.report(None)
    tokens = [finding for finding in report.findings if finding.check == "token-secret"]
    assert [finding.found.of for finding in tokens] == [frozenset({PLACE, ("shop", "other")})]
    assert "    for: shop/other, shop/shop-env\n" in as_text(report)


def test_what_cannot_be_read_of_one_store_keeps_no_other_from_being_tried() -> None:
    scene = Scene()
    facts = scene.facts(network=False)
    unread = {("elsewhere", "secret"): Unread("you may not")}
    facts = replace(facts, secrets={**facts.secrets, **unread})
    assert isinstance(tried(facts.externals[0], facts, scene), Read)
    own = {("shop", "arcan-credentials"): Unread("you may not")}
    facts = replace(facts, secrets={**facts.secrets, **own})
    assert tried(facts.externals[0], facts, scene) == own["shop", "arcan-credentials"]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("url", "http://arcan.internal:9797/api/v1/eso/production/K?env=prod", "in clear"),
        ("method", "POST", "POST"),
    ],
)
def test_a_credential_is_not_sent_in_clear_and_nothing_is_changed(field: str, value: str, why: str) -> None:
    scene = Scene()
    scene.webhook[field] = value
    facts = scene.facts(network=False)
    found = tried(facts.externals[0], facts, scene)
    assert isinstance(found, Unread)
    assert why in found.why


def test_several_stores_with_one_cause_are_one_finding_too() -> None:
    scene = Scene()
    twin, other = copy.deepcopy(scene.store), copy.deepcopy(scene.external)
    twin["metadata"]["name"], other["metadata"]["name"] = "bulk", "other"
    other["spec"]["secretStoreRef"]["name"] = "bulk"
    scene.objects["SecretStore", "shop", "bulk"] = twin
    scene.objects["ExternalSecret", "shop", "other"] = other
    scene.declared["shop", "other"] = "shop"
    scene.token["metadata"].pop("labels")
    [found] = [one.found for one in scene.report(None).findings if one.check == "token-label"]
    assert found.of == {PLACE, ("shop", "other")}


EVIL = "x$(>pwned);>pwned;\n\x1b[2J::error::"


@pytest.mark.parametrize("place", ["key", "realm", "environment", "host", "property"])
def test_names_of_somebody_elses_objects_are_no_commands(place: str, tmp_path: Path) -> None:
    scene = Scene()
    if place == "key":
        scene.external["spec"]["data"][0]["remoteRef"]["key"] = EVIL
    elif place == "property":
        scene.store["spec"]["provider"] = {"vault": {"server": EVIL, "path": EVIL}}
        scene.external["spec"]["data"][0]["remoteRef"] = {"key": EVIL, "property": EVIL}
        scene.fails("permission denied")
    else:
        old = {"realm": "production", "environment": "=prod", "host": "arcan.internal"}[place]
        new = "=" + EVIL if place == "environment" else "x$(>pwned)" if place == "host" else EVIL
        scene.webhook["url"] = scene.webhook["url"].replace(old, new)
    scene.remove("ConfigMap", "shop", "arcan-ca")
    report = scene.report(network=False)
    assert report.findings
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("arcan", "kubectl", "vault", "jq"):
        (tools / name).write_text("#!/bin/sh\nexit 0\n")
        (tools / name).chmod(0o755)
    for finding in report.findings:
        shown = "\n".join((finding.found.where, finding.found.what, *finding.found.fix))
        assert "\x1b" not in shown
        for command in finding.found.fix:
            assert "\n" not in command
            subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, env={"PATH": str(tools)}, check=False)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "bootstrap.sh") == ["bin"]
