"""A month of a team: each pull request gets the findings that it must get, and none that is not true."""

from __future__ import annotations

import json

import pytest

from tests.review.month import ALL, PullRequest
from tests.review.sample import CANARY, Sample

# what people may do, and owners are asked about
_GAIN = "gain"


@pytest.mark.parametrize("request_", ALL, ids=lambda request: request.name)
def test_a_pull_request_gets_what_is_true_of_it(request_: PullRequest, sample: Sample) -> None:
    sample.sh(request_.script)
    printed = sample.arcan("review", "--format=json", "--fail-on=none")
    assert CANARY not in printed
    findings = json.loads(printed)["findings"]
    found = {finding["rule"] for finding in findings}
    assert set(request_.must) <= found
    assert not set(request_.must_not) & found
    if any(finding["rule"] == "ARR213" and ".sops.yaml" in finding["message"] for finding in findings):
        # the rule is one that its owners have not agreed to: no command may open documents by it
        assert not any("updatekeys" in finding["next"] for finding in findings)
    if request_.good:
        untrue = [f for f in findings if f["kind"] != "note" and f["rule"] not in request_.must]
        assert untrue == []
    else:
        assert any(finding["kind"] in ("broken", _GAIN) for finding in findings)


def test_the_month_is_one():
    assert len(ALL) >= 60
    assert len({request.name for request in ALL}) == len(ALL)
