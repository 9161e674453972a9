"""docs/seeds.md is so: for every manifest and command of five guides there is a declaration, and a test.

tests/docs/seeds/ has the declarations. shown/<guide>/<name>.yaml has a manifest as a guide shows it, and above it
where its equivalent is generated and every field in which that differs: nothing else may. (A field that is null
there differs, and how is said by the tests of what generates it.)
"""

from __future__ import annotations

import ast
import base64
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest

from arcan_gitops.cli import arcan, main
from arcan_gitops.eso import Fate, NetTransport, read_cluster, refresh
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.reading import Source
from arcan_gitops.overlay import App, Settings
from arcan_gitops.overlay.duration import Duration
from arcan_gitops.yamlio import InvalidFile, emit, read_documents
from tests.eso.endpoint import make_authority, serving

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests" / "docs" / "seeds"
PAGE = ROOT / "docs" / "seeds.md"
Manifest = dict[str, Any]

# What every generated object has and no guide shows; the page says so at its top.
EVERYWHERE = {
    "metadata.labels.app.kubernetes.io/managed-by",
    "metadata.namespace",
    "spec.refreshPolicy",
    "spec.target.creationPolicy",
    "spec.target.deletionPolicy",
    *(
        f"spec.data[].remoteRef.{name}"
        for name in ("conversionStrategy", "decodingStrategy", "metadataPolicy")
    ),
}


# --- what the guides show, and what is generated


@dataclass(frozen=True)
class Shown:
    """One manifest of a guide, or the `part` of one that it shows.

    `origin` is a file below kustomize/, or the command that prints it.
    """

    name: str
    origin: str
    kind: str
    object_name: str
    part: bool
    added: Mapping[str, Any]
    changed: Mapping[str, Any]
    gone: tuple[str, ...]
    manifest: Manifest
    text: str

    @classmethod
    def read(cls, path: Path) -> Shown:
        text = path.read_text()
        fields, manifest = read_documents(text.encode(), str(path))
        assert set(fields) <= {"from", "kind", "name", "part", "added", "changed", "gone"}, path
        return cls(
            name=path.relative_to(SEEDS / "shown").with_suffix("").as_posix(),
            origin=fields["from"],
            kind=fields["kind"],
            object_name=fields["name"],
            part=fields.get("part", False),
            added=fields.get("added", {}),
            changed=fields.get("changed", {}),
            gone=tuple(fields.get("gone", ())),
            manifest=manifest,
            text=text.partition("\n---\n")[2],
        )

    @property
    def guide(self) -> str:
        return self.name.partition("/")[0]


SHOWN = {one.name: one for one in map(Shown.read, sorted((SEEDS / "shown").rglob("*.yaml")))}
GUIDES = sorted({one.guide for one in SHOWN.values()})


class Project:
    """A repository with the sample realms and the declarations of the guides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kustomize = folder / "kustomize"
        shutil.copytree(ROOT / "realms", folder / "realms")
        shutil.copytree(SEEDS / "apps", self.kustomize / "apps")
        shutil.copy(SEEDS / "arcan.yaml", self.kustomize)

    def run(self, command: str) -> str:
        """Standard output of `arcan ...`, which has to succeed."""
        out, err, status = StringIO(), StringIO(), 0
        with (
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.MonkeyPatch.context() as own,
        ):
            own.setattr(sys, "argv", shlex.split(command))
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        assert status == 0, f"{command}\n{out.getvalue()}{err.getvalue()}"
        return out.getvalue()

    @cache  # noqa: B019 - lives as long as the fixture
    def objects(self, origin: str) -> list[Manifest]:
        if origin.startswith("arcan "):
            return read_documents(self.run(origin).encode(), origin)
        return read_documents((self.kustomize / origin).read_bytes(), origin)

    def find(self, origin: str, kind: str, name: str) -> Manifest:
        (found,) = (
            one for one in self.objects(origin) if one["kind"] == kind and one["metadata"]["name"] == name
        )
        return found

    def build(self, folder: str) -> list[Manifest]:
        """What Kustomize makes of a folder below kustomize/."""
        command = ["kustomize", "build", str(self.kustomize / folder)]
        return read_documents(subprocess.run(command, capture_output=True, check=True).stdout, folder)

    def everything(self) -> Iterator[Manifest]:
        """All that is deployed or made by hand, in either overlay."""
        for folder in ("overlays", "argocd", "base"):
            for path in sorted((self.kustomize / folder).rglob("*.yaml")):
                yield from self.objects(path.relative_to(self.kustomize).as_posix())
        for overlay in ("prod", "openshift"):
            yield from self.objects(f"arcan bootstrap {overlay} --format=manifests")
        for options in ("--namespace=default", "--cluster-wide"):
            yield from self.objects(f"arcan generate eso --realm=production --env=prod {options}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("seeds"))
    project.run("arcan generate overlays")
    return project


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(`spec.data[0].secretKey`, its value) of every scalar, and of what is empty."""
    if isinstance(node, dict) and node:
        for name, child in node.items():
            yield from leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(node, list) and node:
        for index, child in enumerate(node):
            yield from leaves(child, f"{path}[{index}]")
    elif path.endswith("refreshInterval"):
        yield path, str(Duration.parse(node))
    else:
        yield path, node


