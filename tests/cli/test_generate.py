"""`arcan generate` as an operator types it: from realm files to manifests, without any key at hand."""

from __future__ import annotations

import base64
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from arcan_gitops.cli import main
from arcan_gitops.sops import digests
from arcan_gitops.yamlio import read_documents
from tests.support.realm_files import CANARY, RealmFiles

ESO = ("eso", "--realm=production", "--env=prod")
SHOP = """\
name: shop
realm: production
namespace: shop
token: shop
secrets:
  - {name: shop-env, keys: [DATABASE_URL, {key: GREETING, as: greeting}]}
  - {name: shop-all, all: true}
"""


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def manifests(self) -> list[Any]:
        return read_documents(self.out.encode(), "stdout")


Run = Callable[..., Result]


def token(letter: str, name: str, *, keys: str = "['*']", day: int = 1) -> str:
    """An entry of a tokens file; no token has its digest."""
    return (
        f"- {{id: {letter * 12}, name: {name}, policy: read-only, keys: {keys},"
        f" created: '2026-01-{day:02}T00:00:00Z', digest: 'sha256:{letter.lower() * 64}'}}\n"
    )


@pytest.fixture(scope="session")
def realms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Realms `production` (prod, staging) and its tokens; the identity is not part of what tests get."""
    folder = tmp_path_factory.mktemp("project")
    files = RealmFiles(folder)
    text = f"DATABASE_URL: {CANARY}\nGREETING: hello\na.b-c: x\n"
    files.write("production", "prod", text)
    files.write("production", "staging", text)
    tokens = "version: 1\ntokens:\n" + token("A", "shop") + token("B", "mailer", keys="[GREETING]")
    (files.root / "production" / "tokens.yaml").write_text(tokens)
    return files.root


@pytest.fixture
def arcan(
    tmp_path: Path, realms: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `arcan generate` in a project with the realms above and one app."""
    shutil.copytree(realms, tmp_path / "realms")
    (tmp_path / "kustomize" / "apps").mkdir(parents=True)
    (tmp_path / "kustomize" / "apps" / "shop.yaml").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCAN_SERVER_URL", raising=False)

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["arcan", "generate", *arguments])
        with pytest.raises(SystemExit) as status:
            main()
        out, err = capsys.readouterr()
        assert CANARY not in out + err
        return Result(int(status.value.code or 0), out, err)

    return run


def certificate(path: Path, *, ca: bool) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(built.public_bytes(Encoding.PEM))
    return path


def webhook(manifest: Any) -> Any:
    return manifest["spec"]["provider"]["webhook"]


def test_two_stores_and_two_external_secrets_come_out(arcan: Run):
    result = arcan(*ESO)
    assert result.status == 0
    assert (
        "Secret arcan-credentials, key token, label external-secrets.io/type=webhook in namespace default"
        in result.err
    )
    assert "ConfigMap arcan-ca, key ca.crt" in result.err
    assert [(m["kind"], m["metadata"]["namespace"], m["metadata"]["name"]) for m in result.manifests] == [
        ("SecretStore", "default", "arcan"),
        ("ExternalSecret", "default", "my-app-secrets"),
        ("SecretStore", "default", "arcan-bulk"),
        ("ExternalSecret", "default", "my-app-secrets-bulk"),
    ]
    single, by_key, bulk, everything = result.manifests
    base = "https://arcan.internal:9797/api/v1/eso/production"
    assert webhook(single)["url"] == base + "/{{ .remoteRef.key }}?env=prod&version={{ .remoteRef.version }}"
    assert webhook(bulk)["url"] == base + "?env=prod&version={{ .remoteRef.version }}"
    assert webhook(single)["secrets"][0]["secretRef"] == {"name": "arcan-credentials", "key": "token"}
    assert webhook(single)["caProvider"] == {"type": "ConfigMap", "name": "arcan-ca", "key": "ca.crt"}
    assert [entry["remoteRef"]["key"] for entry in by_key["spec"]["data"]] == [
        "DATABASE_URL",
        "GREETING",
        "a.b-c",
    ]
    assert everything["spec"]["secretStoreRef"] == {"kind": "SecretStore", "name": "arcan-bulk"}


