"""With the real Argo CD: what is broken is mended by the next commit, and holds up nobody meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import FIX_SECONDS, SECONDS, ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say


def two_apps(new_argo_team: NewArgoTeam, prefix: str) -> ArgoTeam:
    """A shop and a mailer, both synced."""
    team = new_argo_team({"PASSWORD": "one", "OTHER": "one"})
    for name, key in (("shop", "PASSWORD"), ("mailer", "OTHER")):
        team.add_app(name, f"{prefix}-{name}", key)
        team.cluster.make_namespace(f"{prefix}-{name}")
        team.make_token(name, f"{prefix}-{name}")
    started = team.push()
    team.apply_root()
    team.seconds_until(
        started, "both apps are synced",
        lambda: team.has(f"{prefix}-shop", "shop", PASSWORD="one")
        and team.has(f"{prefix}-mailer", "mailer", OTHER="one"),
        most=120,
    )  # fmt: skip
    return team


def spoil(file: Path, right: str, wrong: str) -> None:
    """A file as somebody has spoilt it after it was generated."""
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong))


def both_go_on(team: ArgoTeam, prefix: str, say: Say, what: str) -> None:
    """With the shop broken in Git, the mailer's change arrives; with the fix, the shop's does."""
    took = team.seconds_until(
        team.push(generate=False), "the mailer's change arrives",
        lambda: team.has(f"{prefix}-mailer", "mailer", OTHER="two"), most=SECONDS,
    )  # fmt: skip
    say(f"{what}: another app's change arrives after {took:.1f} s")


def spoilt_shop(new_argo_team: NewArgoTeam, prefix: str) -> tuple[ArgoTeam, Path]:
    """Two apps whose values have changed, with nothing of that pushed yet; and the shop's folder."""
    team = two_apps(new_argo_team, prefix)
    team.merge({"PASSWORD": "two", "OTHER": "two"})
    team.roll_out()
    team.arcan("generate", "overlays")
    return team, team.overlay / f"{prefix}-shop"


def test_a_refused_object_holds_up_nobody_and_its_fix_arrives(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team, shop = spoilt_shop(new_argo_team, "refused")
    spoil(shop / "apps" / "shop.yaml", "creationPolicy: Owner", "creationPolicy: Nobody")
    both_go_on(team, "refused", say, "a refused object")
    argo_cd.wait_for_text(team.name_of("refused-shop"), "Nobody", seconds=60)
    took = team.seconds_until(
        team.push(), "the shop's change arrives",
        lambda: team.has("refused-shop", "shop", PASSWORD="two"), most=FIX_SECONDS,
    )  # fmt: skip
    say(f"a refused object: its fix arrives after {took:.1f} s")


def test_a_broken_folder_holds_up_nobody_prunes_nothing_and_its_fix_arrives(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team, shop = spoilt_shop(new_argo_team, "broken")
    spoil(shop / "kustomization.yaml", "- apps/shop.yaml", "- apps/shpo.yaml")
    both_go_on(team, "broken", say, "a broken folder")
    argo_cd.wait_for_text(team.name_of("broken-shop"), "shpo.yaml", seconds=60)
    assert team.has("broken-shop", "shop", PASSWORD="one")
    took = team.seconds_until(
        team.push(), "the shop's change arrives",
        lambda: team.has("broken-shop", "shop", PASSWORD="two"), most=FIX_SECONDS,
    )  # fmt: skip
    say(f"a broken folder: its fix arrives after {took:.1f} s")


def test_the_controller_is_killed_after_a_push_and_goes_on_when_it_is_back(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team = two_apps(new_argo_team, "killed")
    argo_cd.controller.kill()
    team.change(PASSWORD="two")
    argo_cd.restart_controller()
    started = team.now()
    took = team.seconds_until(
        started, "the change arrives", lambda: team.has("killed-shop", "shop", PASSWORD="two"), most=60
    )
    say(f"a controller that was killed after a push: the change arrives {took:.1f} s after it is back")


def test_the_root_is_applied_again_and_again_without_a_conflict(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd
) -> None:
    team = two_apps(new_argo_team, "again")
    for _ in range(3):
        team.apply_root()
        team.push()
        argo_cd.wait_for(
            "all is Synced", lambda states: all(sync == "Synced" for name, (sync, _) in states.items()
                                                if name.startswith(team.project)),
        )  # fmt: skip
    team.apply_root()
    team.apply_health()
    team.apply_health()


def test_a_fix_of_what_comes_first_waits_for_a_retry_at_most(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    """ESO's Application is of the first wave: here it asks for a version of the chart that does not exist."""
    team = two_apps(new_argo_team, "first")
    team.apply_health()
    team.set("esoVersion", "0.20.3")
    team.push()
    argo_cd.wait_for(
        "the root says that ESO's Application is not well",
        lambda states: states.get("arcan-in-cluster", ("", ""))[1] == "Degraded",
        seconds=120,
    )
    started = team.change(OTHER="two")
    took = team.seconds_until(
        started, "the mailer's change arrives",
        lambda: team.has("first-mailer", "mailer", OTHER="two"), most=SECONDS,
    )  # fmt: skip
    say(f"with the root Degraded, an app's change arrives after {took:.1f} s")
    team.set("esoVersion", "0.20.4")
    started = team.push()
    took = team.seconds_until(
        started, "the right version of the chart is asked for",
        lambda: argo_cd.applications()["external-secrets"]["spec"]["source"]["targetRevision"] == "0.20.4",
        most=FIX_SECONDS,
    )  # fmt: skip
    say(f"a fix of ESO's Application, which was never healthy: at the root after {took:.1f} s")
    argo_cd.wait_for(
        "ESO's Application and the root are well",
        lambda states: (
            {states[name] for name in ("external-secrets", "arcan-in-cluster")} == {("Synced", "Healthy")}
        ),
    )
