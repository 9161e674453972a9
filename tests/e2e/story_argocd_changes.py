"""With the real Argo CD: a merge reaches the Kubernetes Secret, and no app holds up another."""

from __future__ import annotations

from tests.e2e.conftest import NewArgoTeam, Say

ONE = {"PASSWORD": "first-value", "OTHER": "other-value"}


def test_a_merge_reaches_the_secret_and_no_app_waits_for_another(
    new_argo_team: NewArgoTeam, say: Say
) -> None:
    team = new_argo_team(ONE)
    team.declare("shop", "argo-shop", {"name": "shop", "keys": ["PASSWORD"]})
    team.declare("mailer", "argo-mailer", {"name": "mailer", "keys": ["OTHER"]})
    team.cluster.make_namespace("argo-shop")
    team.make_token("shop", "argo-shop")
    # the mailer's token exists, its namespace and its Secret do not
    team.arcan("token", "create", "--realm", "production", "--name", "mailer", "--policy", "read-only")
    started = team.push()
    team.apply_root()
    took = team.seconds_until(
        started, "the first value is in the Secret",
        lambda: (team.cluster.secret("argo-shop", "shop") or {}).get("PASSWORD") == b"first-value",
        most=120,
    )  # fmt: skip
    say(f"from the root to the Secret: {took:.1f} s")

    team.merge({**ONE, "PASSWORD": "second-value"})
    team.roll_out()
    started = team.push()
    took = team.seconds_until(
        started, "the second value is in the Secret",
        lambda: (team.cluster.secret("argo-shop", "shop") or {}).get("PASSWORD") == b"second-value",
    )  # fmt: skip
    say(f"a changed value, with another app without its credential: {took:.1f} s after the webhook")