def differences(one: Shown, generated: Manifest) -> dict[str, Any]:
    theirs, ours = dict(leaves(one.manifest)), dict(leaves(generated))
    added = {path: value for path, value in ours.items() if path not in theirs and not one.part}
    changed = {path: ours[path] for path in theirs if path in ours and theirs[path] != ours[path]}
    return {
        "added": {p: v for p, v in added.items() if re.sub(r"\[\d+\]", "[]", p) not in EVERYWHERE},
        "changed": {
            path: value if one.changed.get(path, "") is not None else None for path, value in changed.items()
        },
        "gone": tuple(path for path in theirs if path not in ours),
    }


@pytest.mark.parametrize("name", SHOWN)
def test_a_declaration_gives_it(name: str, project: Project) -> None:
    """Its equivalent: what the guide shows, but for the differences that are written above it."""
    one = SHOWN[name]
    found = differences(one, project.find(one.origin, one.kind, one.object_name))
    assert found == {"added": one.added, "changed": one.changed, "gone": one.gone}


def test_all_that_is_generated_builds_and_is_valid(project: Project) -> None:
    assert re.search(
        r"^(\d+) manifests: \1 valid, 0 invalid, 0 errors", project.run("arcan validate kustomize"), re.M
    )


def test_lint_says_of_all_that_is_generated_that_two_stores_are_read_over_http_as_declared(
    project: Project,
) -> None:
    found = json.loads(project.run("arcan lint manifests --format json kustomize"))["findings"]
    assert {(finding["rule"], finding["severity"]) for finding in found} == {("ARC023", "warning")}
    assert len(found) == 2


# --- what the guides tell to type


def test_the_commands_of_the_first_guide_run_as_they_stand(project: Project) -> None:
    token = project.run('arcan token create --realm=production --name="eso-operator" --policy=read-only')
    assert re.fullmatch(r"arc_\w+\n", token)
    assert "production" in project.run("arcan realm list")
    kinds = [
        one["kind"]
        for one in project.objects("arcan generate eso --realm=production --env=prod --namespace=default")
    ]
    assert kinds == ["SecretStore", "ExternalSecret", "SecretStore", "ExternalSecret"]
    wide = project.objects("arcan generate eso --realm=production --env=prod --cluster-wide")
    assert [one["kind"] for one in wide] == ["ClusterSecretStore", "ExternalSecret"] * 2


def test_without_a_ca_of_its_own_a_store_has_no_ca_provider(project: Project) -> None:
    printed = project.objects(
        "arcan generate eso --realm=production --env=prod --namespace=default --public-ca"
    )
    assert "caProvider" not in emit(printed)


def test_the_ca_is_where_the_guide_copies_it_from() -> None:
    serve = arcan.get_command(click.Context(arcan), "serve")
    assert serve is not None
    (data_dir,) = (option for option in serve.params if option.name == "data_dir")
    assert f"{data_dir.default}/tls/ca.crt" == "/var/lib/arcan/tls/ca.crt"


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "1h"])
def test_an_interval_of_the_table_is_one(interval: str) -> None:
    text = (SEEDS / "apps/my-app.yaml").read_text() + f"refreshInterval: {interval}\n"
    refresh_of = App.parse(text.encode(), "my-app.yaml").refresh
    assert refresh_of.interval == Duration.parse(interval)
    assert str(refresh_of.interval) == {"1h": "1h0m0s"}.get(interval, f"{interval}0s")


@pytest.mark.parametrize("field", ["secretSmEndpoint", "authType", "roleArn"])
def test_a_field_of_the_class_that_does_not_exist_is_refused_with_what_to_write(field: str) -> None:
    value = SHOWN["aws/secret-provider-class"].manifest["spec"]["provider"]["aws"][field]
    text = f"stores: {{aws: {{aws-sm: {{region: eu-central-1, {field}: '{value}'}}}}}}\n"
    with pytest.raises(InvalidFile, match=f"unknown field '{field}'") as error:
        Settings.parse(text.encode(), "arcan.yaml", pytest.fail)
    assert error.value.hint


