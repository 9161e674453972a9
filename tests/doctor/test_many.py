"""A cluster of many namespaces costs few commands; where rights lack, what may be read is read."""

from __future__ import annotations

import copy
import json

import pytest

from arcan_gitops.doctor.collecting import collect
from arcan_gitops.doctor.dialling import Step
from arcan_gitops.doctor.facts import Question, Unread
from arcan_gitops.doctor.many import listed, named, rights
from arcan_gitops.doctor.reader import Reader
from arcan_gitops.doctor.reports import as_json, as_text
from tests.doctor.scene import Scene

NAMESPACES = [f"team-{number:03}" for number in range(60)]


def of_many_namespaces(namespaces: list[str] = NAMESPACES) -> Scene:
    """What is in `shop`, in each of them."""
    scene = Scene()
    for (kind, namespace, name), one in list(scene.objects.items()):
        for other in namespaces if "shop" in (namespace, name) or namespace == "shop" else ():
            twin = copy.deepcopy(one)
            if kind == "Namespace":
                twin["metadata"]["name"] = other
                scene.objects[kind, "", other] = twin
            else:
                twin["metadata"]["namespace"] = other
                scene.objects[kind, other, name] = twin
    scene.declared |= {(namespace, "shop-env"): "shop" for namespace in namespaces}
    return scene


def test_commands_do_not_become_more_with_the_namespaces() -> None:
    few, many = of_many_namespaces(NAMESPACES[:3]), of_many_namespaces()
    for scene in (few, many):
        report = scene.report(None)
        assert (report.findings, report.not_done) == ((), ())
    assert len(many.calls) - len(few.calls) <= 4  # by name, a few hundred at once
    assert len(many.calls) < 25


def test_a_long_run_says_how_far_it_is_and_a_short_one_says_nothing() -> None:
    said: list[str] = []
    for scene in (Scene(), of_many_namespaces()):
        collect(Reader(scene), scene.now, repository=Unread("none"), say=said.append)
    assert said == [
        "reading what 61 ExternalSecrets use",
        "asking who may read Secrets in 61 namespaces",
    ]


def test_what_may_not_be_listed_everywhere_is_listed_in_each_namespace() -> None:
    scene = of_many_namespaces(["a", "b"])
    scene.denied.add("SecretStore -A")
    found = listed(Reader(scene), "secretstores.external-secrets.io", ["a", "b"])
    assert {namespace: len(stores) for namespace, stores in found.items() if isinstance(stores, tuple)} == {
        "a": 1,
        "b": 1,
    }


def test_of_objects_by_name_one_that_is_refused_hides_no_other() -> None:
    scene = of_many_namespaces(["a", "b"])
    scene.refused.add(("Secret", "a", "arcan-credentials"))
    places = [("a", "arcan-credentials"), ("b", "arcan-credentials"), ("b", "nowhere")]
    found = named(Reader(scene), "Secret", places)
    assert found["a", "arcan-credentials"] == Unread(
        "you may not", "kubectl get secret arcan-credentials -n a"
    )
    assert isinstance(found["b", "arcan-credentials"], dict)
    assert found["b", "nowhere"] is None


@pytest.mark.parametrize("error", ["Unable to connect to the server: EOF", "Error from server (Timeout): x"])
def test_what_kubectl_does_not_explain_is_not_taken_as_absent(error: str) -> None:
    scene = Scene()
    scene.broken = error
    found = named(Reader(scene), "Secret", [("shop", "arcan-credentials"), ("shop", "nowhere")])
    assert all(isinstance(one, Unread) for one in found.values())


def test_rights_are_asked_by_impersonation_where_they_may_not_be_reviewed() -> None:
    asked = [Question(f"system:serviceaccount:{name}:default", "get", "secrets", name) for name in NAMESPACES]
    scene = Scene()
    scene.allowed = lambda who, verb, namespace: namespace == "team-007"
    by_review = rights(Reader(scene), asked)
    assert [each.namespace for each, may in by_review.items() if may] == ["team-007"]
    assert len(scene.calls) == 1
    scene.denied.add("reviews")
    assert rights(Reader(scene), asked) == by_review


def test_without_any_right_to_ask_it_is_asked_once() -> None:
    asked = [Question(f"system:serviceaccount:{name}:default", "get", "secrets", name) for name in NAMESPACES]
    scene = Scene()
    scene.denied |= {"reviews", "impersonate"}
    found = rights(Reader(scene), asked)
    assert all(isinstance(may, Unread) for may in found.values())
    assert len(found) == len(NAMESPACES)
    assert len(scene.calls) == 2


def test_of_a_server_that_is_not_reached_no_refresh_is_tried() -> None:
    scene = of_many_namespaces(["a", "b"])
    scene.unreachable = Step.TCP
    report = scene.report(None)
    [finding] = report.findings
    assert finding.check == "tcp"
    assert len(finding.found.of) == 3


def test_what_could_not_be_looked_at_in_many_namespaces_is_told_in_few_lines() -> None:
    scene = of_many_namespaces()
    scene.denied.add("Secret")
    report = scene.report(None)
    text = as_text(report)
    assert len(text.splitlines()) < 30
    assert "  the token in Secret shop/arcan-credentials: you may not (token-secret)" in text
    assert "  and 58 more: you may not (token-secret)" in text
    assert len(json.loads(as_json(report))["notDone"]) > 100


def test_of_one_namespace_no_other_is_listed() -> None:
    scene = Scene()
    for number in range(20):
        twin = copy.deepcopy(scene.external)
        twin["metadata"]["name"] = twin["spec"]["target"]["name"] = f"app-{number}"
        scene.objects["ExternalSecret", "shop", f"app-{number}"] = twin
    collect(Reader(scene), scene.now, namespace="shop", repository=Unread("none"))
    everywhere = {call[1] for call in scene.calls if "-A" in call}
    assert everywhere == {"deployments.apps"}  # where ESO is
