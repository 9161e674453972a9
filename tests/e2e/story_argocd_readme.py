"""With the real Argo CD: the README's section on it, done as it stands."""

from __future__ import annotations

import os
import re
import subprocess

from arcan_gitops.yamlio import emit, read_documents
from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import ArgoTeam
from tests.e2e.conftest import NewArgoTeam, Say
from tests.e2e.programs import ROOT

README = (ROOT / "README.md").read_text()


def block(after: str, language: str) -> str:
    """The first block of code behind a text of the README."""
    found = re.search(rf"```{language}\n(.*?)```", README[README.index(after) :], re.DOTALL)
    assert found is not None
    return found[1]


def a_team(new_argo_team: NewArgoTeam, namespace: str) -> ArgoTeam:
    """One app; its namespace and its token Secret are in no cluster."""
    team = new_argo_team({"PASSWORD": "one"})
    team.add_app("shop", namespace, "PASSWORD")
    team.new_token("shop")
    return team


def test_the_walk_through_for_a_fleet(new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say) -> None:
    team = a_team(new_argo_team, "readme-fleet")
    team.give_values()
    started = team.now()
    for line in block("**Argo CD, for a fleet**", "sh").splitlines():
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=team.folder,
            env={**os.environ, **team.environment},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    took = team.seconds_until(
        started, "the Secret is right", lambda: team.has("readme-fleet", "shop", PASSWORD="one"), most=120
    )
    say(f"the README's commands for a fleet, from the first to the Secret: {took:.1f} s")
    name = team.name_of("readme-fleet")
    argo_cd.wait_for("its Application is well", lambda states: states.get(name) == ("Synced", "Healthy"))


def test_the_hand_written_application_deploys_a_whole_overlay(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, say: Say
) -> None:
    team = a_team(new_argo_team, "readme-whole")
    team.bootstrap()
    team.push()
    (application,) = read_documents(
        block("Argo CD deploys an overlay as it stands", "yaml").encode(), "README"
    )
    application["spec"]["source"]["repoURL"] = team.repository
    started = team.now()
    team.cluster.api.apply_printed(emit([application]))
    took = team.seconds_until(
        started, "the Secret is right", lambda: team.has("readme-whole", "shop", PASSWORD="one"), most=120
    )
    say(f"one hand-written Application for a whole overlay: the Secret is there after {took:.1f} s")
    argo_cd.wait_for(
        "it is well", lambda states: states.get(application["metadata"]["name"]) == ("Synced", "Healthy")
    )
