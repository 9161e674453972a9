"""What an overlay needs, from its apps and settings: each thing once, where it is read, and nothing else."""

from __future__ import annotations

import pytest
import yaml

from arcan_gitops.bootstrap import Requirements, requirements
from arcan_gitops.bootstrap.objects import Secret
from arcan_gitops.deploy import base_tree, component_tree, read_servers
from arcan_gitops.deploy.names import (
    CA_KEY,
    CA_MAP,
    IDENTITY_KEY,
    IDENTITY_SECRET,
    TLS_CERT,
    TLS_KEY,
    TLS_SECRET,
    server_hosts,
)
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.overlay import App, Catalogue, Settings, TokenScope
from arcan_gitops.overlay.ca import EmbeddedCa
from arcan_gitops.overlay.server_url import ServerUrl
from tests.bootstrap.conftest import APPS, SETTINGS
from tests.overlay.samples import contents

CATALOGUE = Catalogue(
    {(RealmName("production"), EnvironmentName("prod")): contents("URL")},
    {RealmName("production"): {"shop": TokenScope()}},
)


def no_file(path: str) -> EmbeddedCa:
    raise AssertionError(f"no CA is a file here: {path}")


def needed(overlay: str = "prod", *, settings: str = SETTINGS, **apps: str) -> Requirements:
    parsed = Settings.parse(settings.encode(), "arcan.yaml", no_file)
    [chosen] = [each for each in parsed.declared if each.name == overlay]
    declared = [App.parse(text.encode(), f"{name}.yaml") for name, text in (apps or APPS).items()]
    servers = read_servers(settings.encode(), "arcan.yaml", [chosen])
    return requirements(declared, chosen, CATALOGUE, servers[0] if servers else None)


def secrets(found: Requirements) -> dict[str, Secret]:
    return {f"{secret.namespace}/{secret.name}": secret for secret in found.secrets}


def test_each_place_of_a_token_is_a_secret_and_the_token_is_one_value() -> None:
    found = secrets(needed())
    values = [found[f"{namespace}/arcan-credentials"].values for namespace in ("shop", "web")]
    assert values[0] == values[1]
    [value] = values[0].values()
    assert (value.recorded, value.file) == (True, "tokens/production/shop")
    [new] = found["mailer/arcan-credentials"].values.values()
    assert not new.recorded


def test_a_secret_that_holds_two_keys_of_a_store_is_one_secret() -> None:
    found = secrets(needed())["external-secrets/infisical-machine-identity"]
    assert list(found.values) == ["clientId", "clientSecret"]
    assert (found.labelled, found.of) == (False, "store infisical")


def copied_ca(found: Requirements) -> bool:
    """Whether a CA is a copy of the server's own."""
    return any(authority.value is None for authority in found.authorities)


def test_what_a_webhook_reads_has_the_label() -> None:
    labelled = {place for place, secret in secrets(needed()).items() if secret.labelled}
    assert labelled == {
        *(f"{namespace}/arcan-credentials" for namespace in ("shop", "web", "mailer")),
        "old/legacy-auth",
    }


def test_an_overlay_without_a_server_needs_no_identity_and_no_certificate() -> None:
    found = needed("away")
    assert not [place for place in secrets(found) if place.startswith("arcan/")]
    assert found.certificate_hosts is None
    assert copied_ca(found) is False


def test_the_namespaces_are_those_of_the_objects_and_those_of_the_apps() -> None:
    """The first sync of an overlay makes no namespace for what is in it."""
    apps = {"shop", "web", "mailer", "vaulted", "homelab", "old", "cloud"}
    assert set(needed().namespaces) == {*apps, "arcan", "external-secrets"}
    assert list(needed().namespaces) == sorted(needed().namespaces)


@pytest.mark.parametrize(
    ("place", "made"),
    [
        ("namespaces: [a, b]", {"a", "b"}),
        ("namespaces: {matchLabels: {team: x}}", set()),
        ("namespace: {prod: here, away: there}", {"here"}),
        ("namespace: a\noverlays: [away]", set()),
    ],
)
def test_of_an_app_the_namespaces_that_are_known_by_name_are_made(place: str, made: set[str]) -> None:
    app = APPS["homelab"].replace("namespace: homelab", place)
    found = needed(shop=APPS["shop"], homelab=app)
    assert found.app_namespaces == {"shop", *made}


def test_only_apps_of_the_overlay_count() -> None:
    only = APPS["shop"] + "overlays: [away]\n"
    assert "shop/arcan-credentials" not in secrets(needed("prod", shop=only))
    assert "shop/arcan-credentials" in secrets(needed("away", shop=only))


@pytest.mark.parametrize(
    ("components", "given", "copied"),
    [("[own-ca]", False, True), ("[cert-manager]", False, True), ("[monitoring]", True, False)],
)
def test_who_makes_the_certificate_decides_what_is_asked_for(
    components: str, given: bool, copied: bool
) -> None:
    found = needed(settings=SETTINGS.replace("[own-ca]", components))
    assert ("arcan/arcan-tls" in secrets(found)) is given
    assert copied_ca(found) is copied
    assert (found.certificate_hosts is not None) is (components == "[own-ca]")


def test_a_certificate_names_the_service_and_what_stores_call() -> None:
    assert needed().certificate_hosts == (
        "arcan.arcan.svc",
        "arcan.arcan.svc.cluster.local",
        "arcan.example.org",
    )
    assert server_hosts(ServerUrl.parse("https://[::1]:9797"))[-1] == "::1"


def test_a_service_account_is_a_note() -> None:
    assert [note for note in needed().notes if "ServiceAccount aws-reader" in note] == list(needed().notes)


def test_a_secret_whose_keys_only_a_template_knows_is_a_note() -> None:
    settings = SETTINGS.replace("{name: legacy-auth, key: token}", "{name: legacy-auth}")
    found = needed(settings=settings)
    assert "old/legacy-auth" not in secrets(found)
    assert any("Secret legacy-auth, label" in note for note in found.notes)


def test_a_note_stays_in_its_line() -> None:
    vault = 'auth: {kubernetes: {role: "a\\ntouch pwned", serviceAccountRef: {name: reader}}}'
    settings = SETTINGS.replace("auth: {tokenSecretRef: {name: vault-token, key: token}}", vault)
    assert not [note for note in needed(settings=settings).notes if "\n" in note]


def test_a_key_that_does_not_exist_is_an_error_and_a_token_that_does_not_is_none() -> None:
    with pytest.raises(ArcanError, match="URI"):
        needed(shop=APPS["shop"].replace("keys: [URL]", "keys: [URI]"))
    assert needed(mailer=APPS["mailer"])


def test_the_names_are_those_of_the_base_and_of_the_component() -> None:
    deployment = yaml.safe_load(base_tree()["arcan/deployment.yaml"])
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes["identity"]["secret"]["secretName"] == IDENTITY_SECRET
    assert volumes["tls"]["secret"]["secretName"] == TLS_SECRET
    arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    assert f"--identity-file=/etc/arcan/identity/{IDENTITY_KEY}" in arguments
    patch = yaml.safe_load(component_tree()["own-ca/tls-volume.yaml"])
    [volume] = patch["spec"]["template"]["spec"]["volumes"]
    secret, config_map = volume["projected"]["sources"]
    assert (secret["secret"]["name"], config_map["configMap"]["name"]) == (TLS_SECRET, CA_MAP)
    assert [item["key"] for item in secret["secret"]["items"]] == [TLS_CERT, TLS_KEY]
    assert [item["key"] for item in config_map["configMap"]["items"]] == [CA_KEY]
