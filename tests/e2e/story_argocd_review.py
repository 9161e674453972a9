"""With the real Argo CD: what a review predicts of a pull request happens to the Kubernetes Secrets, and nothing else.

Most of the pull requests are those of the month of `tests/review`; each begins where the one before has ended, and
what would break is taken back. So they run in their order, all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.argo_cd import ArgoCd
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import Say
from tests.e2e.git_host import GitHost
from tests.e2e.reviewed_fleet import CLUSTER, ReviewedFleet, happened
from tests.review.month import ALL, PullRequest
from tests.review.sample import CLUSTERS

_MONTH: Final = {request.name: request for request in ALL}
_GENERATE: Final = "arcan generate overlays"


def _of_month(name: str) -> PullRequest:
    """One of the month; its files of single keys are in the environment that is deployed."""
    request = _MONTH[name]
    number = list(_MONTH).index(name)  # its value is its own: one that is there already would be no change
    script = request.script.replace("staging", "prod").replace("printf changed", f"printf changed-{number}")
    return request._replace(script=script)


def _more(name: str, *lines: str) -> PullRequest:
    """One more, whose overlays are generated in the end, unless they have been."""
    return PullRequest(name, "\n".join(lines if _GENERATE in lines else [*lines, _GENERATE]))


def _declare(app: str, text: str) -> str:
    return f"printf '{text}' > kustomize/apps/{app}.yaml"


# each with what happens to the Secrets of the cluster that is real
REQUESTS: Final = (
    (_of_month("a value is changed"), "changed billing/billing, shop/shop"),
    (
        _more("an old document comes back", "git checkout -q first -- realms/production/prod.sops.yaml"),
        "changed billing/billing, shop/shop",
    ),
    (_of_month("a value is changed in two environments"), "changed web/web"),
    (
        _more(
            "a value is proposed by somebody who can read none",
            "printf proposed | env -u SOPS_AGE_KEY_FILE HOME=/nonexistent arcan secret set platform GRAFANA_TOKEN --env prod --stdin",
        ),
        "changed metrics/metrics",
    ),
    (_of_month("two branches change two realms, and merge"), "changed mailer/mailer, metrics/metrics"),
    (
        _more(
            "a key is added, and the app that reads it",
            *(f"printf new | arcan secret set production NEW_KEY --env {name} --stdin" for name in CLUSTERS),
            "sed -i 's/keys: .SEARCH_KEY./keys: [SEARCH_KEY, NEW_KEY]/' kustomize/apps/search.yaml",
            *(
                f"arcan account scope {name}/search/arcan-reader --realm production --add-key NEW_KEY"
                for name in CLUSTERS.values()
            ),
        ),
        "changed search/search",
    ),
    (_of_month("a key that no app uses is removed"), "nothing"),
    (_of_month("a key is removed in use"), "nothing"),
    (
        _more(
            "a key is renamed, with the app that reads it",
            *(f"arcan secret rename production SMTP_HOST MAIL_HOST --env {name} --yes" for name in CLUSTERS),
            "sed -i 's/SMTP_HOST/MAIL_HOST/' kustomize/apps/mailer.yaml",
            "arcan token scope mailer --realm production --add-key MAIL_HOST",
        ),
        "changed mailer/mailer",
    ),
    (
        _more(
            "an app gets another Secret",
            "printf '  - name: web-second\\n    keys: [JWT_KEY]\\n' >> kustomize/apps/web.yaml",
        ),
        "made web/web-second",
    ),
    (
        _more(
            "a Secret of an app goes",
            "sed -i '/name: web-second/,$d' kustomize/apps/web.yaml",
            "printf '  - name: web-second\\n    removed: 2026-11-28\\n' >> kustomize/apps/web.yaml",
        ),
        "gone web/web-second",
    ),
    (
        _more(
            "a Secret gets another name",
            "sed -i 's/  - name: billing/  - name: invoices/' kustomize/apps/billing.yaml",
            "printf '  - name: billing\\n    removed: 2026-11-28\\n' >> kustomize/apps/billing.yaml",
        ),
        "made billing/invoices; gone billing/billing",
    ),
    (
        _more(
            "an app is new, and gets every key",
            _declare(
                "reports",
                "name: reports\\nrealm: platform\\nnamespace: reports\\noverlays: [prod]\\nsecrets:\\n  - name: reports\\n    all: true\\n",
            ),
            "arcan token sync",
        ),
        "made reports/reports",
    ),
    (
        _more(
            "a key is added to those of which an app gets every one",
            "printf x | arcan secret set platform EXTRA_KEY --env prod --stdin",
        ),
        "changed reports/reports",
    ),
    (
        _more(
            "an overlay is new, for one app",
            "arcan overlay add blue --env prod --cluster eu",
            "sed -i 's/^namespace: web/namespace: {dev: web, staging: web, prod: web, dr: web, blue: web-blue}/; "
            "s/^overlays: .*/overlays: [dev, staging, prod, dr, blue]/' kustomize/apps/web.yaml",
            "arcan token sync",
        ),
        "made web-blue/web",
    ),
    (_of_month("an app is removed"), "gone search/search"),
    (_of_month("a token's scope is everything"), "nothing"),
    (_more("a data key is rotated", "arcan realm rotate production --env prod"), "nothing"),
    (_more("the files of keys are encrypted anew", "arcan realm rotate platform --env prod"), "nothing"),
    (_of_month("a recipient is added to all"), "nothing"),
    (_of_month("secrets are asked for less often"), "nothing"),
    (
        _more(
            "an app gets what the server has",
            "sed -i 's/^secrets:/consistency: latest\\n&/' kustomize/apps/gateway.yaml",
        ),
        "nothing",
    ),
    (
        _more(
            "a Secret is made by a template",
            "printf '    template: {data: {url: \"smtp://{{ .MAIL_HOST }}\"}, mergePolicy: Merge}\\n' >> kustomize/apps/mailer.yaml",
        ),
        "changed mailer/mailer",
    ),
    (
        _more(
            "a Secret gets a label of another program",
            "printf '    labels: {jenkins.io/credentials-type: secretText}\\n' >> kustomize/apps/mailer.yaml",
        ),
        "changed mailer/mailer",
    ),
    (
        _more(
            "a Secret gets another type",
            "sed -i 's/keys: .JWT_KEY./keys: [{key: JWT_KEY, as: password}]\\n    type: kubernetes.io\\/basic-auth/' kustomize/apps/web.yaml",
        ),
        "nothing",
    ),
    (
        _more(
            "a key goes that is read without a version, of a Secret that is deleted with it",
            "printf '    deletionPolicy: Delete\\n' >> kustomize/apps/gateway.yaml",
            _GENERATE,
            "arcan secret unset platform DNS_TOKEN --env prod --yes",
        ),
        "gone gateway/gateway",
    ),
    (_of_month("the overlays were forgotten"), "nothing"),
    (_of_month("a merge took our side's MAC"), "nothing"),
    (
        _more(
            "a document was copied from another environment",
            "cp realms/production/dr.sops.yaml realms/production/prod.sops.yaml",
        ),
        "nothing",
    ),
    (_of_month("a file is copied to another key"), "nothing"),
    (_of_month("a file is deleted"), "nothing"),
    (_of_month("an app names a key that is not there"), "nothing"),
)


@pytest.fixture(scope="module")
def fleet(
    folder: Path, cluster: Cluster, argo_cd: ArgoCd, git_host: GitHost, say: Say
) -> Iterator[ReviewedFleet]:
    place = folder / "reviewed"
    place.mkdir()
    started = time.monotonic()
    with ReviewedFleet(place, cluster, argo_cd, git_host) as fleet:
        say(f"{len(fleet.secrets())} Secrets of 7 apps: deployed, {time.monotonic() - started:.0f} s")
        yield fleet
    argo_cd.remove_all()
    argo_cd.remove_cluster(CLUSTER)


@pytest.mark.parametrize(("request_", "expected"), REQUESTS, ids=[request.name for request, _ in REQUESTS])
def test_what_a_review_predicts_happens(
    request_: PullRequest, expected: str, fleet: ReviewedFleet, say: Say
) -> None:
    """What only the key could tell does not happen here: none of them hides a new value in a rotation."""
    started = time.monotonic()
    predicted = fleet.propose(request_)
    before = fleet.secrets()
    fleet.merge()
    found = happened(before, fleet.secrets())
    say(f"{predicted.sentence}: {found}, {time.monotonic() - started:.0f} s")
    if predicted.fails:
        fleet.revert()
    assert str(predicted.happens) == expected
    assert found == predicted.happens
    assert not predicted.fails or fleet.secrets() == before