def test_asked_keys_need_no_realm_files(arcan: Run):
    result = arcan(*ESO, "--realms", "nowhere", "--key", "A", "--key", "B", "--name", "x", "--namespace", "y")
    _, by_key, _, everything = result.manifests
    assert [entry["secretKey"] for entry in by_key["spec"]["data"]] == ["A", "B"]
    assert [(m["metadata"]["namespace"], m["metadata"]["name"]) for m in (by_key, everything)] == [
        ("y", "x"),
        ("y", "x-bulk"),
    ]


def test_without_keys_and_files_the_error_names_both_ways(arcan: Run):
    result = arcan("eso", "--realm=production", "--env=qa")
    assert (result.status, result.out) == (1, "")
    assert "realm 'production' has no environment 'qa'" in result.err
    assert "--key" in result.err


@pytest.mark.parametrize(
    ("realm", "environment", "said"),
    [
        ("production", "prdo", "realm 'production' has no environment 'prdo'"),
        ("prodution", "prod", "there is no realm 'prodution'"),
    ],
)
def test_a_misspelt_realm_or_environment_is_told_with_the_nearest(
    realm: str, environment: str, said: str, arcan: Run
):
    nearest = "did you mean 'prod'?" if realm == "production" else "did you mean 'production'?"
    result = arcan("eso", f"--realm={realm}", f"--env={environment}")
    assert (result.status, result.out) == (1, "")
    assert said in result.err
    assert nearest in result.err
    asked = arcan("eso", f"--realm={realm}", f"--env={environment}", "--key=A")
    assert asked.status == 0
    warning = asked.err.splitlines()[0]
    assert warning.startswith("arcan: warning: ")
    assert said in warning
    assert nearest in warning


def test_an_asked_key_that_the_document_lacks_is_a_warning_with_the_nearest(arcan: Run):
    result = arcan(*ESO, "--key", "DATABASE_URI")
    assert result.status == 0
    assert result.err.startswith(
        "arcan: warning: key 'DATABASE_URI' is not in realms/production/prod.sops.yaml"
    )
    assert "did you mean 'DATABASE_URL'?" in result.err


def test_cluster_wide_stores_are_open_to_the_allowed_namespaces(arcan: Run):
    result = arcan(
        *ESO, "--cluster-wide", "--allow-namespace=shop", "--allow-namespace=default", "--eso-namespace=eso"
    )
    assert result.status == 0
    assert "in namespace eso" in result.err
    single, by_key, *_ = result.manifests
    assert (single["kind"], "namespace" in single["metadata"]) == ("ClusterSecretStore", False)
    assert single["spec"]["conditions"] == [{"namespaces": ["default", "shop"]}]
    assert webhook(single)["secrets"][0]["secretRef"]["namespace"] == "eso"
    assert webhook(single)["caProvider"]["namespace"] == "eso"
    assert by_key["metadata"]["namespace"] == "default"
    assert by_key["spec"]["secretStoreRef"]["kind"] == "ClusterSecretStore"


def test_cluster_wide_stores_for_everybody_come_with_a_warning(arcan: Run):
    result = arcan(*ESO, "--cluster-wide")
    assert "conditions" not in result.manifests[0]["spec"]
    assert result.err.startswith("arcan: warning: every namespace")


def test_a_namespace_that_may_not_use_its_stores_is_a_warning(arcan: Run):
    result = arcan(*ESO, "--cluster-wide", "--allow-namespace=shop")
    assert "namespace 'default' may not use these stores" in result.err


def test_the_server_url_is_the_option_or_the_variable_or_the_setting(
    arcan: Run, monkeypatch: pytest.MonkeyPatch
):
    def host(*arguments: str) -> str:
        return str(webhook(arcan(*ESO, *arguments).manifests[0])["url"]).split("/")[2]

    assert host() == "arcan.internal:9797"
    Path("kustomize/arcan.yaml").write_text("server: {url: 'https://setting.example.com:1'}\n")
    assert host() == "setting.example.com:1"
    monkeypatch.setenv("ARCAN_SERVER_URL", "https://variable.example.com:2")
    assert host() == "variable.example.com:2"
    assert host("--server-url", "https://option.example.com:3") == "option.example.com:3"


