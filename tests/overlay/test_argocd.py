"""What Argo CD gets: order, pruning, and names that a second cluster does not change."""

from __future__ import annotations

import re
from typing import Any

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import InvalidName, Namespace, ObjectName, OverlayName
from arcan_gitops.overlay.argocd.build import build_argocd
from arcan_gitops.overlay.argocd.settings import ArgoCd, ClusterName, Repository
from arcan_gitops.overlay.argocd.targets import Target
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.schemaset import SchemaSet, eso_versions
from arcan_gitops.yamlio import InvalidFile, read_documents, read_mapping

SETTINGS = ArgoCd.parse(
    read_mapping(b"repository: https://git.example.com/platform/secrets.git\n", "arcan.yaml")
)


def target(
    overlay: str,
    cluster: str = "in-cluster",
    eso: str = "2.9.0",
    namespace: str = "shop",
    stores: str = "",
    server: str | None = None,
    teams: bool = False,
    accounts: bool = False,
) -> Target:
    return Target(
        OverlayName(overlay),
        ClusterName(cluster),
        eso,
        Namespace("external-secrets"),
        (Namespace(namespace),),
        None if server is None else Namespace(server),
        teams,
        accounts,
        tuple(map(ObjectName, stores.split())),
        f"arcan.yaml:{overlay}",
    )


def documents(tree: Any, path: str) -> list[Any]:
    return read_documents(tree[path].encode(), path)


