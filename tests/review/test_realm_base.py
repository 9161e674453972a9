"""`arcan realm check --base`: what a branch breaks, and who gains, in the realms alone."""

from __future__ import annotations

from tests.review.sample import CANARY, Sample


def test_what_the_history_tells_of_a_document_fails_the_check(sample: Sample):
    sample.sh("sed -i '/^JWT_KEY:/d' realms/production/prod.sops.yaml")
    assert sample.run("realm", "check").exit_code == 0
    done = sample.run("realm", "check", "--base=main")
    assert done.exit_code == 1
    assert "broken: production/prod: its MAC was made for other values (JWT_KEY)" in done.stdout
    assert CANARY not in done.output


def test_gains_are_named_and_fail_nothing_and_apps_are_not_its_business(sample: Sample):
    sample.sh(
        "arcan token create --realm production --name ci --env prod\n"
        "sed -i 's/keys: .JWT_KEY./keys: [JWT_KEY, STRIPE_KEY]/' kustomize/apps/web.yaml"
    )
    done = sample.run("realm", "check", "--base=main")
    assert done.exit_code == 0
    assert "gain: realm production: token 'ci' is new" in done.stdout
    assert "app web" not in done.stdout