def test_a_ca_can_be_embedded_named_or_left_out(arcan: Run, tmp_path: Path):
    ca = certificate(tmp_path / "ca.crt", ca=True)
    embedded = webhook(arcan(*ESO, "--ca-bundle", str(ca)).manifests[0])
    assert base64.b64decode(embedded["caBundle"]) == ca.read_bytes()
    assert "caProvider" not in embedded
    assert webhook(arcan(*ESO, "--ca-configmap", "x").manifests[0])["caProvider"]["name"] == "x"
    assert not webhook(arcan(*ESO, "--public-ca").manifests[0]).keys() & {"caProvider", "caBundle"}


def test_an_older_eso_gets_no_header_that_it_cannot_fill(arcan: Run):
    """Before 0.20 its text would be `<no value>`."""
    assert "X-Kubernetes-Namespace" in webhook(arcan(*ESO).manifests[0])["headers"]
    old = webhook(arcan(*ESO, "--eso-version", "0.16").manifests[0])
    assert list(old["headers"]) == ["Authorization"]
    assert "is not supported" in arcan(*ESO, "--eso-version", "0.15").err


def test_a_leaf_certificate_is_no_ca(arcan: Run, tmp_path: Path):
    result = arcan(*ESO, "--ca-bundle", str(certificate(tmp_path / "leaf.crt", ca=False)))
    assert (result.status, result.out) == (1, "")
    assert "not a CA" in result.err
    assert "tls/ca.crt" in result.err


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (("--allow-namespace=shop",), 2, "--allow-namespace goes with --cluster-wide"),
        (("--public-ca", "--ca-configmap=x"), 2, "exclude each other"),
        (("--server-url=https://arcan.internal",), 2, "must name the port"),
        (("--server-url=http://arcan.internal:80",), 2, "must start with https://"),
        (("--namespace=Default",), 2, "'Default' is not a valid namespace"),
        (("--key=A B",), 2, "'A B' is not a valid key name"),
        (("--name=arcan-credentials",), 1, "holds the store's own token"),
    ],
)
def test_wrong_options_print_no_manifest(arcan: Run, arguments: tuple[str, ...], status: int, problem: str):
    result = arcan(*ESO, *arguments)
    assert (result.status, result.out) == (status, "")
    assert problem in result.err


def test_overlays_are_written_once_and_then_up_to_date(arcan: Run):
    result = arcan("overlays")
    assert (result.status, result.out) == (0, "")
    assert "arcan: wrote kustomize/overlays/prod/kustomization.yaml\n" in result.err
    assert Path("kustomize/overlays/staging/shop/apps/shop.yaml").is_file()
    again = arcan("overlays")
    assert again.err == "arcan: kustomize/overlays: 8 of 8 files were up to date\n"
    assert arcan("overlays", "--check").status == 0


def test_an_eso_with_published_vulnerabilities_is_warned_of_once(arcan: Run):
    Path("kustomize/arcan.yaml").write_text(
        "esoVersion: 0.20.4\noverlays: {a: {environment: prod}, b: {environment: prod},"
        " c: {environment: prod, esoVersion: 2.9.0}}\n"
    )
    result = arcan("overlays")
    assert result.status == 0, result.err
    warning = (
        "warning: ESO 0.20.4 (overlay 'a' and 1 more) has CVE-2026-22822, CVE-2026-26287, CVE-2026-34984, "
    )
    assert result.err.count(warning) == 1
    assert result.err.count("CVE-2026-22822") == 1
    assert "upgrade the cluster to 2.4.1 or newer" in result.err


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("3.3.8", "warning: Argo CD 3.3.8 (argocd.version) has CVE-2026-42880, CVE-2026-43824, CVE-2026-45737: "
         "upgrade the cluster to 3.3.10 or newer"),
        ("v3.6.2", "upgrade the cluster to 3.6.3 or newer"),
        ("3.6.3", None),
    ],
)  # fmt: skip
def test_an_argo_cd_with_published_vulnerabilities_is_warned_of(arcan: Run, version: str, said: str | None):
    argocd = f"argocd: {{repository: 'https://git.example.com/x.git', version: {version}}}\n"
    Path("kustomize/arcan.yaml").write_text("overlays: {a: {environment: prod}}\n" + argocd)
    result = arcan("overlays")
    assert result.status == 0, result.err
    assert ("argocd.version" in result.err) is (said is not None)
    assert said is None or said in result.err


