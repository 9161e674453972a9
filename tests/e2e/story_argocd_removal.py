"""With the real Argo CD: what is said to go goes, in its namespace and no other; what is lost stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from tests.e2e.argo_team import ENVIRONMENT, ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say

VALUES = {"PASSWORD": "value", "OTHER": "other"}
_ESO = "/apis/external-secrets.io/v1"
_APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


def secret(name: str, key: str = "PASSWORD") -> dict[str, Any]:
    return {"name": name, "keys": [key]}


def deployed(team: ArgoTeam, *apps: str, say: Say) -> None:
    """Each app in a namespace of its own, with a Secret of its name, and all of them there."""
    for app in apps:
        team.declare(app, app, secret(app))
        team.cluster.make_namespace(app)
        team.make_token(app, app)
    started = team.push()
    team.apply_root()
    for app in apps:
        team.seconds_until(started, f"Secret {app} is there", is_there(team, app, app), most=120)
    say(f"{', '.join(apps)}: deployed")


def is_there(team: ArgoTeam, namespace: str, name: str) -> Callable[[], object]:
    return lambda: team.cluster.secret(namespace, name) is not None


def is_gone(team: ArgoTeam, namespace: str, name: str) -> Callable[[], object]:
    """The Secret, its ExternalSecret and the stores beside it."""

    def gone() -> bool:
        here = [f"{_ESO}/namespaces/{namespace}/{kind}" for kind in ("externalsecrets", "secretstores")]
        left = [item for path in here for item in team.cluster.api.items(path)]
        return team.cluster.secret(namespace, name) is None and not left

    return gone


def uid(team: ArgoTeam, namespace: str, name: str) -> str:
    found: str = team.cluster.object(namespace, "secret", name)["metadata"]["uid"]
    return found


def application(team: ArgoTeam, namespace: str) -> Any:
    return team.cluster.api.get(f"{_APPLICATIONS}/{team.name_of(namespace)}")


def test_the_last_app_of_a_namespace_goes_by_its_tombstone(new_argo_team: NewArgoTeam, say: Say) -> None:
    team = new_argo_team(VALUES)
    deployed(team, "goes", "stays", say=say)
    kept = uid(team, "stays", "stays")
    team.arcan("app", "remove", "goes", "--yes")
    started = team.push()
    took = team.seconds_until(started, "all of the app is gone", is_gone(team, "goes", "goes"))
    say(f"the last app of a namespace is gone: {took:.1f} s after the webhook")
    took = team.seconds_until(
        started, "its Application is Synced, and has nothing",
        lambda: (status := application(team, "goes")["status"])["sync"]["status"] == "Synced"
        and not status.get("resources"),
    )  # fmt: skip
    say(f"its tombstone may go: {took:.1f} s")
    assert uid(team, "stays", "stays") == kept

    (team.folder / "kustomize/apps/goes.yaml").unlink()
    printed = team.arcan("generate", "overlays")
    assert f"delete application.argoproj.io {team.name_of('goes')}" in printed
    team.push()
    team.cluster.api.kubectl("delete", "application.argoproj.io", "-n", "argocd", team.name_of("goes"))
    assert uid(team, "stays", "stays") == kept


def test_an_app_moves_and_one_secret_of_another_goes(new_argo_team: NewArgoTeam, say: Say) -> None:
    team = new_argo_team(VALUES)
    deployed(team, "moves", "other", say=say)
    team.cluster.make_namespace("moved")
    team.copy_credentials("moves", team.cluster, into="moved")
    left = [{"namespace": "moves", "removed": "2026-11-28"}]
    team.declare("moves", "moved", secret("moves"), left=left)
    team.declare("other", "other", secret("renamed"), {"name": "other", "removed": "2026-11-28"})
    started = team.push()
    took = team.seconds_until(started, "the app is where it moved", is_there(team, "moved", "moves"))
    say(f"moved: new there {took:.1f} s after the webhook")
    took = team.seconds_until(started, "the app is gone from where it was", is_gone(team, "moves", "moves"))
    say(f"moved: old gone {took:.1f} s after the webhook")
    team.seconds_until(started, "the Secret has its new name", is_there(team, "other", "renamed"))
    took = team.seconds_until(
        started, "the Secret of before is gone", lambda: team.cluster.secret("other", "other") is None
    )
    say(f"a Secret under another name: {took:.1f} s")


def test_an_app_under_another_name_keeps_its_secrets(new_argo_team: NewArgoTeam, say: Say) -> None:
    team = new_argo_team(VALUES)
    deployed(team, "named", say=say)
    kept = uid(team, "named", "named")
    (team.folder / "kustomize/apps/named.yaml").unlink()
    team.declare("otherwise", "named", secret("named"), token="named")
    started = team.push()
    team.merge({**VALUES, "PASSWORD": "after"})
    team.roll_out()
    started = team.push()
    team.seconds_until(
        started, "a value arrives under the new name",
        lambda: (team.cluster.secret("named", "named") or {}).get("PASSWORD") == b"after",
    )  # fmt: skip
    assert uid(team, "named", "named") == kept


def test_lost_folders_take_no_secret_along_and_a_removed_overlay_takes_all(
    new_argo_team: NewArgoTeam, say: Say
) -> None:
    team = new_argo_team(VALUES)
    deployed(team, "lost", "found", say=say)
    kept = {app: uid(team, app, app) for app in ("lost", "found")}
    folder = team.folder / "kustomize/overlays" / ENVIRONMENT
    shutil.rmtree(folder)
    started = team.push(generate=False)
    team.seconds_until(
        started, "Argo CD has seen that the folder is lost",
        lambda: any(
            "Error" in condition["type"]
            for condition in application(team, "lost")["status"].get("conditions", [])
        ),
    )  # fmt: skip
    assert {app: uid(team, app, app) for app in kept} == kept
    team.push()  # as Git has it again, by what is declared
    team.arcan("overlay", "remove", ENVIRONMENT, "--yes")
    started = team.push()
    for app in kept:
        took = team.seconds_until(started, f"all of app {app} is gone", is_gone(team, app, app), most=120)
    say(f"a removed overlay: all gone {took:.1f} s after the webhook")