def test_force_sync_is_printed_as_the_guide_types_it(project: Project) -> None:
    printed = project.run("arcan sync authentik --overlay prod")
    guide = "kubectl annotate externalsecret authentik-secret -n authentik force-sync=$(date +%s) --overwrite"
    assert printed == guide.replace("-n authentik", "--namespace=authentik") + "\n"
    assert "externalsecret db-credentials --namespace=orders" in project.run(
        "arcan sync orders --overlay prod"
    )


def test_the_terraform_of_the_machine_identity_has_the_names_of_the_guide(project: Project) -> None:
    text = project.run("arcan bootstrap prod --format=terraform")
    (block,) = re.findall(
        r'resource "kubernetes_secret_v1" "external_secrets_infisical_\w+" \{.*?^\}', text, re.M | re.S
    )
    for word in ("infisical-machine-identity", "external-secrets", "clientId", "clientSecret"):
        assert f'"{word}"' in block


def test_a_token_of_vault_is_replaced_by_the_script_that_made_it(project: Project) -> None:
    script = project.run("arcan bootstrap prod")
    assert "REPLACE='NAMESPACE/NAME ...'" in script
    assert "kubectl create secret generic vault-token --namespace=external-secrets" in script
    assert "--from-literal" not in script


# --- the parts of the guides that are no manifests


def answered(store: Manifest, external_secret: Manifest, folder: Path) -> dict[str, str]:
    """The Secret that ESO makes where the endpoint answers as the second guide expects."""
    secrets = [{"username": "admin", "password": "secure-password-123"}]
    with serving(make_authority(folder, host="your-http-endpoint.com")) as endpoint:
        endpoint.says(json.dumps({"secrets": secrets}).encode())
        webhook = {
            **store["spec"]["provider"]["webhook"],
            "caBundle": base64.b64encode(endpoint.ca.encode()).decode(),
        }
        metadata = {
            "name": "endpoint-token",
            "namespace": "web",
            "labels": {"external-secrets.io/type": "webhook"},
        }
        objects = [
            {**store, "spec": {"provider": {"webhook": webhook}}},
            external_secret,
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": "t"}},
        ]
        cluster = read_cluster([("guide", one) for one in read_documents(emit(objects).encode(), "guide")])
        outcome = refresh(cluster.external_secrets[0], cluster, NetTransport(connect_to=endpoint.address))
        assert outcome.fate is Fate.CREATED, outcome.events
        assert outcome.secret is not None
        assert {(asked.target, asked.headers["Authorization"]) for asked in endpoint.asked} == {
            ("/secrets", "Bearer t")
        }
        return {name: value.decode() for name, value in outcome.secret.data.items()}


def test_the_answer_of_the_second_guide_gives_each_key_its_own_value(
    project: Project, tmp_path: Path
) -> None:
    store = project.find("overlays/prod/web/stores.yaml", "SecretStore", "webhook-secret-store")
    external_secret = project.find(
        "overlays/prod/web/apps/web.yaml", "ExternalSecret", "webhook-external-secret"
    )
    assert answered(store, external_secret, tmp_path) == {
        "username": "admin",
        "password": "secure-password-123",
    }


def test_its_own_path_would_give_every_key_the_whole_first_element(project: Project, tmp_path: Path) -> None:
    """With all else mended: apiVersion, headers, the token in a Secret."""
    store = project.find("overlays/prod/web/stores.yaml", "SecretStore", "webhook-secret-store")
    webhook = {**store["spec"]["provider"]["webhook"], **{"result": {"jsonPath": "$.secrets[*]"}}}
    mended = {**store, "spec": {"provider": {"webhook": webhook}}}
    external_secret = project.find(
        "overlays/prod/web/apps/web.yaml", "ExternalSecret", "webhook-external-secret"
    )
    found = answered(mended, external_secret, tmp_path)
    assert found["username"] == found["password"]
    assert json.loads(found["password"])["password"] == "secure-password-123"


def test_one_cluster_store_serves_the_namespaces_of_its_apps_and_no_others(project: Project) -> None:
    for name, users in (
        ("vault", ["myapp", "reports"]),
        ("infisical", ["authentik", "monitoring", "my-app", "openclaw"]),
    ):
        store = project.find("overlays/prod/_platform/cluster-stores.yaml", "ClusterSecretStore", name)
        assert store["spec"]["conditions"] == [{"namespaces": users}]