def test_a_version_of_argo_cd_that_is_none(arcan: Run):
    argocd = "argocd: {repository: 'https://git.example.com/x.git', version: newest}\n"
    Path("kustomize/arcan.yaml").write_text("overlays: {a: {environment: prod}}\n" + argocd)
    result = arcan("overlays")
    assert result.status == 1
    assert "arcan.yaml:2: 'newest' is not a version of Argo CD" in result.err
    assert "argocd version" in result.err


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("9.9.9", "ESO 9.9.9 is newer than what is known here (up to 2.9.0): it is treated as 2.9.0"),
        ("2.14.0", "ESO 2.14.0 is newer than what is known here (up to 2.9.0)"),
        ("1.4.0", "ESO 1.4.0 is not a known release: known are 0.16.0 to 2.9.0"),
    ],
)
def test_an_unknown_eso_is_a_warning_and_no_error(arcan: Run, version: str, said: str):
    settings = f"esoVersion: {version}\noverlays: {{a: {{environment: prod}}, b: {{environment: prod}}}}\n"
    Path("kustomize/arcan.yaml").write_text(settings)
    result = arcan("overlays")
    assert result.status == 0, result.err
    assert result.err.count(f"arcan: warning: overlay 'a' and 1 more: {said}") == 1
    assert f"kubectl get crds -o yaml | arcan schemas add --eso-version {version} -" in result.err
    assert said in arcan(*ESO, "--eso-version", version).err


@pytest.mark.parametrize("version", ["0.16", "0.20.9", "1.0.1", "2.9.3"])
def test_a_released_eso_is_known_whatever_its_patch(arcan: Run, version: str):
    result = arcan(*ESO, "--eso-version", version)
    assert result.status == 0
    assert "known" not in result.err


def test_an_eso_whose_crds_were_added_is_not_warned_of(arcan: Run):
    Path("kustomize/schemas/external-secrets/v2.14.0").mkdir(parents=True)
    assert "known" not in arcan(*ESO, "--eso-version", "2.14.0").err


def test_check_prints_the_difference_and_writes_nothing(arcan: Run):
    assert arcan("overlays").status == 0
    app = Path("kustomize/apps/shop.yaml")
    app.write_text(SHOP.replace("as: greeting", "as: hello"))
    before = Path("kustomize/overlays/prod/shop/apps/shop.yaml").read_bytes()
    result = arcan("overlays", "--check")
    assert result.status == 1
    assert "-  - secretKey: greeting\n+  - secretKey: hello\n" in result.out
    assert "run `arcan generate overlays`" in result.err
    assert Path("kustomize/overlays/prod/shop/apps/shop.yaml").read_bytes() == before


def test_an_app_that_goes_takes_its_files_with_it(arcan: Run):
    other = Path("kustomize/apps/other.yaml")
    other.write_text(SHOP.replace("name: shop\n", "name: other\n").replace("namespace: shop", "namespace: o"))
    assert arcan("overlays").status == 0
    other.write_text("name: other\nnamespace: o\nremoved: 2026-11-28\n")
    result = arcan("overlays")
    assert "arcan: removed kustomize/overlays/prod/o/apps/other.yaml\n" in result.err
    assert not Path("kustomize/overlays/prod/o/stores.yaml").exists()


def test_mistakes_of_arcan_yaml_and_of_the_apps_are_told_together(arcan: Run):
    Path("kustomize/arcan.yaml").write_text("esoVersion: nine\nserver: {url: ftp://x}\n")
    Path("kustomize/apps/broken.yaml").write_text("name: other\nrealm: production\n")
    result = arcan("overlays")
    assert result.status == 1
    for problem in (
        "arcan.yaml:1: 'nine'",
        "arcan.yaml:2: ",
        "broken.yaml:1: 'name' is 'other'",
        "the app declares no secrets",
    ):
        assert problem in result.err


