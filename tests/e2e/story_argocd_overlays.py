"""With the real Argo CD: an overlay gets another name, or goes, while one of its apps is Degraded."""

from __future__ import annotations

from tests.e2e.argo_cd import NAMESPACE, ArgoCd
from tests.e2e.argo_team import SECONDS, ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say


def synced_team(new_argo_team: NewArgoTeam, prefix: str, **settings: object) -> ArgoTeam:
    """A shop and a mailer, synced, and a third app that stays Degraded: its token is in no cluster."""
    team = new_argo_team({"PASSWORD": "one", "OTHER": "one"}, **settings)
    for name, key in (("shop", "PASSWORD"), ("mailer", "OTHER")):
        team.add_app(name, f"{prefix}-{name}", key)
        team.cluster.make_namespace(f"{prefix}-{name}")
        team.make_token(name, f"{prefix}-{name}")
    team.add_app("waiting", f"{prefix}-waiting", "OTHER")
    team.new_token("waiting")
    started = team.push()
    team.apply_root()
    team.seconds_until(
        started, "the shop and the mailer are synced",
        lambda: team.has(f"{prefix}-shop", "shop", PASSWORD="one")
        and team.has(f"{prefix}-mailer", "mailer", OTHER="one"),
        most=120,
    )  # fmt: skip
    return team


def has_nothing(team: ArgoTeam, namespace: str) -> bool:
    """No ExternalSecret, no store and no Secret of ours."""
    eso = f"/apis/external-secrets.io/v1/namespaces/{namespace}"
    made = [team.cluster.api.items(f"{eso}/{kind}") for kind in ("externalsecrets", "secretstores")]
    return not any(made) and team.cluster.secret(namespace, "shop") is None


def test_an_overlay_gets_another_name_and_no_secret_goes(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team = synced_team(new_argo_team, "overlay")
    uid = team.cluster.object("overlay-shop", "secret", "shop")["metadata"]["uid"]
    team.set("overlays", {"production": {"environment": "prod"}})
    started = team.push()
    new = f"{team.project}.production.overlay-shop"
    took = team.seconds_until(
        started, "the new Application has taken over",
        lambda: argo_cd.states().get(new) == ("Synced", "Healthy"), most=120,
    )  # fmt: skip
    team.cluster.api.kubectl("delete", "applicationset.argoproj.io", f"{team.project}.prod", "-n", NAMESPACE)
    started = team.change(PASSWORD="two")
    team.seconds_until(
        started, "a change arrives", lambda: team.has("overlay-shop", "shop", PASSWORD="two"), most=SECONDS
    )
    assert team.cluster.object("overlay-shop", "secret", "shop")["metadata"]["uid"] == uid
    say(f"an overlay renamed: taken over after {took:.1f} s, with the same Secrets")


def test_a_removed_overlay_takes_its_secrets_where_a_project_lists_its_namespaces(
    new_argo_team: NewArgoTeam, say: Say
) -> None:
    prefix = "ends"
    team = synced_team(new_argo_team, prefix, argocd={"namespaces": "listed"})
    team.arcan("overlay", "remove", "prod", "--yes")
    started = team.push()
    took = team.seconds_until(
        started, "all of the shop is gone", lambda: has_nothing(team, f"{prefix}-shop"), most=60
    )
    say(f"an overlay removed, with namespaces: listed: all Secrets are gone after {took:.1f} s")


def test_the_move_from_one_application_for_each_overlay_loses_no_secret(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    """By the commands of docs/removal.md; the Application of before is hand-written, prunes and heals itself."""
    team = new_argo_team({"PASSWORD": "one"})
    team.add_app("shop", "moved-shop", "PASSWORD")
    team.cluster.make_namespace("moved-shop")
    team.make_token("shop", "moved-shop")
    team.push()
    source = {"repoURL": team.repository, "targetRevision": "main", "path": "kustomize/overlays/prod"}
    spec = {
        "project": "default",
        "source": source,
        "destination": {"name": "in-cluster", "namespace": "external-secrets"},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": ["PruneLast=true", "ServerSideApply=true"],
        },
    }
    metadata = {
        "name": "secrets-prod",
        "namespace": NAMESPACE,
        "finalizers": ["resources-finalizer.argocd.argoproj.io"],
    }
    before = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
    team.cluster.api.apply(before)
    started = team.now()
    team.seconds_until(
        started, "the shop is synced", lambda: team.has("moved-shop", "shop", PASSWORD="one"), most=120
    )
    uid = team.cluster.object("moved-shop", "secret", "shop")["metadata"]["uid"]
    started = team.now()
    team.apply_root()
    name = team.name_of("moved-shop")
    took = team.seconds_until(
        started, "the new Application has taken over", lambda: name in argo_cd.states(), most=120
    )
    kubectl = team.cluster.api.kubectl
    patch = '{"metadata":{"finalizers":null}}'
    kubectl("-n", NAMESPACE, "patch", "application", "secrets-prod", "--type=merge", "--patch", patch)
    kubectl("-n", NAMESPACE, "delete", "application", "secrets-prod")
    argo_cd.wait_for("the new one is well", lambda states: states.get(name) == ("Synced", "Healthy"))
    started = team.change(PASSWORD="two")
    team.seconds_until(
        started, "a change arrives", lambda: team.has("moved-shop", "shop", PASSWORD="two"), most=SECONDS
    )
    assert team.cluster.object("moved-shop", "secret", "shop")["metadata"]["uid"] == uid
    say(f"moved from one Application for the overlay: taken over after {took:.1f} s, with the same Secrets")
