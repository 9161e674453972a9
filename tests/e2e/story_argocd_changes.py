"""With the real Argo CD: a merge reaches the Kubernetes Secret, and no app holds up another."""

from __future__ import annotations

from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import SECONDS, ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say

VALUES = {"PASSWORD": "first-value", "OTHER": "other-value"}


def started_team(new_argo_team: NewArgoTeam, prefix: str) -> ArgoTeam:
    """A team with a shop that is synced, and a mailer that has neither namespace nor token Secret."""
    team = new_argo_team(VALUES)
    team.add_app("shop", f"{prefix}-shop", "PASSWORD")
    team.add_app("mailer", f"{prefix}-mailer", "OTHER")
    team.cluster.make_namespace(f"{prefix}-shop")
    team.make_token("shop", f"{prefix}-shop")
    team.new_token("mailer")
    started = team.push()
    team.apply_root()
    team.seconds_until(
        started, "the first value is in the Secret",
        lambda: team.has(f"{prefix}-shop", "shop", PASSWORD="first-value"), most=120,
    )  # fmt: skip
    return team


def test_from_nothing_everything_is_synced_and_healthy(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team = new_argo_team(VALUES)
    team.add_app("shop", "nothing-shop", "PASSWORD")
    team.add_app("mailer", "nothing-mailer", "OTHER")
    for name in ("shop", "mailer"):
        team.cluster.make_namespace(f"nothing-{name}")
        team.make_token(name, f"nothing-{name}")
    started = team.push()
    team.apply_root()
    names = {team.name_of("nothing-shop"), team.name_of("nothing-mailer"), "arcan-in-cluster"}
    took = team.seconds_until(
        started, "every Application is Synced and Healthy",
        lambda: {name for name, state in argo_cd.states().items() if state == ("Synced", "Healthy")} >= names,
        most=120,
    )  # fmt: skip
    assert team.has("nothing-shop", "shop", PASSWORD="first-value")
    assert team.has("nothing-mailer", "mailer", OTHER="other-value")
    say(f"from the root to every Application Synced and Healthy: {took:.1f} s")


def test_a_merge_reaches_the_secret_and_no_app_waits_for_another(
    new_argo_team: NewArgoTeam, say: Say
) -> None:
    team = started_team(new_argo_team, "merge")
    started = team.change(PASSWORD="second-value")
    took = team.seconds_until(
        started, "the second value is in the Secret",
        lambda: team.has("merge-shop", "shop", PASSWORD="second-value"), most=SECONDS,
    )  # fmt: skip
    say(f"a changed value, with another app without its credential: {took:.1f} s after the webhook")


def test_what_was_missing_is_made_and_the_app_heals_without_a_commit(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team = started_team(new_argo_team, "heals")
    argo_cd.wait_for(
        "the mailer is Degraded",
        lambda states: states.get(team.name_of("heals-mailer")) == ("Synced", "Degraded"),
    )
    assert argo_cd.states()[team.name_of("heals-shop")] == ("Synced", "Healthy")
    started = team.bootstrap()
    took = team.seconds_until(
        started, "the mailer has its Secret",
        lambda: team.has("heals-mailer", "mailer", OTHER="other-value"), most=10,
    )  # fmt: skip
    say(f"an app heals after its bootstrap, without a commit: {took:.1f} s")


def test_without_a_webhook_the_next_poll_finds_the_commit(new_argo_team: NewArgoTeam, say: Say) -> None:
    team = started_team(new_argo_team, "polled")
    team.merge({**VALUES, "PASSWORD": "second-value"})
    team.roll_out()
    started = team.push(webhook=False)
    took = team.seconds_until(
        started, "the second value is in the Secret",
        lambda: team.has("polled-shop", "shop", PASSWORD="second-value"), most=600,
    )  # fmt: skip
    say(f"a changed value without a webhook: {took:.1f} s")