def test_a_workload_finds_the_secret_and_the_key(project: Project) -> None:
    """`env` of the guide's Deployment, which stays as it is: secretKeyRef names what is generated."""
    made = project.find("overlays/prod/my-app/apps/my-app.yaml", "ExternalSecret", "my-app-secret")
    assert made["spec"]["target"]["name"] == "my-app-secret"
    assert [entry["secretKey"] for entry in made["spec"]["data"]] == ["MY_API_KEY"]


def test_a_kustomization_lists_the_stores_and_the_external_secrets(project: Project) -> None:
    (overlay,) = project.objects("overlays/prod/kustomization.yaml")
    assert {"_platform", "my-app", "authentik"} <= set(overlay["resources"])
    (stores,) = project.objects("overlays/prod/_platform/kustomization.yaml")
    assert "cluster-stores.yaml" in stores["resources"]
    (app,) = project.objects("overlays/prod/my-app/kustomization.yaml")
    assert "apps/my-app.yaml" in app["resources"]


def test_the_operator_has_the_names_by_which_the_guides_ask_for_its_logs(project: Project) -> None:
    eso = project.find("argocd/clusters/in-cluster/external-secrets.yaml", "Application", "external-secrets")
    assert eso["spec"]["source"]["helm"]["releaseName"] == "external-secrets"
    assert eso["spec"]["destination"]["namespace"] == "external-secrets"
    openshift = project.find(
        "argocd/clusters/openshift/external-secrets.yaml", "Application", "external-secrets-openshift"
    )
    assert openshift["spec"]["destination"]["namespace"] == "external-secrets-operator"


def test_the_metrics_of_the_third_guide_do_not_exist_and_those_in_their_place_do(project: Project) -> None:
    metrics = {
        "external_secrets_reconciled": "externalsecret_sync_calls_total",
        "external_secrets_failures": "externalsecret_sync_calls_error",
    }
    rule = project.find("components/monitoring/prometheus-rule.yaml", "PrometheusRule", "arcan")
    dashboard = emit(project.objects("components/monitoring/dashboard.yaml"))
    for theirs, ours in metrics.items():
        for name, found in ((theirs, ["ARC070"]), (ours, [])):
            group = {"name": "g", "rules": [{"alert": "A", "expr": f"rate({name}[30m]) > 0"}]}
            report = lint(
                [Source("x", emit([{**rule, "spec": {"groups": [group]}}]).encode())], EsoVersion(2, 9)
            )
            assert [finding.rule for finding in report.findings] == found
        assert theirs not in emit([rule]) + dashboard
        assert ours in emit([rule]) + dashboard


def test_the_policy_lets_in_every_store_that_is_declared_beside_it(project: Project) -> None:
    built = project.build("overlays/prod")
    (constraint,) = (one for one in built if one["kind"] == "ArcanStores")
    allowed = constraint["spec"]["parameters"]
    stores = [
        one for one in built if one["kind"].endswith("SecretStore") and "webhook" in one["spec"]["provider"]
    ]
    assert len(stores) == 2
    for store in stores:
        webhook, metadata = store["spec"]["provider"]["webhook"], store["metadata"]
        known = "caProvider" in webhook and urlsplit(webhook["url"]).netloc in allowed["allowedHosts"]
        assert known or f"{metadata['namespace']}/{metadata['name']}" in allowed["exemptStores"]


def test_nothing_here_asks_for_a_privileged_scc(project: Project) -> None:
    built = emit(list(project.everything()))
    assert "privileged" not in built.replace("allowPrivilegeEscalation", "")
    assert "SecurityContextConstraints" not in built


# --- the page


