"""`arcan generate overlays` with a declared server: from realm files to what Argo CD would apply."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.cli.generate_server import plan_servers
from arcan_gitops.deploy import RealmFolder, component_names, realm_tree
from arcan_gitops.deploy.realms import CONFIG_MAP_BYTES
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.overlay import compare, read_settings
from arcan_gitops.yamlio import emit
from tests.deploy.repository import IMAGE, Manifest, Repository, names, one, validated
from tests.support.signing_cluster import SigningCluster


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("servers"))


@pytest.fixture
def repository(untouched: Repository, tmp_path: Path) -> Repository:
    """A copy, without what an earlier test generated."""
    copy = Repository.__new__(Repository)
    copy.__dict__ |= untouched.__dict__
    copy.folder, copy.kustomize = tmp_path, tmp_path / "kustomize"
    shutil.copytree(untouched.folder, tmp_path, dirs_exist_ok=True)
    copy.files = type(untouched.files).__new__(type(untouched.files))
    copy.files.__dict__ |= untouched.files.__dict__
    copy.files.root = tmp_path / "realms"
    return copy


def realm_maps(objects: list[Manifest]) -> dict[str, str]:
    """Name without the hash -> name."""
    found = [name for name in names(objects, "ConfigMap") if name.startswith("realm.")]
    return {name.rpartition("-")[0]: name for name in found}


def mounted(objects: list[Manifest]) -> dict[str, str]:
    """Path below the realms -> the ConfigMap that it comes from."""
    volumes = one(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
    (realms,) = (volume for volume in volumes if volume["name"] == "realms")
    return {
        item["path"]: source["configMap"]["name"]
        for source in realms["projected"]["sources"]
        for item in source["configMap"]["items"]
    }


def test_the_realms_of_the_overlays_environment_reach_the_pods_and_no_others(repository: Repository) -> None:
    objects = repository.generated()
    validated(objects)
    maps = realm_maps(objects)
    assert list(maps) == ["realm.platform.prod", "realm.production", "realm.production.prod"]
    assert mounted(objects) == {
        "platform/prod.sops.yaml": maps["realm.platform.prod"],
        "production/prod.sops.yaml": maps["realm.production.prod"],
        "production/tokens.yaml": maps["realm.production"],
    }


def test_a_config_map_holds_its_file_byte_for_byte_and_cannot_be_changed(repository: Repository) -> None:
    objects = repository.generated()
    maps = realm_maps(objects)
    document = one(objects, "ConfigMap", maps["realm.production.prod"])
    text = repository.files.path("production", "prod").read_text()
    assert document["data"] == {"prod.sops.yaml": text}
    assert document["immutable"] is True
    assert document["metadata"]["namespace"] == "arcan"
    kept = {name.partition("/")[2]: text for name, text in document["metadata"]["annotations"].items()}
    assert kept == {"compare-options": "IgnoreExtraneous", "sync-options": "Prune=false"}


def test_a_changed_document_is_a_rollout_and_an_unselected_one_is_none(repository: Repository) -> None:
    before = repository.generated()
    repository.files.write("production", "staging", "PASSWORD: another\n")
    assert repository.build() == before
    repository.files.write("production", "prod", "PASSWORD: another\n")
    after = repository.build()
    changed = {path for path, name in mounted(after).items() if mounted(before)[path] != name}
    assert changed == {"production/prod.sops.yaml"}
    assert realm_maps(after)["realm.production.prod"] in mounted(after).values()


def test_a_revoked_token_is_a_rollout_too(repository: Repository) -> None:
    before = repository.generated()
    (repository.files.root / "production" / "tokens.yaml").write_text("version: 1\ntokens: []\n")
    changed = {path for path, name in mounted(repository.build()).items() if mounted(before)[path] != name}
    assert changed == {"production/tokens.yaml"}


def test_what_stands_beside_the_documents_goes_along(repository: Repository) -> None:
    (repository.files.root / "platform" / "realm.yaml").write_text("allowEmpty: [NOTHING]\n")
    objects = repository.generated()
    assert mounted(objects)["platform/realm.yaml"] == realm_maps(objects)["realm.platform"]


def test_a_selection_is_that_of_the_server(repository: Repository) -> None:
    objects = repository.generated({"select": ["production", "plat*/staging"]})
    assert sorted(mounted(objects)) == [
        "platform/staging.sops.yaml",
        "production/prod.sops.yaml",
        "production/staging.sops.yaml",
        "production/tokens.yaml",
    ]


def test_a_realm_that_nothing_is_selected_of_is_no_base(repository: Repository) -> None:
    objects = repository.generated({"select": ["production/prod"]})
    assert list(realm_maps(objects)) == ["realm.production", "realm.production.prod"]
    assert not (repository.files.root / "platform" / "kustomization.yaml").exists()


def test_a_selection_of_nothing_is_an_error_with_the_nearest(repository: Repository) -> None:
    repository.declare({"select": ["produktion/prod"]})
    done = repository.generate()
    assert done.returncode == 1
    assert "kustomize/arcan.yaml:3: server.deploy.select: --select 'produktion/prod': selects nothing" in (
        done.stderr
    )
    assert "did you mean 'production/prod'?" in done.stderr
    assert not (repository.kustomize / "servers").exists()


def test_no_app_has_secrets_in_the_namespace_of_the_server(repository: Repository) -> None:
    """Its age identity is there, and an ExternalSecret could take its place, or read it for a team."""
    app = repository.kustomize / "apps" / "shop.yaml"
    app.write_text(app.read_text().replace("namespace: shop", "namespace: arcan"))
    repository.declare()
    done = repository.generate()
    assert done.returncode == 1
    assert "apps/shop.yaml:3: namespace 'arcan' is the server's own in overlay 'prod'" in done.stderr


def test_a_server_without_what_an_app_reads_is_an_error(repository: Repository) -> None:
    """Else it answers that app 400 for ever."""
    repository.declare({"select": ["platform/prod"]})
    done = repository.generate()
    assert done.returncode == 1
    assert "apps/shop.yaml:2: the server of overlay 'prod' does not select production/prod" in done.stderr
    assert "add it to 'server.deploy.select'" in done.stderr
    assert not (repository.kustomize / "overlays").exists()


def test_a_server_that_the_stores_do_not_ask_may_select_anything(repository: Repository) -> None:
    repository.declare(
        {"select": ["platform/prod"]},
        server={"url": "https://arcan.internal:9797", "deploy": {"image": IMAGE}},
    )
    assert repository.generate().returncode == 0


@pytest.mark.parametrize(
    ("server", "others", "warning"),
    [
        ({"deploy": {"image": IMAGE}}, {}, "overlay 'prod' has a server, and its stores ask https://arcan.internal:9797: "
         "set server.url to https://arcan.arcan.svc:9797 unless that name leads there"),
        ({"url": "https://arcan.example.com:443", "deploy": {"image": IMAGE}}, {}, None),
        ({}, {}, None),
        ({"url": "https://arcan.arcan.svc:9797"}, {}, "arcan.yaml:2: the stores of overlay 'prod' ask "
         "https://arcan.arcan.svc:9797, and no overlay of its cluster has a server: add 'server.deploy'"),
        ({"url": "https://arcan.arcan.svc:9797"}, {"cluster": "tokyo"}, "no overlay of its cluster has a server"),
        ({"url": "https://arcan.arcan.svc:9797"}, {"cluster": "in-cluster"}, None),
    ],
)  # fmt: skip
def test_stores_that_ask_where_no_server_is_are_warned_of(
    server: dict[str, Any], others: dict[str, Any], warning: str | None, repository: Repository
) -> None:
    """`others` is in the second overlay, which always has a server."""
    beside = {
        "environment": "staging",
        "server": {"url": "https://arcan.arcan.svc:9797", "deploy": {"image": IMAGE}},
    }
    overlays = {"prod": {"environment": "prod", "server": server}}
    if others:
        overlays["staging"] = {**beside, **others}
    (repository.kustomize / "arcan.yaml").write_text(emit([{"overlays": overlays}]).removeprefix("---\n"))
    done = repository.generate()
    assert done.returncode == 0, done.stderr
    assert ("has a server" in done.stderr) == (warning is not None), done.stderr
    assert warning is None or warning in done.stderr


WEBHOOK = {"url": "https://vault.internal:8200/{{ .remoteRef.key }}", "ca": {"configMap": "ca"}}


@pytest.mark.parametrize(
    ("store", "policies", "warning"),
    [
        ({}, {}, "add 'vault.internal:8200' to 'server.deploy.policies.allowedHosts'"),
        ({"ca": {"public": True}}, {}, "it names no CA; exempt it in 'server.deploy.policies.exemptStores': shop/other"),
        ({"url": "http://vault.internal:80/{{ .remoteRef.key }}"}, {}, "it is not https; exempt it in"),
        ({}, {"allowedHosts": ["vault.internal:8200"]}, None),
        ({"ca": {"public": True}}, {"exemptStores": ["shop/other"]}, None),
    ],
)  # fmt: skip
def test_a_store_that_the_servers_own_policies_would_refuse_is_warned_of(
    store: dict[str, Any], policies: dict[str, Any], warning: str | None, repository: Repository
) -> None:
    app = repository.kustomize / "apps" / "shop.yaml"
    app.write_text(app.read_text().replace("realm: production", "store: other").replace("token: shop\n", ""))
    deploy = {"components": ["policies/gatekeeper"], "policies": policies}
    repository.declare(deploy, stores={"webhook": {"other": {**WEBHOOK, **store}}})
    done = repository.generate()
    assert done.returncode == 0, done.stderr
    refused = "store 'shop/other' is refused by the policies of overlay 'prod'"
    assert (warning is not None) == (refused in done.stderr)
    assert warning is None or warning in done.stderr


def test_cluster_wide_stores_trust_the_ca_that_cert_manager_keeps(repository: Repository) -> None:
    server = {
        "url": "https://arcan.arcan.svc:9797",
        "ca": {"secret": "arcan-tls", "namespace": "arcan"},
        "deploy": {"image": IMAGE, "components": ["cert-manager"]},
    }
    objects = repository.generated(server=server, stores={"scope": "cluster"})
    validated(objects)
    provider = one(objects, "ClusterSecretStore")["spec"]["provider"]["webhook"]["caProvider"]
    assert provider == {"type": "Secret", "name": "arcan-tls", "key": "ca.crt", "namespace": "arcan"}
    stores = (repository.kustomize / "overlays/prod/_platform/cluster-stores.yaml").read_text()
    assert "# Needs in namespace arcan: Secret arcan-tls, key ca.crt: the CA" in stores


def test_the_server_is_part_of_the_overlay_that_argo_cd_deploys(repository: Repository) -> None:
    objects = repository.generated()
    assert {"ConfigMap", "Deployment", "SecretStore", "ExternalSecret"} <= {one["kind"] for one in objects}
    text = (repository.kustomize / "overlays/prod/_platform/kustomization.yaml").read_text()
    assert "- ../../../servers/prod\n" in text


def test_image_replicas_and_the_namespace_of_eso_are_those_of_the_settings(repository: Repository) -> None:
    digest = "sha256:" + "0" * 64
    objects = repository.generated(
        {"image": f"{IMAGE}@{digest}", "replicas": {"min": 3, "max": 9}}, stores={"esoNamespace": "eso"}
    )
    (container,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{IMAGE}@{digest}"
    scaler = one(objects, "HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 9)
    (rule,) = one(objects, "NetworkPolicy")["spec"]["ingress"]
    assert rule["from"][0] == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "eso"}}}


@pytest.mark.parametrize(
    ("url", "names_added", "addresses"),
    [
        ("https://arcan.arcan.svc:9797", [], None),
        ("https://secrets.example.com:443", ["secrets.example.com"], None),
        ("https://10.1.2.3:9797", [], ["10.1.2.3"]),
    ],
)
def test_certificate_and_policies_follow_the_url_of_the_stores(
    url: str, names_added: list[str], addresses: list[str] | None, repository: Repository
) -> None:
    components = [name for name in component_names() if name.startswith(("cert-manager", "policies/"))]
    deploy = {"image": IMAGE, "components": components}
    objects = repository.generated(server={"url": url, "deploy": deploy})
    validated(objects)
    certificate = one(objects, "Certificate")["spec"]
    assert certificate["dnsNames"] == ["arcan.arcan.svc", "arcan.arcan.svc.cluster.local", *names_added]
    assert certificate.get("ipAddresses") == addresses
    host = url.removeprefix("https://")
    assert one(objects, "ArcanStores", "arcan-stores")["spec"]["parameters"]["allowedHosts"] == [host]
    for kind in ("ValidatingPolicy", "ValidatingAdmissionPolicy"):
        variables = one(objects, kind, "arcan-stores")["spec"]["variables"]
        assert variables[0] == {"name": "allowedHosts", "expression": f"['{host}']"}


def test_the_policies_let_in_what_the_settings_except(repository: Repository) -> None:
    components = [name for name in component_names() if name.startswith("policies/")]
    excepted = {"allowedHosts": ["vault.internal:8200"], "exemptStores": ["shop/legacy", "wide"]}
    objects = repository.generated({"image": IMAGE, "components": components, "policies": excepted})
    validated(objects)
    host = "arcan.arcan.svc:9797"
    assert one(objects, "ArcanStores", "arcan-stores")["spec"]["parameters"] == {
        "allowedHosts": [host, "vault.internal:8200"],
        "exemptStores": ["shop/legacy", "wide"],
    }
    for kind in ("ValidatingPolicy", "ValidatingAdmissionPolicy"):
        variables = one(objects, kind, "arcan-stores")["spec"]["variables"]
        assert variables[:2] == [
            {"name": "allowedHosts", "expression": f"['{host}', 'vault.internal:8200']"},
            {"name": "exemptStores", "expression": "['shop/legacy', 'wide']"},
        ]


def test_the_kustomization_says_what_has_to_be_made_by_hand(repository: Repository) -> None:
    repository.generated({"components": ["own-ca"]})
    text = (repository.kustomize / "servers/prod/kustomization.yaml").read_text()
    for name in ("Secret arcan-age-identity", "Secret arcan-tls", "ConfigMap arcan-ca"):
        assert f"# Needs in namespace arcan: {name}, key" in text
    assert "its certificate, for arcan.arcan.svc, arcan.arcan.svc.cluster.local" in text


def test_drift_is_found_in_every_folder_and_mended(repository: Repository) -> None:
    repository.generated()
    assert repository.generate("--check").returncode == 0
    files = [
        repository.folder / path
        for path in (
            "realms/production/kustomization.yaml",
            "kustomize/base/arcan/deployment.yaml",
            "kustomize/components/own-ca/tls-volume.yaml",
            "kustomize/servers/prod/realms-volume.yaml",
            "kustomize/overlays/prod/kustomization.yaml",
        )
    ]
    texts = [file.read_text() for file in files]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text + "# more\n")
    done = repository.generate("--check")
    assert done.returncode == 1
    for file in files:
        assert f"--- a/{file.relative_to(repository.folder)}\n" in done.stdout
    assert done.stderr.count("run `arcan generate overlays` and commit the result") == 1
    assert repository.generate().returncode == 0
    assert [file.read_text() for file in files] == texts


def test_a_new_environment_is_found_as_drift(repository: Repository) -> None:
    repository.generated()
    repository.files.write("platform", "canary", "PASSWORD: x\n")
    done = repository.generate("--check")
    assert done.returncode == 1
    assert "+- name: realm.platform.canary" in done.stdout


def test_a_server_that_is_no_longer_declared_is_removed_and_files_of_people_stay(
    repository: Repository,
) -> None:
    repository.generated()
    mine = repository.kustomize / "base" / "mine" / "kustomization.yaml"
    mine.parent.mkdir()
    mine.write_text("resources: []\n")
    before = sorted(path.name for path in (repository.files.root / "production").iterdir())
    repository.declare({"enabled": False})
    assert repository.generate().returncode == 0
    assert sorted(path.name for path in (repository.kustomize / "base").iterdir()) == ["mine"]
    for folder in ("components", "servers"):
        assert list((repository.kustomize / folder).glob("*")) == []
    before.remove("kustomization.yaml")
    assert sorted(path.name for path in (repository.files.root / "production").iterdir()) == before
    assert not (repository.kustomize / "overlays/prod/_platform").exists()


def test_what_is_in_the_way_in_one_folder_keeps_the_others_as_they_are(repository: Repository) -> None:
    repository.declare()
    assert repository.generate().returncode == 0
    server = repository.kustomize / "servers/prod/kustomization.yaml"
    before = server.read_text()
    (repository.kustomize / "overlays/prod/shop/hand.yaml").write_text("a: 1\n")
    repository.declare({"replicas": {"min": 3, "max": 9}})
    done = repository.generate()
    assert done.returncode == 1
    assert "in its way" in done.stderr
    assert server.read_text() == before


def test_a_kustomization_of_somebodys_own_is_never_overwritten(repository: Repository) -> None:
    mine = repository.files.root / "production" / "kustomization.yaml"
    mine.write_text("resources: []\n")
    repository.declare()
    done = repository.generate()
    assert done.returncode == 1
    assert f"in its way: {mine.relative_to(repository.folder)}" in done.stderr
    assert mine.read_text() == "resources: []\n"


def test_an_overlay_may_be_nothing_but_a_server(repository: Repository) -> None:
    app = repository.kustomize / "apps" / "shop.yaml"
    app.write_text(app.read_text() + "overlays: [other]\n")
    repository.declare()
    settings = repository.kustomize / "arcan.yaml"
    settings.write_text(settings.read_text() + "  other:\n    environment: staging\n")
    assert repository.generate().returncode == 0
    kinds = {thing["kind"] for thing in repository.build()}
    assert "Deployment" in kinds
    assert "SecretStore" not in kinds


def test_a_document_that_no_config_map_holds_is_an_error_that_says_what_to_do(
    repository: Repository,
) -> None:
    path = repository.files.path("production", "prod")
    repository.files.replace(path, path.read_bytes() + b"#" * CONFIG_MAP_BYTES + b"\n")
    repository.declare()
    done = repository.generate()
    assert done.returncode == 1
    assert re.search(
        r"production/prod\.sops\.yaml: has \d+ bytes, and a ConfigMap holds 1048576", done.stderr
    )
    assert "hint: split the environment's keys into realms" in done.stderr
    assert not (repository.kustomize / "servers").exists()


def test_the_limit_is_that_of_the_api_server() -> None:
    def folder(document: int, tokens: int) -> RealmFolder:
        return RealmFolder(
            RealmName("production"),
            {EnvironmentName("prod"): document},
            {"tokens.yaml": tokens, "realm.yaml": 8},
        )

    assert realm_tree([folder(CONFIG_MAP_BYTES, CONFIG_MAP_BYTES - 8)])
    with pytest.raises(SeveralErrors, match=r"prod\.sops\.yaml: has 1048577 bytes"):
        realm_tree([folder(CONFIG_MAP_BYTES + 1, 1)])
    with pytest.raises(SeveralErrors, match=r"realm\.yaml and tokens\.yaml: have 1048577 bytes"):
        realm_tree([folder(1, CONFIG_MAP_BYTES - 7)])


def test_no_two_documents_share_a_config_map() -> None:
    """A dash is in names; a dot is in none."""
    folders = [
        RealmFolder(RealmName("a-b"), {EnvironmentName("c"): 1}, {}),
        RealmFolder(RealmName("a"), {EnvironmentName("b-c"): 1}, {"tokens.yaml": 1}),
    ]
    found = [name for text in realm_tree(folders).values() for name in re.findall(r"- name: (\S+)", text)]
    assert sorted(found) == ["realm.a", "realm.a-b.c", "realm.a.b-c"]


def test_the_realms_may_be_anywhere(repository: Repository) -> None:
    elsewhere = repository.folder / "deep" / "down" / "realms"
    elsewhere.parent.mkdir(parents=True)
    repository.files.root.rename(elsewhere)
    repository.declare()
    done = repository.generate("--realms", "deep/down/realms")
    assert done.returncode == 0, done.stderr
    assert len(realm_maps(repository.build())) == 3


def test_what_is_committed_for_the_sample_server_is_what_its_settings_ask_for() -> None:
    root = Path(__file__).resolve().parents[2]
    catalogue = load_catalogue(root / "realms")
    overlays = read_settings(root / "kustomize").overlays(catalogue.environments())
    servers = plan_servers(root / "realms", root / "kustomize", overlays, root / "clusters")
    assert list(servers.overlays) == ["prod"]
    for part in servers.generated:
        assert part.tree or part.root.name == "clusters"  # the samples have no accounts
        assert compare(part.root, part.tree, shared=part.shared).diff() == ""


def test_a_server_reads_the_clusters_where_there_are_any_and_not_otherwise(repository: Repository) -> None:
    assert "--clusters" not in str(one(repository.generated(), "Deployment"))
    cluster = SigningCluster("eu")
    cluster.write(repository.folder / "clusters")
    before = one(repository.generated(), "Deployment")["spec"]["template"]["spec"]
    assert "--clusters=/etc/arcan/clusters" in before["containers"][0]["args"]
    (volume,) = (volume for volume in before["volumes"] if volume["name"] == "clusters")
    cluster.rotate()
    cluster.write(repository.folder / "clusters")
    after = one(repository.generated(), "Deployment")["spec"]["template"]["spec"]
    assert volume not in after["volumes"], "a new key is a rollout"

    (repository.folder / "clusters" / "us.yaml").write_text("issuer: x\n")
    done = repository.generate()
    assert done.returncode == 1
    assert "us.yaml:1: 'keys' must have 1 to 16 keys" in done.stderr


def test_records_of_removed_keys_reach_the_pods_that_have_the_environment_and_no_others(
    repository: Repository,
) -> None:
    for environment in ("prod", "staging"):
        folder = repository.files.root / "production" / "removed" / environment
        folder.mkdir(parents=True)
        for key in ("OLD", ".dockerconfigjson"):
            (folder / f"{key}.yaml").write_text("version: 0123456789ab\ndate: '2026-01-31'\nreason: x\n")
    objects = repository.generated()
    validated(objects)
    maps = realm_maps(objects)
    assert "realm.production.prod.removed" in maps
    assert "realm.production.staging.removed" not in maps
    found = {path: name for path, name in mounted(objects).items() if "/removed/" in path}
    assert found == {
        "production/removed/prod/.dockerconfigjson.yaml": maps["realm.production.prod.removed"],
        "production/removed/prod/OLD.yaml": maps["realm.production.prod.removed"],
    }
    (repository.files.root / "production" / "removed" / "prod" / "stray.txt").write_text("x")
    assert "stray.txt: not the record of a removed key" in repository.generate().stderr


def test_binding_start_and_deletions_reach_the_pods(repository: Repository) -> None:
    def arguments(**deploy: str) -> list[str]:
        pod = one(repository.generated(deploy), "Deployment")["spec"]["template"]["spec"]
        found: list[str] = pod["containers"][0]["args"]
        return found

    assert "--start=whole" in arguments()
    assert not any(each.startswith(("--binding", "--deletions")) for each in arguments())
    all_three = arguments(binding="required", start="sound", deletions="recorded")
    assert all_three[-3:] == ["--binding=required", "--start=sound", "--deletions=recorded"]
