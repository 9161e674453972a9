"""On a cluster where all is well the doctor names nothing."""

from __future__ import annotations

import pytest

from arcan_gitops.doctor.reports import as_text
from tests.doctor.scene import PLACE, Scene


@pytest.mark.parametrize("wanted", [PLACE, None])
@pytest.mark.parametrize("network", [True, False])
def test_nothing_is_named(wanted: tuple[str, str] | None, network: bool) -> None:
    report = Scene().report(wanted, network=network)
    assert (report.findings, report.not_done, report.status) == ((), (), 0)
    assert as_text(report) == "nothing is wrong with 1 ExternalSecret\n"


def test_no_command_changes_anything() -> None:
    scene = Scene()
    scene.report()
    assert {call[0] for call in scene.calls} == {"get", "create", "logs"}
    created = {one["kind"] for call, data in scene.given if call[0] == "create" for one in data}
    assert created == {"LocalSubjectAccessReview"}  # which is answered, and not stored


def test_values_of_secrets_that_eso_makes_are_never_asked_for() -> None:
    scene = Scene()
    scene.report()
    asked = [
        call for call, data in scene.given if any(one["metadata"].get("name") == "shop-env" for one in data)
    ]
    assert asked
    assert all(any(word.startswith("go-template=") for word in call) for call in asked)
