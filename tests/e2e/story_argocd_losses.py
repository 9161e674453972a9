"""With the real Argo CD: what is lost by accident takes no Kubernetes Secret along, and is adopted when it is back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.argo_cd import NAMESPACE, ArgoCd
from tests.e2e.argo_team import ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say
from tests.e2e.process import wait_until


def one_app(new_argo_team: NewArgoTeam, place: str) -> ArgoTeam:
    """A shop that is synced."""
    team = new_argo_team({"PASSWORD": "one"})
    team.add_app("shop", place, "PASSWORD")
    team.cluster.make_namespace(place)
    team.make_token("shop", place)
    started = team.push()
    team.apply_root()
    team.seconds_until(
        started, "the shop is synced", lambda: team.has(place, "shop", PASSWORD="one"), most=120
    )
    return team


def identity(team: ArgoTeam, place: str) -> str:
    """Which Secret it is: another one of the same name has another."""
    uid: str = team.cluster.object(place, "secret", "shop")["metadata"]["uid"]
    return uid


def is_well(argo_cd: ArgoCd, name: str) -> bool:
    """Whether an Application is Synced and Healthy, and has nothing to complain of."""
    item = argo_cd.applications().get(name, {})
    return argo_cd.states().get(name) == ("Synced", "Healthy") and not item["status"].get("conditions")


@pytest.mark.parametrize(
    ("lost", "place"),
    [
        ("overlays/prod/{place}", "lost-namespace"),
        ("overlays/prod", "lost-overlay"),
        ("overlays", "lost-overlays"),
    ],
)
def test_a_folder_that_is_lost_takes_no_secret_along(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say, lost: str, place: str
) -> None:
    team = one_app(new_argo_team, place)
    secret, name = identity(team, place), team.name_of(place)
    folder = team.folder / "kustomize" / lost.format(place=place)
    kept = team.folder / "server" / "kept"  # in no commit
    shutil.copytree(folder, kept)
    shutil.rmtree(folder)
    team.push(generate=False)
    argo_cd.wait_for_text(name, "app path does not exist")
    assert identity(team, place) == secret
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    started = team.push(generate=False)
    took = team.seconds_until(started, "it is adopted again", lambda: is_well(argo_cd, name))
    assert identity(team, place) == secret
    say(f"{lost}: lost and back: all Secrets stayed; adopted again after {took:.1f} s")


def test_a_cluster_that_is_lost_at_the_root_leaves_everything(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd
) -> None:
    place = "lost-cluster"
    team = one_app(new_argo_team, place)
    secret = identity(team, place)
    cluster = team.folder / "kustomize" / "argocd" / "clusters" / "in-cluster"
    kept = team.folder / "server" / "kept"
    shutil.copytree(cluster, kept)
    shutil.rmtree(cluster)
    team.push(generate=False)
    argo_cd.wait_for_text("arcan-in-cluster", "app path does not exist")
    assert {f"{team.project}.prod", team.name_of(place)} <= _names(team)
    shutil.copytree(kept, cluster)
    team.push(generate=False)
    argo_cd.wait_for("the root is well", lambda _: is_well(argo_cd, "arcan-in-cluster"))
    assert identity(team, place) == secret


def test_an_overlay_that_is_lost_at_the_root_leaves_everything_and_is_said(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd
) -> None:
    place = "lost-set"
    team = one_app(new_argo_team, place)
    secret = identity(team, place)
    folder = team.folder / "kustomize" / "argocd" / "clusters" / "in-cluster"
    _drop(folder, "prod.yaml")
    team.push(generate=False)
    argo_cd.wait_for(
        "the root says that something is left", lambda states: states["arcan-in-cluster"][0] == "OutOfSync"
    )
    assert f"{team.project}.prod" in _names(team)
    assert identity(team, place) == secret


def test_a_deleted_applicationset_comes_back_and_no_secret_goes(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    place = "lost-by-hand"
    team = one_app(new_argo_team, place)
    secret, name = identity(team, place), team.name_of(place)
    started = team.now()
    team.cluster.api.kubectl("delete", "applicationset", f"{team.project}.prod", "-n", NAMESPACE)
    took = team.seconds_until(
        started, "the ApplicationSet and its Applications are back",
        lambda: f"{team.project}.prod" in _names(team) and is_well(argo_cd, name),
    )  # fmt: skip
    assert identity(team, place) == secret
    say(f"a deleted ApplicationSet: all Secrets stayed; it is back after {took:.1f} s")


def test_a_deleted_external_secret_comes_back(new_argo_team: NewArgoTeam, say: Say) -> None:
    place = "healed"
    team = one_app(new_argo_team, place)
    started = team.now()
    team.cluster.api.kubectl("delete", "externalsecret", "shop", "-n", place)
    wait_until("the Secret went with it", lambda: team.cluster.secret(place, "shop") is None)
    took = team.seconds_until(
        started, "the Secret is back", lambda: team.has(place, "shop", PASSWORD="one"), most=30
    )
    say(f"an ExternalSecret that somebody deleted: its Secret is back after {took:.1f} s")


def _drop(folder: Path, name: str) -> None:
    (folder / name).unlink()
    file = folder / "kustomization.yaml"
    text = file.read_text()
    assert f"- {name}\n" in text
    file.write_text(text.replace(f"- {name}\n", ""))


def _names(team: ArgoTeam) -> set[str]:
    """The ApplicationSets and Applications."""
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}"
    items = [
        *team.cluster.api.items(f"{path}/applicationsets"),
        *team.cluster.api.items(f"{path}/applications"),
    ]
    return {item["metadata"]["name"] for item in items}
