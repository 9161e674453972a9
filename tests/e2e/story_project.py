"""What this repository ships: its sample overlays work as they are, and stay as they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.kept_crds import install_missing_crds
from tests.e2e.project_copy import TOKENS, ProjectCopy


def test_the_sample_overlays_make_every_secret_that_they_declare(
    folder: Path, cluster: Cluster, request: pytest.FixtureRequest
) -> None:
    """One after the other, prod and then staging, over the same objects."""
    namespaces = [token.namespace for token in TOKENS]
    for namespace in namespaces:
        cluster.make_namespace(namespace)
    place = folder / "project"
    place.mkdir()
    with ProjectCopy(place, cluster.api) as project:
        for overlay in project.overlays:
            install_missing_crds(cluster.api, folder, overlay)
            cluster.api.apply_from_git(overlay)
            request.addfinalizer(partial(cluster.api.delete, overlay))
            seen = cluster.sync(*namespaces)
            assert {one.reason for one in seen.values()} == {"SecretSynced"}
            expected = {token.namespace: project.values(token.realm, overlay.name) for token in TOKENS}
            for (namespace, name), one in seen.items():
                assert one.data, f"{namespace}/{name} is empty"
                texts = {value for value in expected[namespace].values() if isinstance(value, str)}
                wrong = [key for key, text in one.texts.items() if text not in texts and not _is_made(text)]
                assert not wrong, f"{namespace}/{name}: {wrong}"
            everything = {key: text for key, text in expected["shop"].items() if isinstance(text, str)}
            bulk = seen["shop", "shop-everything"].texts
            assert {key: bulk[key] for key in everything} == everything
            cluster.api.assert_nothing_differs(overlay)


def _is_made(text: str) -> bool:
    """Whether the server has made this text of a number, a flag or a structure."""
    return text[:1] in "{[0123456789-" or text in ("true", "false")
