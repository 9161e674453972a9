"""With the real Argo CD and Kubernetes' own controllers: nobody makes, sees or copies a credential."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request

from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import SECONDS, ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say

VALUES = {"PASSWORD": "first-value", "OTHER": "other-value"}
HEAL_SECONDS = 30


def team_with_accounts(new_argo_team: NewArgoTeam, prefix: str) -> ArgoTeam:
    """A shop and a mailer that read by accounts; nothing is in the cluster yet."""
    team = new_argo_team(VALUES, credentials="account", clusterKeys="eu", clusters=True)
    team.arcan("cluster", "add", "eu")
    for name, key in (("shop", "PASSWORD"), ("mailer", "OTHER")):
        team.declare(name, f"{prefix}-{name}", {"name": name, "keys": [key]}, token=None)
        team.arcan("account", "add", f"eu/{prefix}-{name}/arcan-reader", "--realm", "production")
    team.roll_out()
    return team


def synced(team: ArgoTeam, prefix: str) -> bool:
    return team.has(f"{prefix}-shop", "shop", PASSWORD="first-value") and team.has(
        f"{prefix}-mailer", "mailer", OTHER="other-value"
    )


def test_from_nothing_with_the_root_as_the_one_object_made_by_hand(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    """No namespace, no token, no CA: Git declares them, Kubernetes fills the credential."""
    team = team_with_accounts(new_argo_team, "account")
    started = team.push()
    team.apply_root()
    took = team.seconds_until(started, "all Secrets are right", lambda: synced(team, "account"), most=300)
    say(f"accounts, from the root to every Secret, with nothing else made by hand: {took:.1f} s")
    names = {team.name_of("account-shop"), team.name_of("account-mailer")}
    argo_cd.wait_for(
        "every Application is Synced and Healthy",
        lambda states: {name for name, state in states.items() if state == ("Synced", "Healthy")} >= names,
    )
    started = team.change(PASSWORD="second-value")
    took = team.seconds_until(
        started, "the second value is there",
        lambda: team.has("account-shop", "shop", PASSWORD="second-value"), most=SECONDS,
    )  # fmt: skip
    say(f"accounts: a changed value arrives after {took:.1f} s")


def test_an_account_that_somebody_deletes_is_made_again_and_goes_on(
    new_argo_team: NewArgoTeam, say: Say
) -> None:
    team = team_with_accounts(new_argo_team, "again-by")
    started = team.push()
    team.apply_root()
    team.seconds_until(started, "all Secrets are right", lambda: synced(team, "again-by"), most=300)
    team.cluster.api.kubectl("delete", "serviceaccount", "arcan-reader", "-n", "again-by-shop")
    team.seconds_until(
        team.now(), "its Secret has a token again", lambda: token_of(team, "again-by-shop"), most=HEAL_SECONDS
    )
    started = team.change(PASSWORD="second-value")
    took = team.seconds_until(
        started, "a change arrives", lambda: team.has("again-by-shop", "shop", PASSWORD="second-value"),
        most=HEAL_SECONDS,
    )  # fmt: skip
    say(f"accounts: deleted and made again; a change then arrives after {took:.1f} s")


def test_kubernetes_tokens_of_others_are_refused_and_the_audit_line_says_whose_they_claim_to_be(
    new_argo_team: NewArgoTeam,
) -> None:
    team = team_with_accounts(new_argo_team, "others")
    started = team.push()
    team.apply_root()
    team.seconds_until(started, "all Secrets are right", lambda: synced(team, "others"), most=300)
    shop, mailer = token_of(team, "others-shop"), token_of(team, "others-mailer")
    assert read(team, "PASSWORD", shop) == 200
    assert read(team, "PASSWORD", mailer) == 403  # of the realm, and not for this key
    team.cluster.api.kubectl("create", "serviceaccount", "stranger", "-n", "others-shop")

    def bound(account: str, *audience: str) -> str:
        options = [f"--audience={name}" for name in audience]
        return team.cluster.api.kubectl("create", "token", account, "-n", "others-shop", *options).strip()

    assert read(team, "PASSWORD", bound("arcan-reader", "arcan")) == 200
    assert read(team, "PASSWORD", bound("arcan-reader", "vault")) == 401
    assert read(team, "PASSWORD", bound("arcan-reader")) == 401  # for the API server alone
    assert read(team, "PASSWORD", bound("stranger", "arcan")) == 401
    head, claims, _ = shop.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    assert read(team, "PASSWORD", f"{none}.{claims}.") == 401
    assert read(team, "PASSWORD", f"{head}.{claims}.{mailer.split('.')[2]}") == 401
    claimed = [line.get("claimed_account", "") for line in team.server.audit]
    assert "eu/others-shop/stranger" in claimed
    assert "?/others-shop/arcan-reader" in claimed
    said = team.server.audit_path.read_text() + team.server.log
    assert shop not in said
    assert mailer not in said


def token_of(team: ArgoTeam, namespace: str) -> str:
    """What Kubernetes has put into the account's Secret, or nothing."""
    for item in team.cluster.api.items(f"/api/v1/namespaces/{namespace}/secrets"):
        if item["type"] == "kubernetes.io/service-account-token" and item.get("data", {}).get("token"):
            return base64.b64decode(item["data"]["token"]).decode()
    return ""


def read(team: ArgoTeam, key: str, token: str) -> int:
    """The status of one read of the real server."""
    url = f"{team.server_url}/api/v1/eso/production/{key}?env=prod"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    trust = ssl.create_default_context(cafile=str(team.server.ca))
    try:
        with urllib.request.urlopen(request, context=trust, timeout=20) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