@dataclass(frozen=True)
class Row:
    line: int
    shows: str
    here: str
    differs: str
    proof: str

    @property
    def text(self) -> str:
        return " ".join((self.shows, self.here, self.differs))

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`([\w/.]+::[^`]+)`", self.proof)


def rows() -> list[Row]:
    found = []
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if not line.startswith("| ") or line.startswith("| the guide shows |"):
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        assert len(cells) == 4, f"docs/seeds.md:{number}: {len(cells)} cells"
        found.append(Row(number, *cells))
    return found


ROWS = rows()
CODE = re.compile(r"`([^`]+)`")


def row_of(name: str) -> Row:
    (found,) = (row for row in ROWS if f"](../tests/docs/seeds/shown/{name}.yaml)" in row.shows)
    return found


@cache
def functions_of(path: Path) -> frozenset[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"line-{row.line}")
def test_a_row_says_what_is_here_and_names_tests_that_exist(row: Row) -> None:
    assert row.shows
    assert row.here
    assert row.tests, "no test is named"
    for test in row.tests:
        file, _, name = test.partition("::")
        function, _, case = name.removesuffix("]").partition("[")
        assert function in functions_of(ROOT / "tests" / file), test
        assert not case or case in SHOWN, test


@pytest.mark.parametrize("name", SHOWN)
def test_a_manifest_of_a_guide_has_a_row_that_names_its_test_and_all_that_differs(name: str) -> None:
    row, one = row_of(name), SHOWN[name]
    assert f"docs/test_seeds.py::test_a_declaration_gives_it[{name}]" in row.tests
    words = "|".join(map(re.escape, CODE.findall(row.differs)))
    for path in (*one.added, *one.changed, *one.gone):
        assert words, path
        assert re.search(rf"(?:^|[./])(?:{words})(?:$|[./\[])", path), (
            f"the row does not say that {path} differs"
        )


@pytest.mark.parametrize("guide", GUIDES)
def test_a_row_names_the_lint_rules_that_find_what_its_manifest_gets_wrong(
    guide: str, project: Project
) -> None:
    """All of a guide together; beside a part stands the whole that is generated, for what refers to it."""
    shown = [one for one in SHOWN.values() if one.guide == guide]
    wholes = [project.find(one.origin, one.kind, one.object_name) for one in shown if one.part]
    sources = [Source(one.name, one.text.encode()) for one in shown]
    report = lint([*sources, Source("wholes", emit(wholes).encode())], EsoVersion(2, 9))
    found: dict[str, set[str]] = {one.name: set() for one in shown}
    for finding in report.findings:
        assert finding.place is not None
        found.get(finding.place.path, set()).add(finding.rule)
    for name, rules in found.items():
        row = row_of(name)
        assert set(re.findall(r"\[(ARC\d+)\]", row.text)) == rules, name


def test_the_page_says_what_every_generated_object_has_besides() -> None:
    top = PAGE.read_text().partition("\n## ")[0]
    for path in EVERYWHERE:
        assert f"`{path.rpartition('.')[2].rpartition('/')[2]}`" in top, path


def commands(program: str, cells: Iterator[str]) -> list[str]:
    spans = [span for cell in cells for span in CODE.findall(cell)]
    parts = [part.strip() for span in spans for part in re.split(r" [|] | && ", span)]
    return sorted({part for part in parts if part.startswith(f"{program} ")})


@pytest.mark.parametrize("line", commands("arcan", (row.text for row in ROWS)))
def test_every_command_of_the_page_is_one(line: str) -> None:
    command: click.Command = arcan
    words = shlex.split(re.sub(r" [<>].*", "", line))[1:]
    while isinstance(command, click.Group):
        if words and words[0] not in command.commands and "overlay" in command.commands:
            words.insert(0, "overlay")  # `arcan bootstrap prod`
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found
    command.make_parser(click.Context(command)).parse_args(words)  # raises for an unknown option


KINDS = {"secretstore", "clustersecretstore", "externalsecret", "secret", "configmap", "deployment", "deploy"}


@pytest.mark.parametrize("line", commands("kubectl", (row.here for row in ROWS)))
def test_what_a_kubectl_command_of_the_page_names_is_here(line: str, project: Project) -> None:
    """A kind and a name of its command line are those of a generated object, and so is the namespace."""
    words = [
        part
        for word in shlex.split(line)[1:]
        for part in (word.split("=", 1) if word.startswith("--") else [word])
    ]
    everything = [(one["kind"].lower(), one["metadata"]) for one in project.everything() if "metadata" in one]
    namespaces = {metadata.get("namespace") for _, metadata in everything}
    operator = {"external-secrets", "external-secrets-operator"}
    for flag, value in pairwise(words):
        if flag in ("-n", "--namespace") and value != "NAMESPACE":
            assert value in namespaces | operator, line
        if flag in ("-f", "--filename") and value not in ("-",):
            assert (ROOT / value).exists() or (project.folder / value).exists(), line
    plain = [word for word in words if not word.startswith("-")]
    if plain[0] == "logs":
        assert operator & set(re.findall(r"[\w-]+", line)), line
    elif len(plain) > 2 and plain[1] in KINDS and not plain[2].isupper() and "-A" not in words:
        made = plain[2]
        found = [metadata["name"] for kind, metadata in everything if kind == plain[1]]
        targets = [
            one["spec"]["target"]["name"] for one in project.everything() if one["kind"] == "ExternalSecret"
        ]
        assert made in found or (plain[1] == "secret" and made in targets), line
