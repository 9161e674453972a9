"""An environment of key files in a cluster: ConfigMaps of shards, a volume of its own, and what is not selected."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from arcan_gitops.deploy import RealmFolder, realm_tree
from arcan_gitops.deploy.realms import CONFIG_MAP_BYTES
from arcan_gitops.deploy.volumes import volume_patch
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from tests.deploy.kubelet import Kubelet
from tests.deploy.repository import Manifest, Repository, names, one, validated, without_hash
from tests.support.key_files import key_path, put_key, put_keys

PRODUCTION, PROD = RealmName("production"), EnvironmentName("prod")
VALUES = {"PASSWORD": "p", ".dockerconfigjson": "d", "Z": "z"}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = Repository(tmp_path_factory.mktemp("servers"))
    for environment in ("prod", "staging"):
        repository.files.path("production", environment).unlink()
        put_keys(repository.files, f"production/{environment}", VALUES)
    return repository


@pytest.fixture
def repository(untouched: Repository, tmp_path: Path) -> Repository:
    copy = Repository.__new__(Repository)
    copy.__dict__ |= untouched.__dict__
    copy.folder, copy.kustomize = tmp_path, tmp_path / "kustomize"
    shutil.copytree(untouched.folder, tmp_path, dirs_exist_ok=True)
    copy.files = type(untouched.files).__new__(type(untouched.files))
    copy.files.__dict__ |= untouched.files.__dict__
    copy.files.root = tmp_path / "realms"
    return copy


def realm_maps(objects: list[Manifest]) -> set[str]:
    return {without_hash(name) for name in names(objects, "ConfigMap") if name.startswith("realm.")}


def mounted(objects: list[Manifest], folder: Path) -> dict[str, bytes]:
    """The files below the realms of a pod, as the kubelet lays them out."""
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    certificate = {"tls.crt": b"", "tls.key": b"", "ca.crt": b""}
    made = {"arcan-age-identity": {"identity.txt": b""}, "arcan-tls": certificate, "arcan-ca": certificate}
    Kubelet(folder, objects, made).mount(pod)
    root = folder / "etc/arcan/realms"
    found: dict[str, bytes] = {}
    for at, folders, files in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith("..")]
        found |= {str((Path(at) / name).relative_to(root)): (Path(at) / name).read_bytes() for name in files}
    return found


def test_the_files_of_a_selected_environment_reach_the_pods_and_no_others(
    repository: Repository, tmp_path: Path
):
    objects = repository.generated()
    validated(objects)
    assert realm_maps(objects) == {"realm.production", "realm.production.prod", "realm.platform.prod"}
    files = mounted(objects, tmp_path / "pod")
    assert set(files) == {
        "platform/prod.sops.yaml",
        "production/tokens.yaml",
        *(f"production/prod/{key}.sops.yaml" for key in VALUES),
    }
    for key in VALUES:
        data = key_path(repository.files, "production", "prod", key).read_bytes()
        assert files[f"production/prod/{key}.sops.yaml"] == data


def test_a_volume_of_key_files_names_no_file(repository: Repository):
    pod = one(repository.generated(), "Deployment")["spec"]["template"]["spec"]
    [mount] = [m for m in pod["containers"][0]["volumeMounts"] if m["mountPath"].endswith("/production/prod")]
    assert mount["readOnly"] is True
    [volume] = [volume for volume in pod["volumes"] if volume["name"] == mount["name"]]
    assert [set(source["configMap"]) for source in volume["projected"]["sources"]] == [{"name"}]


def test_no_volume_is_to_hold_files_where_another_one_is_mounted_in_it(repository: Repository):
    """The kubelet would leave them out without a word."""
    pod = one(repository.generated({"select": ["*"]}), "Deployment")["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {m["mountPath"]: m["name"] for m in pod["containers"][0]["volumeMounts"]}
    for path, name in mounts.items():
        nested = {
            other.removeprefix(f"{path}/").partition("/")[0]
            for other in mounts
            if other.startswith(f"{path}/")
        }
        sources = volumes[name].get("projected", {}).get("sources", [])
        items = [item["path"] for source in sources for item in source["configMap"].get("items", [])]
        assert nested.isdisjoint(item.partition("/")[0] for item in items)


def test_shards_are_by_the_name_of_the_key_and_all_of_them_reach_the_pods(
    repository: Repository, tmp_path: Path
):
    (repository.files.root / "production" / "realm.yaml").write_text("shards: 16\n")
    objects = repository.generated()
    validated(objects)
    expected = {f"realm.production.prod.{hashlib.sha256(key.encode()).hexdigest()[0]}" for key in VALUES}
    assert realm_maps(objects) == {"realm.production", "realm.platform.prod", *expected}
    assert {f"production/prod/{key}.sops.yaml" for key in VALUES} < set(mounted(objects, tmp_path / "pod"))


def test_a_changed_value_is_one_other_config_map(repository: Repository):
    (repository.files.root / "production" / "realm.yaml").write_text("shards: 256\n")
    before = set(names(repository.generated(), "ConfigMap"))
    put_key(repository.files, "production/prod", "PASSWORD", "another " * 100)
    after = set(names(repository.build(), "ConfigMap"))
    assert len(before - after) == len(after - before) == 1
    put_key(repository.files, "production/staging", "PASSWORD", "not selected")
    assert set(names(repository.build(), "ConfigMap")) == after


def test_what_is_kept_during_a_rollout_is_kept_of_key_files_too(repository: Repository):
    [found] = [
        each
        for each in repository.generated()
        if each["kind"] == "ConfigMap" and each["metadata"]["name"].startswith("realm.production.prod-")
    ]
    assert found["immutable"] is True
    annotations = found["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/sync-options"] == "Prune=false"


def test_records_of_removals_lie_beside_key_files(repository: Repository, tmp_path: Path):
    folder = repository.files.root / "production"
    (folder / "realm.yaml").write_text("deletions: recorded\n")
    record = folder / "removed" / "prod" / "OLD.yaml"
    record.parent.mkdir(parents=True)
    record.write_text("version: 0123456789ab\ndate: '2026-01-31'\nreason: no\n")
    files = mounted(repository.generated(), tmp_path / "pod")
    assert {"production/removed/prod/OLD.yaml", "production/realm.yaml"} < set(files)


def folder(keys: Mapping[str, int], shards: int = 1) -> RealmFolder:
    sizes = {KeyName(key): size for key, size in keys.items()}
    return RealmFolder(PRODUCTION, {}, {}, {}, {PROD: sizes}, shards)


@pytest.mark.parametrize(
    ("shards", "hint"),
    [
        (1, "part them: write 'shards: 16' into production/realm.yaml"),
        (16, "part them: write 'shards: 256' into production/realm.yaml"),
        (256, "move the keys of one team to a realm of its own"),
    ],
)
def test_a_shard_that_is_too_large_is_an_error_that_names_the_next_number(shards: int, hint: str):
    assert realm_tree([folder({"A": CONFIG_MAP_BYTES}, shards)])
    with pytest.raises(SeveralErrors) as caught:
        realm_tree([folder({"A": CONFIG_MAP_BYTES + 1}, shards)])
    [problem] = caught.value.problems
    assert "production/prod: the 1 key files of ConfigMap realm.production.prod" in problem.message
    assert problem.hint == hint


def test_volumes_have_names_of_their_own_and_kubernetes_takes_them():
    long = "a" * 63
    places = [
        (RealmName(realm), EnvironmentName(name))
        for realm, name in [("a-b", "c"), ("a", "b-c"), (long, long)]
    ]
    folders = [
        RealmFolder(realm, {}, {"tokens.yaml": 1}, {}, {name: {KeyName("A"): 1}}) for realm, name in places
    ]
    volumes = volume_patch(folders, set(places))["spec"]["template"]["spec"]["volumes"]
    found = [volume["name"] for volume in volumes]
    assert len(set(found)) == len(found) == 7
    assert all(len(name) <= 63 and not name.endswith("-") for name in found)


def test_shards_is_one_of_three_numbers(repository: Repository):
    (repository.files.root / "production" / "realm.yaml").write_text("shards: 3\n")
    repository.declare()
    done = repository.generate()
    assert done.returncode == 1
    assert "realm.yaml:1: 'shards' can only be 1, 16 or 256" in done.stderr
