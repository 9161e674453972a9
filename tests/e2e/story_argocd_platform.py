"""With the real Argo CD and Kubernetes' own rollouts: the server of an overlay, and what is of its cluster."""

from __future__ import annotations

from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import FIX_SECONDS, SECONDS, ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say
from tests.e2e.controller_manager import NEVER_READY

GOOD = "registry.example.org/platform/arcan:1"


def deployed_team(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, namespace: str, components: list[str]
) -> ArgoTeam:
    """One app, and a server of two pods that are ready."""
    team = new_argo_team({"PASSWORD": "one"}, deploy={"image": GOOD, "components": components})
    team.add_app("shop", namespace, "PASSWORD")
    team.cluster.make_namespace(namespace)
    team.make_token("shop", namespace)
    started = team.push()
    team.apply_root()
    team.seconds_until(
        started, "the shop is synced, and the server is ready",
        lambda: team.has(namespace, "shop", PASSWORD="one") and is_rolled_out(team, GOOD),
        most=180,
    )  # fmt: skip
    return team


def is_rolled_out(team: ArgoTeam, image: str) -> bool:
    """Whether every pod of the server runs an image, and is ready."""
    found = team.cluster.api.get("/apis/apps/v1/namespaces/arcan/deployments/arcan")
    if found is None:
        return False
    (container,) = found["spec"]["template"]["spec"]["containers"]
    status, metadata = found.get("status", {}), found["metadata"]
    wanted = found["spec"].get("replicas")
    return (
        container["image"] == image
        and status.get("observedGeneration") == metadata["generation"]
        and status.get("updatedReplicas") == status.get("availableReplicas") == wanted
    )


def documents(team: ArgoTeam) -> set[str]:
    """The ConfigMaps of the server's realms."""
    items = team.cluster.api.items("/api/v1/namespaces/arcan/configmaps")
    return {name for item in items if (name := item["metadata"]["name"]).startswith("realm.")}


def test_a_rollout_that_hangs_holds_up_nobody_and_its_fix_arrives(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team = deployed_team(new_argo_team, argo_cd, "hanging", ["own-ca"])
    argo_cd.wait_for(
        "the platform is well", lambda states: states.get(team.name_of()) == ("Synced", "Healthy")
    )
    team.deploy_server(image=f"{GOOD}-{NEVER_READY}", components=["own-ca"])
    team.push()
    argo_cd.wait_for(
        "the rollout hangs", lambda states: states[team.name_of()][1] in ("Progressing", "Degraded")
    )
    kept = documents(team)
    started = team.change(PASSWORD="two")
    took = team.seconds_until(
        started, "the change arrives", lambda: team.has("hanging", "shop", PASSWORD="two"), most=SECONDS
    )
    say(f"a rollout that hangs: an app's change arrives after {took:.1f} s")
    fixed = f"{GOOD}.1"
    team.deploy_server(image=fixed, components=["own-ca"])
    started = team.push()
    took = team.seconds_until(
        started, "the fix is rolled out", lambda: is_rolled_out(team, fixed), most=FIX_SECONDS
    )
    say(f"a rollout that hangs: its fix is rolled out after {took:.1f} s")
    argo_cd.wait_for(
        "the platform is well again", lambda states: states[team.name_of()] == ("Synced", "Healthy")
    )
    # a pod of before that is started again still finds what it mounts
    assert kept < documents(team)


def test_a_token_is_revoked_at_once_while_a_rollout_hangs(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    """In Git the revocation is one more rollout, which hangs too: the pods of before have the old list."""
    team = deployed_team(new_argo_team, argo_cd, "leaked", ["own-ca"])
    team.add_app("mailer", "kept", "PASSWORD")
    team.cluster.make_namespace("kept")
    team.make_token("mailer", "kept")
    team.deploy_server(image=f"{GOOD}-{NEVER_READY}", components=["own-ca"])
    started = team.push()
    team.seconds_until(
        started, "the mailer is synced", lambda: team.has("kept", "mailer", PASSWORD="one"), most=FIX_SECONDS
    )
    argo_cd.wait_for(
        "the rollout hangs", lambda states: states[team.name_of()][1] in ("Progressing", "Degraded")
    )
    started = team.now()
    team.revoke_now("shop")
    refused = "1 entries are revoked"
    took = team.seconds_until(started, "the server refuses the token", lambda: refused in team.server.log)
    say(f"a token is refused {took:.1f} s after the command, the kubelet's time not counted")
    team.push(generate=False)
    argo_cd.wait_for(
        "Argo CD has seen the commit", lambda states: states[team.name_of()][1] in ("Progressing", "Degraded")
    )
    assert not is_rolled_out(team, f"{GOOD}-{NEVER_READY}")
    seen = team.cluster.sync("leaked", "kept")
    leaked, kept = seen["leaked", "shop"], seen["kept", "mailer"]
    assert (leaked.reason, leaked.texts) == ("SecretSyncedError", {"PASSWORD": "one"})
    assert "401" in leaked.problem
    assert (kept.reason, kept.texts) == ("SecretSynced", {"PASSWORD": "one"})
    assert team.cluster.object("arcan", "configmap", "arcan-revoked")["data"], (
        "Argo CD owns it, or removed it"
    )


def test_a_kind_that_the_cluster_lacks_holds_up_nothing_else(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    """Monitoring without the CustomResourceDefinitions of the Prometheus operator."""
    team = deployed_team(new_argo_team, argo_cd, "lacking", ["own-ca", "monitoring"])
    other = f"{GOOD}.2"
    team.deploy_server(image=other, components=["own-ca", "monitoring"])
    started = team.push()
    took = team.seconds_until(
        started, "the server's next image is rolled out", lambda: is_rolled_out(team, other), most=FIX_SECONDS
    )
    say(f"monitoring without its CRDs: the server's next image is rolled out after {took:.1f} s")