def test_all_mistakes_of_all_apps_are_told_and_nothing_is_written(arcan: Run):
    Path("kustomize/apps/shop.yaml").write_text(SHOP.replace("DATABASE_URL", "DATABASE_URI"))
    Path("kustomize/apps/mailer.yaml").write_text(
        SHOP.replace("shop", "mailer").replace("[DATABASE_URL", "[a.b-c")
    )
    result = arcan("overlays")
    assert (result.status, result.out) == (1, "")
    assert "kustomize/apps/shop.yaml:6: key 'DATABASE_URI' does not exist in production/prod" in result.err
    assert "did you mean 'DATABASE_URL'?" in result.err
    assert "kustomize/apps/mailer.yaml:6: key 'a.b-c' cannot be read by token 'mailer'" in result.err
    assert "kustomize/apps/mailer.yaml:7: secret 'mailer-all' asks for all keys" in result.err
    assert not Path("kustomize/overlays").exists()


def test_a_foreign_file_is_named_and_kept(arcan: Run):
    foreign = Path("kustomize/overlays/prod/patch.yaml")
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    result = arcan("overlays")
    assert result.status == 1
    assert str(foreign) in result.err
    assert [path for path in Path("kustomize/overlays").rglob("*") if path.is_file()] == [foreign]


def test_broken_realm_files_are_named_all_at_once(arcan: Run):
    Path("realms/production/prod.sops.yaml").write_text(f"DATABASE_URL: {CANARY}\n")
    Path("realms/production/tokens.yaml").write_text("version: 1\ntokens: [{id: x}]\n")
    result = arcan("overlays")
    assert (result.status, result.out) == (1, "")
    assert "realms/production/prod.sops.yaml: " in result.err
    assert "realms/production/tokens.yaml:2: " in result.err


def test_a_rotated_token_is_judged_by_its_newest_entry(arcan: Run):
    with Path("realms/production/tokens.yaml").open("a") as tokens:
        tokens.write(token("C", "shop", keys="[GREETING]", day=2))
    result = arcan("overlays")
    assert result.status == 1
    assert "key 'DATABASE_URL' cannot be read by token 'shop'" in result.err


def test_the_newest_entry_counts_wherever_it_stands_in_the_file(arcan: Run):
    path = Path("realms/production/tokens.yaml")
    head, _, rest = path.read_text().partition("tokens:\n")
    path.write_text(f"{head}tokens:\n{token('C', 'shop', keys='[GREETING]', day=2)}{rest}")
    result = arcan("overlays")
    assert "key 'DATABASE_URL' cannot be read by token 'shop'" in result.err


def test_nothing_from_an_app_file_drives_the_terminal(arcan: Run):
    Path("kustomize/apps/shop.yaml").write_text(SHOP + '"\\e[31m": x\n')
    result = arcan("overlays")
    assert result.status == 1
    assert "\x1b" not in result.err
    Path("kustomize/apps/shop.yaml").write_text(SHOP.replace("token: shop", "token: 'zzz; rm -rf /'"))
    assert "is not a valid token name" in arcan("overlays").err


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda: Path("kustomize/apps/shop.yaml").unlink(), "kustomize/apps: no app is declared"),
        (lambda: Path("kustomize/apps/x.yml").write_text(SHOP), "x.yml: an app's file ends in .yaml"),
        (lambda: shutil.rmtree("realms"), "realms: cannot be read"),
        (
            lambda: Path("kustomize/arcan.yaml").write_text("sever: {}\n"),
            "arcan.yaml:1: unknown field 'sever'",
        ),
    ],
)
def test_what_is_missing_or_misnamed_is_said(arcan: Run, prepare: Callable[[], object], problem: str):
    prepare()
    result = arcan("overlays")
    assert (result.status, result.out) == (1, "")
    assert problem in result.err


def test_eso_names_the_version_of_a_bulk_read_where_the_realm_records_what_is_removed(
    arcan: Run, realms: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(realms, copy)
    (copy / "production" / "realm.yaml").write_text("deletions: recorded\n")
    version = digests((copy / "production" / "prod.sops.yaml").read_bytes()).document

    def bulk(folder: Path) -> dict[str, Any]:
        result = arcan(*ESO, "--realms", str(folder))
        assert result.status == 0, result.err
        found: dict[str, Any] = result.manifests[-1]["spec"]["dataFrom"][0]["extract"]
        return found

    assert "version" not in bulk(realms)
    assert bulk(copy)["version"] == version