def test_eso_comes_before_the_overlays_of_its_cluster() -> None:
    tree = build_argocd(SETTINGS, [target("prod"), target("staging", namespace="shop-staging")])
    waves = {
        app["metadata"]["name"]: app["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
        for name in ("external-secrets", "prod", "staging")
        for app in documents(tree, f"clusters/in-cluster/{name}.yaml")
    }
    assert waves == {
        "external-secrets": "0",
        "arcan.prod": "1",
        "arcan.staging": "1",
    }


def test_an_app_of_apps_shows_what_is_wrong_and_waits_for_nothing() -> None:
    """A wave of Applications that are never "Progressing" takes the next commit at once."""
    [config] = documents(build_argocd(SETTINGS, [target("prod")]), "health.yaml")
    lua = config["data"]["resource.customizations.health.argoproj.io_Application"]
    assert re.search(r"\b(string|math|io|coroutine|debug)\.", lua) is None  # Argo CD has none of them
    assert "Degraded" in lua
    assert '"Progressing"' not in lua


def test_a_second_cluster_changes_no_file_of_the_first() -> None:
    one = build_argocd(SETTINGS, [target("prod")])
    two = build_argocd(SETTINGS, [target("prod"), target("berlin", "berlin")])
    for path in one:
        if path.startswith("clusters/"):
            assert two[path] == one[path]
    names = [app["metadata"]["name"] for path in two if path.startswith("clusters/berlin") for app in documents(two, path)
             if app["kind"].startswith("Application")]  # fmt: skip
    assert names == ["external-secrets-berlin", "arcan.berlin"]
    assert [d for d in documents(one, "root.yaml") if d["kind"] == "ApplicationSet"] == [
        d for d in documents(two, "root.yaml") if d["kind"] == "ApplicationSet"
    ]


def test_nothing_that_goes_takes_what_it_deployed_with_it() -> None:
    tree = build_argocd(SETTINGS, [target("prod")])
    for path in tree:
        for document in documents(tree, path):
            assert "finalizers" not in document.get("metadata", {})
    sets = [d for path in tree for d in documents(tree, path) if d["kind"] == "ApplicationSet"]
    assert len(sets) == 2
    for one in sets:
        assert one["spec"]["syncPolicy"] == {
            "applicationsSync": "create-update",
            "preserveResourcesOnDeletion": True,
        }
    [eso] = documents(tree, "clusters/in-cluster/external-secrets.yaml")
    assert eso["spec"]["syncPolicy"]["automated"]["prune"] is False


@pytest.mark.parametrize(
    ("eso", "values"),
    [
        ("{}", {}),
        ("{replicas: 2}", {"replicaCount": 2, "leaderElect": True}),
        ("{serviceMonitor: true}", {"serviceMonitor": {"enabled": True}}),
    ],
)
def test_the_chart_of_eso_has_replicas_that_elect_one_and_is_scraped_where_that_is_wanted(
    eso: str, values: dict[str, object]
) -> None:
    text = f"repository: https://git.example.com/platform/secrets.git\neso: {eso}\n"
    argocd = ArgoCd.parse(read_mapping(text.encode(), "arcan.yaml"))
    [app] = documents(build_argocd(argocd, [target("prod")]), "clusters/in-cluster/external-secrets.yaml")
    assert app["spec"]["source"]["helm"]["valuesObject"] == {"installCRDs": True, **values}


@pytest.mark.parametrize("eso", ["{replicas: 0}", "{replicas: 11}", "{replica: 2}", "2"])
def test_what_is_no_setting_of_the_chart_is_refused_with_its_line(eso: str) -> None:
    text = f"repository: https://git.example.com/platform/secrets.git\neso: {eso}\n"
    with pytest.raises(InvalidFile, match=r"arcan\.yaml:2: "):
        ArgoCd.parse(read_mapping(text.encode(), "arcan.yaml"))


def test_an_overlay_is_an_application_for_each_folder_that_never_gives_up() -> None:
    [one] = documents(
        build_argocd(SETTINGS, [target("prod", server="arcan")]), "clusters/in-cluster/prod.yaml"
    )
    [generator] = one["spec"]["generators"]
    assert generator["git"]["directories"] == [{"path": "kustomize/overlays/prod/*"}]
    policy = one["spec"]["template"]["spec"]["syncPolicy"]
    assert policy["syncOptions"] == ["CreateNamespace=true", "ServerSideApply=true"]
    assert policy["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": True}
    assert (policy["retry"]["limit"], policy["retry"]["refresh"]) == (-1, True)
    assert policy["retry"]["backoff"]["maxDuration"] == "30s"


def test_an_application_set_can_be_applied_again_after_its_controller_has_written_to_it() -> None:
    tree = build_argocd(SETTINGS, [target("prod")])
    for path in ("root.yaml", "clusters/in-cluster/prod.yaml"):
        [one] = [d for d in documents(tree, path) if d["kind"] == "ApplicationSet"]
        [generator] = one["spec"]["generators"]
        assert generator["git"]["template"] == {"metadata": {}, "spec": {"destination": {}, "project": ""}}


def projects(tree: Any, path: str) -> dict[str, Any]:
    return {d["metadata"]["name"]: d["spec"] for d in documents(tree, path) if d["kind"] == "AppProject"}


def test_the_apps_of_a_cluster_reach_its_namespaces_but_not_the_systems_and_two_kinds() -> None:
    tree = build_argocd(SETTINGS, [target("prod"), target("berlin", "berlin", namespace="mailer")])
    here = projects(tree, "clusters/in-cluster/appprojects.yaml")
    assert [place["namespace"] for place in here["arcan"]["destinations"]] == [
        "*", "!argocd", "!external-secrets", "!kube-*",
    ]  # fmt: skip
    assert {kind["kind"] for kind in here["arcan"]["namespaceResourceWhitelist"]} == {
        "ExternalSecret", "SecretStore",
    }  # fmt: skip
    assert here["arcan"]["clusterResourceWhitelist"] == [{"group": "", "kind": "Namespace"}]
    assert here["external-secrets"]["sourceRepos"] == ["https://charts.external-secrets.io"]
    there = projects(tree, "clusters/berlin/appprojects.yaml")
    assert {place["name"] for place in there["arcan-berlin"]["destinations"]} == {"berlin"}
    for path in tree:
        for app in (d for d in documents(tree, path) if d["kind"] == "Application"):
            assert app["spec"]["project"] in projects(tree, f"{path.rpartition('/')[0]}/appprojects.yaml")


def test_roles_may_be_made_only_where_an_app_has_a_team() -> None:
    tree = build_argocd(SETTINGS, [target("prod", teams=True), target("b", "b")])
    kinds = {
        path: {kind["kind"] for kind in projects(tree, path)[name]["namespaceResourceWhitelist"]}
        for path, name in (
            ("clusters/in-cluster/appprojects.yaml", "arcan"),
            ("clusters/b/appprojects.yaml", "arcan-b"),
        )
    }
    assert {"Role", "RoleBinding"} <= kinds["clusters/in-cluster/appprojects.yaml"]
    assert not {"Role", "RoleBinding"} & kinds["clusters/b/appprojects.yaml"]


def test_who_wants_a_list_of_namespaces_gets_it() -> None:
    text = b"repository: https://git.example.com/platform/secrets.git\nnamespaces: listed\n"
    listed = ArgoCd.parse(read_mapping(text, "arcan.yaml"))
    tree = build_argocd(listed, [target("prod"), target("other", namespace="mailer")])
    places = projects(tree, "clusters/in-cluster/appprojects.yaml")["arcan"]["destinations"]
    assert [place["namespace"] for place in places] == ["mailer", "shop"]


def test_what_is_of_the_cluster_has_a_project_of_its_own() -> None:
    tree = build_argocd(SETTINGS, [target("prod", server="arcan"), target("other", namespace="b")])
    spec = projects(tree, "clusters/in-cluster/appprojects.yaml")["arcan-platform"]
    assert [place["namespace"] for place in spec["destinations"]] == ["arcan", "external-secrets"]
    assert {"group": "*", "kind": "*"} not in spec["clusterResourceWhitelist"]


def test_a_project_is_there_before_the_applications_that_are_in_it() -> None:
    for project in documents(
        build_argocd(SETTINGS, [target("prod")]), "clusters/in-cluster/appprojects.yaml"
    ):
        assert project["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "-1"


def test_what_is_applied_by_hand_is_the_same_whatever_is_declared() -> None:
    one = build_argocd(SETTINGS, [target("prod")])
    two = build_argocd(SETTINGS, [target("prod", namespace="other"), target("berlin", "berlin")])
    for path in ("root.yaml", "health.yaml", "kustomization.yaml"):
        assert one[path] == two[path]


def test_only_what_makes_applications_can_be_made_in_the_namespace_of_argo_cd() -> None:
    """Who may make others there, a Secret with a cluster's credentials say, may do everything."""
    tree = build_argocd(SETTINGS, [target("prod")])
    [fleet] = [d for d in documents(tree, "root.yaml") if d["kind"] == "ApplicationSet"]
    project = projects(tree, "root.yaml")[fleet["spec"]["template"]["spec"]["project"]]
    assert project["destinations"] == [{"name": "in-cluster", "namespace": "argocd"}]
    assert "clusterResourceWhitelist" not in project
    assert project["namespaceResourceWhitelist"] == [
        {"group": "argoproj.io", "kind": "AppProject"},
        {"group": "argoproj.io", "kind": "Application"},
        {"group": "argoproj.io", "kind": "ApplicationSet"},
    ]


def test_two_overlays_of_one_cluster_have_nothing_in_common() -> None:
    """Each would heal what the other one changed: production would get the values of staging."""
    with pytest.raises(SeveralErrors) as caught:
        build_argocd(SETTINGS, [target("prod"), target("staging")])
    assert "overlays 'prod' and 'staging' both have namespace 'shop' on cluster 'in-cluster'" in str(
        caught.value
    )
    assert "namespace: {prod: shop, staging: shop-staging}" in str(caught.value)
    with pytest.raises(SeveralErrors, match="both have ClusterSecretStore 'arcan'"):
        build_argocd(
            SETTINGS, [target("a", stores="arcan"), target("b", namespace="b", stores="arcan arcan-bulk")]
        )
    assert build_argocd(SETTINGS, [target("prod"), target("staging", "staging")])


def test_two_overlays_on_one_cluster_cannot_want_different_esos() -> None:
    with pytest.raises(SeveralErrors) as caught:
        build_argocd(SETTINGS, [target("prod"), target("staging", eso="0.20.4")])
    assert "'staging' has ESO 0.20.4, overlay 'prod' on the same cluster 'in-cluster' has 2.9.0" in str(
        caught.value
    )


def test_all_of_it_is_valid() -> None:
    tree = build_argocd(SETTINGS, [target("prod"), target("berlin", "berlin")])
    schemas = SchemaSet(eso_versions()[-1])
    for path, text in tree.items():
        if path.endswith("kustomization.yaml"):
            continue
        results = list(judge(read_manifests(text.encode(), path), Embedded(), schemas))
        assert results
        assert {str(result.status.value) for result in results} == {"valid"}, results


@pytest.mark.parametrize(
    "text",
    [
        "https://user:password@git.example.com/x",
        "http://git.example.com/x",
        "git.example.com",
        "file:///x",
        "",
    ],
)
def test_a_repository_with_a_password_or_none_at_all_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(InvalidName) as caught:
        Repository.parse(text)
    assert "password@" not in str(caught.value)
