"""With the real Argo CD: many namespaces, and one of them changes."""

from __future__ import annotations

import os

from arcan_gitops.yamlio import emit
from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import SECONDS
from tests.e2e.conftest import NewArgoTeam, Say

NAMESPACES = int(os.environ.get("ARCAN_E2E_NAMESPACES", "200"))


def test_one_value_arrives_as_fast_among_200_namespaces(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    values = {f"KEY_{number}": "one" for number in range(NAMESPACES)}
    team = new_argo_team(values)
    for number in range(NAMESPACES):
        key = {"name": "app", "keys": [f"KEY_{number}"]}
        team.declare(f"app-{number}", f"many-{number}", key, token="many")
    namespaces = [f"many-{number}" for number in range(NAMESPACES)]
    team.cluster.api.apply_printed(
        emit({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in namespaces)
    )
    team.make_token("many", *namespaces)
    started = team.push()
    team.apply_root()

    def have(value: str, *numbers: int) -> bool:
        return all(team.has(f"many-{number}", "app", **{f"KEY_{number}": value}) for number in numbers)

    took = team.seconds_until(started, "all have their Secret", lambda: have("one", *range(NAMESPACES)), 900)
    say(f"{NAMESPACES} namespaces: every Secret is there {took:.0f} s after the root")
    argo_cd.wait_for(
        "all are Healthy",
        lambda states: sum(state == ("Synced", "Healthy") for state in states.values()) >= NAMESPACES,
        seconds=600,
    )
    say(f"{NAMESPACES} namespaces: the application controller takes {argo_cd.controller.megabytes():.0f} MiB")
    started = team.change(**{"KEY_7": "two"})
    took = team.seconds_until(started, "the changed value is there", lambda: have("two", 7), most=SECONDS)
    say(f"{NAMESPACES} namespaces: one changed value arrives {took:.1f} s after the webhook")
