"""ExternalSecrets that become apps: as a whole, by the parser that reads them, or not at all and told why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.adopt import AdoptedApp, Imported, ImportedKey, declare_apps, declared_by_references
from arcan_gitops.names import KeyName, OverlayName, RealmName
from arcan_gitops.overlay import App

IMPORTED = Imported(
    [
        ImportedKey("db", "user", KeyName("db.user")),
        ImportedKey("db", "password", KeyName("db.password")),
        ImportedKey("blob", None, KeyName("blob"), base64=True),
    ],
    lambda key, property: (key, property),
)
DATA = [{"secretKey": "password", "remoteRef": {"key": "db", "property": "password"}}]


def external_secret(name: str = "shop", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec or {"data": DATA},
    }  # fmt: skip


def declare(*manifests: dict[str, Any]) -> tuple[list[App], list[str]]:
    apps, left = declare_apps(manifests, declared_by_references, IMPORTED, realm=RealmName("production"))
    return [App.parse(one.text.encode(), f"{one.name}.yaml") for one in apps], [str(one) for one in left]


def test_each_reference_becomes_the_key_that_the_value_has() -> None:
    (app,), left = declare(
        external_secret(
            data=[*DATA, {"secretKey": "x", "remoteRef": {"key": "blob", "decodingStrategy": "None"}}],
            dataFrom=[{"extract": {"key": "db"}}],
            refreshInterval="15m",
            target={"name": "backend", "deletionPolicy": "Delete", "immutable": True, "template": {
                "type": "kubernetes.io/basic-auth", "metadata": {"labels": {"a": "b"}},
                "data": {"username": "{{ .user }}", "password": "{{ .password }}"}, "mergePolicy": "Merge"}},
        )
    )  # fmt: skip
    assert left == []
    (secret,) = app.secrets
    assert (app.name, str(app.place), secret.name) == ("shop", "shop", "backend")
    assert secret.external == "shop"  # another one could not take over the Secret that it owns
    assert [(key.key, name, key.decode) for name, key in (secret.keys or {}).items()] == [
        ("db.user", "user", "None"), ("db.password", "password", "None"), ("blob", "x", "Base64"),
    ]  # fmt: skip
    assert (secret.deletion, secret.immutable, secret.type and secret.type.name) == (
        "Delete", True, "kubernetes.io/basic-auth",
    )  # fmt: skip
    assert (secret.template.data["username"], secret.template.merge) == ("{{ .user }}", True)


def test_labels_and_annotations_are_taken_over_but_for_those_of_tools() -> None:
    """ESO hands them on to the Secret, and a reloader may look for one."""
    manifest = external_secret()
    manifest["metadata"]["labels"] = {"team": "shop", "app.kubernetes.io/managed-by": "Helm"}
    manifest["metadata"]["annotations"] = {
        "reloader.stakater.com/match": "true", "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }  # fmt: skip
    (app,), left = declare(manifest)
    assert left == []
    assert dict(app.secrets[0].labels) == {"team": "shop"}
    assert dict(app.secrets[0].annotations) == {"reloader.stakater.com/match": "true"}


def test_an_app_is_a_namespace_with_its_secrets_by_name() -> None:
    other = external_secret("zzz")
    other["metadata"]["namespace"] = "mail"
    apps, left = declare(
        external_secret("b"), other, external_secret("a"), {"kind": "ConfigMap", "apiVersion": "v1"}
    )
    assert [(app.name, [one.name for one in app.secrets]) for app in apps] == [
        ("mail", ["zzz"]),
        ("shop", ["a", "b"]),
    ]
    assert left == []


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"dataFrom": [{"find": {"name": {"regexp": ".*"}}}]}, "dataFrom has 'find'"),
        ({"dataFrom": [{"extract": {"key": "db"}, "rewrite": [{}]}]}, "dataFrom has 'rewrite'"),
        ({"dataFrom": [{"extract": {"key": "nope"}}]}, "dataFrom.extract reads nope"),
        (
            {"data": [{"secretKey": "a", "remoteRef": {"key": "nope"}}]},
            "entry 'a' reads nope, which this run did not",
        ),
        ({"data": [{"secretKey": "a", "remoteRef": {"key": "db"}}]}, "which is several keys now"),
        ({"data": [{"secretKey": "a", "remoteRef": {"key": "blob", "version": "7"}}]}, "asks for version 7"),
        ({"data": [{"secretKey": "a", "remoteRef": {"key": "blob"}, "sourceRef": {}}]}, "a store of its own"),
        ({"data": DATA, "target": {"template": {"templateFrom": []}}}, "its template has 'templateFrom'"),
        ({"data": DATA, "target": {"template": {"engineVersion": "v1"}}}, "engine version v1"),
        ({"data": DATA, "target": {"template": {"type": "strange"}}}, "strange"),
        ({"data": DATA, "target": {"name": "Not_A_Name"}}, "not a valid Kubernetes object name"),
        ({"data": [], "target": {}}, "it reads nothing"),
        ({"data": "x", "dataFrom": 3, "target": []}, "it reads nothing"),
    ],
)
def test_what_cannot_be_declared_as_a_whole_is_not_declared(spec: dict[str, Any], why: str) -> None:
    apps, (line,) = declare(external_secret(**spec))
    assert apps == []
    assert line.startswith("failed    ExternalSecret shop/shop (")
    assert why in line


def test_other_kinds_of_eso_are_told_of() -> None:
    _, left = declare(
        {"apiVersion": "external-secrets.io/v1", "kind": "ClusterExternalSecret", "metadata": {"name": "x"}},
        {"apiVersion": "external-secrets.io/v1alpha1", "kind": "PushSecret", "metadata": {"name": "y"}},
    )
    assert [line.split(" (")[0] for line in left] == [
        "failed    ClusterExternalSecret x", "failed    PushSecret y",
    ]  # fmt: skip


def test_an_app_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (app,), _ = declare_apps(
        [external_secret()], declared_by_references, IMPORTED, realm=RealmName("production")
    )
    assert app.planned(tmp_path / "apps").status == "declared"
    assert not (tmp_path / "apps").exists()
    assert app.write(tmp_path / "apps").status == "declared"
    assert app.write(tmp_path / "apps").status == "unchanged"
    path = tmp_path / "apps" / "shop.yaml"
    path.write_text("name: shop\n")
    assert app.write(tmp_path / "apps").status == "failed"
    assert path.read_text() == "name: shop\n"


def test_an_app_goes_to_the_overlays_of_its_environment_and_the_next_import_says_which_to_add(
    tmp_path: Path,
) -> None:
    def adopted(*overlays: str) -> AdoptedApp:
        (app,), _ = declare_apps(
            [external_secret()], declared_by_references, IMPORTED, realm=RealmName("production"),
            overlays=tuple(map(OverlayName, overlays)) or None,
        )  # fmt: skip
        return app

    assert adopted("berlin", "tokyo").write(tmp_path).status == "declared"
    path = tmp_path / "shop.yaml"
    assert App.parse(path.read_bytes(), str(path)).overlays == ("berlin", "tokyo")
    assert adopted("tokyo").write(tmp_path).status == "unchanged"
    assert str(adopted("tokyo", "test").write(tmp_path)).endswith(
        "shop.yaml (is there already: add to its 'overlays': test)"
    )
    assert adopted().write(tmp_path).status == "failed"  # it is to go to all, and goes to two
    path.write_text(adopted().text)
    assert adopted("tokyo").write(tmp_path).status == "unchanged"
