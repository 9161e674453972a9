"""Entries that write into a Secret that somebody else made: what they bring there, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.overlay import App, Settings, build_overlays
from arcan_gitops.yamlio import read_documents
from tests.overlay.samples import SAMPLES


def app(name: str, *secrets: str) -> App:
    items = "".join(f"- {{{secret}}}\n" for secret in secrets)
    text = f"name: {name}\nrealm: production\ntoken: shop\nnamespace: shop\nlabels: {{team: a}}\nsecrets:\n{items}"
    return App.parse(text.encode(), f"apps/{name}.yaml")


def build(*apps: App) -> dict[str, str]:
    settings = Settings.parse(b"overlays: {prod: {environment: prod}}\n", "arcan.yaml", pytest.fail)
    return dict(build_overlays(apps, settings, SAMPLES))


def refused(*apps: App) -> list[str]:
    with pytest.raises(SeveralErrors) as error:
        build(*apps)
    return [problem.message for problem in error.value.problems]


def target(secret: str) -> Any:
    tree = build(app("one", secret))
    (document,) = read_documents(tree["prod/shop/apps/one.yaml"].encode(), "x")
    return document["spec"]["target"]


MERGE = "name: shared, keys: [DATABASE_URL], creationPolicy: Merge"
OTHER = "name: shared, externalSecret: two, keys: [REDIS_URL], creationPolicy: Merge"


def test_a_merge_has_a_template_that_keeps_eso_from_copying_labels() -> None:
    template = target(MERGE)["template"]
    assert template == {
        "engineVersion": "v2",
        "mergePolicy": "Replace",
        "metadata": {"labels": {"team": "a"}, "annotations": {}},
    }


@pytest.mark.parametrize("creation", ["Merge", "CreateOrMerge"])
def test_our_own_labels_are_on_no_secret_of_somebody_else(creation: str) -> None:
    made = target(
        f"name: s, keys: [DATABASE_URL], creationPolicy: {creation}, template: {{labels: {{x: y}}}}"
    )
    assert made["template"]["metadata"] == {"labels": {"team": "a", "x": "y"}, "annotations": {}}


def test_an_owned_secret_needs_no_template() -> None:
    assert "template" not in target("name: s, keys: [DATABASE_URL]")


@pytest.mark.parametrize("apart", [True, False])
def test_two_merges_write_into_one_secret(apart: bool) -> None:
    apps = [app("one", MERGE), app("two", OTHER)] if apart else [app("one", MERGE, OTHER)]
    assert build(*apps)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ("name: shared, externalSecret: two, keys: [REDIS_URL]", "is taken: declared at apps/one.yaml:7"),
        (
            "name: shared, externalSecret: two, keys: [REDIS_URL], creationPolicy: Orphan",
            "is taken: declared at apps/one.yaml:7",
        ),
        (
            "name: shared, externalSecret: two, keys: [{key: REDIS_URL, as: DATABASE_URL}], creationPolicy: Merge",
            "key 'DATABASE_URL' of Secret 'shared' is written at apps/one.yaml:7 too",
        ),
        (
            "name: shared, externalSecret: two, keys: [REDIS_URL], creationPolicy: Merge,"
            " template: {data: {DATABASE_URL: x}}",
            "key 'DATABASE_URL' of Secret 'shared' is written at apps/one.yaml:7 too",
        ),
        ("name: shared, keys: [REDIS_URL], creationPolicy: Merge", "there are two ExternalSecrets 'shared'"),
        (
            "name: arcan-credentials, keys: [REDIS_URL], creationPolicy: Merge",
            "it holds the store's own token",
        ),
    ],
)
def test_what_would_fight_over_a_secret_is_refused(other: str, problem: str) -> None:
    (found,) = refused(app("one", MERGE), app("two", other))
    assert found.startswith("apps/two.yaml:7: ")
    assert problem in found
