"""`arcan simulate`, as a process of its own, against a real TLS endpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcan_gitops.yamlio import emit
from tests.eso.endpoint import Answer, Asked, Authority, Endpoint, make_authority, serving
from tests.eso.samples import (
    Manifest,
    bulk_store,
    credentials,
    entry,
    external_secret,
    extract,
    store,
)

CA_PROVIDER = {"type": "ConfigMap", "name": "arcan-ca", "key": "ca.crt"}
MARKER = "marker-value"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def endpoint(authority: Authority) -> Iterator[Endpoint]:
    def answer(asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != "Bearer arc_good":
            return Answer(401)
        single = "/K?" in asked.target
        body = f'{{"value":"{MARKER}"}}' if single else f'{{"data":{{"A":"{MARKER}","B":"a\\nb"}}}}'
        return Answer(200, body.encode())

    with serving(authority) as endpoint:
        endpoint.says(answer)
        yield endpoint


@pytest.fixture
def manifests(tmp_path: Path, endpoint: Endpoint) -> Path:
    """A folder as `arcan generate` and `arcan generate overlays` write it, and the CA beside it."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "stores.yaml").write_text(
        emit(
            [store(caProvider=CA_PROVIDER, caBundle=None), bulk_store(caProvider=CA_PROVIDER, caBundle=None)]
        )
    )
    apps = [external_secret(), external_secret(data_from=(extract(),), name="bulk")]
    (folder / "apps.yaml").write_text(emit(apps))
    (folder / "kustomization.yaml").write_text("resources: [stores.yaml, apps.yaml]\n")
    (tmp_path / "ca.crt").write_text(endpoint.ca)
    return folder


class Run:
    """One run of the command; the token must be in neither stream."""

    def __init__(self, *arguments: object, stdin: str = "", token: str | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ARCAN_")}
        if token is not None:
            environment["ARCAN_TOKEN"] = token
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from arcan_gitops.cli import main; main()",
                "simulate",
                *map(str, arguments),
            ],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        assert "arc_good" not in self.out + self.err
        assert "Traceback" not in self.err


def options(manifests: Path, endpoint: Endpoint) -> list[object]:
    ca = manifests.parent / "ca.crt"
    return ["-f", manifests, "--ca-file", ca, "--connect-to", f"127.0.0.1:{endpoint.port}"]


def test_it_prints_the_secrets_that_eso_would_write_and_no_value(manifests: Path, endpoint: Endpoint) -> None:
    run = Run(*options(manifests, endpoint), token="arc_good")
    assert (run.status, run.err) == (0, "")
    assert run.out == (
        "SecretStore default/arcan: Ready (Valid: store validated)\n"
        "\n"
        "SecretStore default/arcan-bulk: Ready (Valid: store validated)\n"
        "\n"
        "ExternalSecret default/my-app-secrets: SecretSynced: secret synced\n"
        "  event: Normal Created: secret created\n"
        "  Secret default/my-app-secrets (Opaque): created\n"
        "    K: ******** (12 bytes)\n"
        "\n"
        "ExternalSecret default/bulk: SecretSynced: secret synced\n"
        "  event: Normal Created: secret created\n"
        "  Secret default/bulk (Opaque): created\n"
        "    A: ******** (12 bytes)\n"
        "    B: ******** (3 bytes)\n"
        "\n"
        "2 of 2 ExternalSecrets would be synced (by ESO 2.9.0, the newest known here)\n"
    )


def test_the_token_comes_from_standard_input_too(manifests: Path, endpoint: Endpoint) -> None:
    run = Run(*options(manifests, endpoint), "--token-stdin", stdin="arc_good\n", token="arc_other")
    assert run.status == 0


def test_reveal_shows_the_values(manifests: Path, endpoint: Endpoint) -> None:
    run = Run(*options(manifests, endpoint), "--reveal", token="arc_good")
    assert f"    A: {MARKER} (12 bytes)\n    B: (3 bytes)\n      a\n      b\n" in run.out


def test_json_is_masked_as_well(manifests: Path, endpoint: Endpoint) -> None:
    run = Run(*options(manifests, endpoint), "--format", "json", token="arc_good")
    assert MARKER not in run.out
    document = json.loads(run.out)
    assert document["passed"] is True
    assert document["stores"][0]["ready"] is True
    assert document["externalSecrets"][0]["secret"]["keys"] == [{"key": "K", "bytes": 12}]
    revealed = json.loads(
        Run(*options(manifests, endpoint), "--format=json", "--reveal", token="arc_good").out
    )
    assert revealed["externalSecrets"][0]["secret"]["keys"] == [{"key": "K", "bytes": 12, "value": MARKER}]


def test_manifests_may_come_from_standard_input(manifests: Path, endpoint: Endpoint) -> None:
    both = "".join((manifests / name).read_text() for name in ("stores.yaml", "apps.yaml"))
    arguments = ["-f", "-", *options(manifests, endpoint)[2:]]
    assert Run(*arguments, stdin=both, token="arc_good").status == 0
    twice = Run(*arguments, "--token-stdin", stdin=both)
    assert twice.status == 2
    assert "standard input can be the token or the manifests, not both" in twice.err


def test_a_secret_among_the_manifests_is_used_as_it_is(manifests: Path, endpoint: Endpoint) -> None:
    unlabelled = credentials({"token": "arc_good"}, label=None)
    (manifests / "token.yaml").write_text(emit([unlabelled]))
    run = Run(*options(manifests, endpoint), token="arc_good")
    assert run.status == 1
    assert "secret does not contain needed label 'external-secrets.io/type: webhook'" in run.out
    assert "likely cause: the token Secret needs the label: kubectl label secret" in run.out


@pytest.mark.parametrize(
    ("status", "event", "cause"),
    [
        (401, "endpoint gave error 401 Unauthorized", "the token is unknown, expired or revoked"),
        (403, "endpoint gave error 403 Forbidden", "its scope leaves out this realm, environment or key"),
        (404, "Secret does not exist", "the environment has no such key"),
        (503, "endpoint gave error 503 Service Unavailable", "the server is starting, draining"),
        (400, "endpoint gave error 400 Bad Request", "names an environment that the server has not loaded"),
    ],
)
def test_a_refusal_is_shown_in_eso_s_words_and_in_ours(
    manifests: Path, endpoint: Endpoint, status: int, event: str, cause: str
) -> None:
    endpoint.says(Answer(status))
    run = Run(*options(manifests, endpoint), token="arc_good")
    assert run.status == 1
    assert "my-app-secrets: SecretSyncedError: could not get secret data from provider" in run.out
    assert f"event: Warning UpdateFailed: error processing spec.data[0] (key: K), err: {event}" in run.out
    assert cause in run.out
    assert "0 of 2 ExternalSecrets would be synced" in run.out


def test_a_ca_that_did_not_sign_the_server_is_explained(
    manifests: Path, endpoint: Endpoint, tmp_path: Path
) -> None:
    (manifests.parent / "ca.crt").write_text(make_authority(tmp_path).ca)
    run = Run(*options(manifests, endpoint), token="arc_good")
    assert run.status == 1
    assert "x509: certificate signed by unknown authority" in run.out
    assert "likely cause: the server's certificate is not by the CA that the store trusts" in run.out


def test_a_closed_port_makes_the_stores_unready_and_says_so(manifests: Path, endpoint: Endpoint) -> None:
    arguments = options(manifests, endpoint)
    arguments[-1] = "127.0.0.1:1"
    run = Run(*arguments, token="arc_good")
    assert run.status == 1
    assert "SecretStore default/arcan: not Ready (InvalidProviderConfig: unable to validate store)" in run.out
    assert "dial tcp 127.0.0.1:1: connect: connection refused" in run.out
    assert 'SecretStore "arcan" is not ready' in run.out


def test_a_wrong_template_name_is_noticed(manifests: Path, endpoint: Endpoint) -> None:
    broken = store(
        caProvider=CA_PROVIDER, caBundle=None, headers={"Authorization": "Bearer {{ .auth.nope }}"}
    )
    (manifests / "stores.yaml").write_text(emit([broken, bulk_store(caProvider=CA_PROVIDER, caBundle=None)]))
    run = Run(*options(manifests, endpoint), token="arc_good")
    assert "note: SecretStore default/arcan sends '<no value>' in the header Authorization" in run.out


def test_what_the_emulator_cannot_do_fails_only_its_external_secret(
    manifests: Path, endpoint: Endpoint
) -> None:
    unknown = external_secret(name="unknown", template={"data": {"a": "{{ now }}"}})
    (manifests / "unknown.yaml").write_text(emit([unknown]))
    run = Run(*options(manifests, endpoint), token="arc_good")
    assert run.status == 1
    assert "default/unknown: not supported by the emulator: the function 'now' of a template" in run.out
    assert "docs/simulate.md lists what the emulator leaves out" in run.out
    assert "2 of 3 ExternalSecrets would be synced" in run.out


def test_without_a_token_the_missing_secret_is_named(manifests: Path, endpoint: Endpoint) -> None:
    run = Run(*options(manifests, endpoint))
    assert run.status == 1
    assert 'secrets "arcan-credentials" not found' in run.out
    assert "give the token by --token-stdin or ARCAN_TOKEN" in run.out


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([store(url=None)], "SecretStore arcan: spec.provider.webhook.url is missing"),
        ([store()], "there is no ExternalSecret in these manifests"),
        ([store(), external_secret(entry(), entry())], "duplicate secretKey found: K"),
    ],
)
def test_bad_manifests_are_an_error_and_nothing_is_printed(
    tmp_path: Path, documents: list[Manifest], message: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(emit(documents))
    run = Run("-f", path, token="arc_good")
    assert (run.status, run.out) == (1, "")
    assert run.err.startswith("arcan: error: ")
    assert message in run.err


@pytest.mark.parametrize("address", ["9797", "host:", "host:x", "host:0", "host:65536"])
def test_an_address_that_is_none_is_wrong_usage(tmp_path: Path, address: str) -> None:
    run = Run("-f", tmp_path, "--connect-to", address)
    assert run.status == 2
    assert "is not HOST:PORT" in run.err


def test_an_empty_standard_input_is_no_token(manifests: Path, endpoint: Endpoint) -> None:
    run = Run(*options(manifests, endpoint), "--token-stdin")
    assert run.status == 1
    assert "there is no token on standard input" in run.err


def test_the_committed_overlays_are_what_the_emulator_reads() -> None:
    from arcan_gitops.eso import read_cluster
    from arcan_gitops.eso.files import manifest_files, read_file, read_manifests

    overlays = Path(__file__).parents[1] / "golden"
    roots = sorted(overlays.glob("*/overlays/*"))
    assert roots
    labels = {"pull-secrets": "registry"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "labelled", "labels": labels}}
    for root in roots:
        files = manifest_files(root)
        manifests = read_manifests((str(file), read_file(file)) for file in files)
        cluster = read_cluster([*manifests, ("namespace", namespace)])
        assert cluster.external_secrets
        for external in cluster.external_secrets:
            for wanted in (*external.data, *external.data_from):
                assert wanted.store is not None
                store = cluster.store(wanted.store)
                assert (store.webhook is not None) is (store.provider == "webhook")


@pytest.fixture
def two_tokens(manifests: Path) -> Path:
    """The stores read a Secret each; the token of the bulk store is in a manifest."""
    bulk = bulk_store(caProvider=CA_PROVIDER, caBundle=None)
    bulk["spec"]["provider"]["webhook"]["secrets"][0]["secretRef"]["name"] = "bulk-credentials"
    stores = [store(caProvider=CA_PROVIDER, caBundle=None), bulk]
    (manifests / "stores.yaml").write_text(emit(stores))
    (manifests.parent / "token").write_text("arc_good\n")
    (manifests.parent / "secret.yaml").write_text(emit([credentials({"token": "arc_good"}, name="any")]))
    (manifests.parent / "unlabelled.yaml").write_text(emit([credentials({"token": "arc_good"}, label=None)]))
    return manifests


def test_each_store_takes_a_token_of_its_own(two_tokens: Path, endpoint: Endpoint) -> None:
    folder = two_tokens.parent
    tokens = [
        "--token",
        f"arcan={folder / 'token'}",
        "--token",
        f"default/arcan-bulk={folder / 'secret.yaml'}",
    ]
    run = Run(*options(two_tokens, endpoint), *tokens)
    assert (run.status, run.err) == (0, "")
    assert "2 of 2 ExternalSecrets would be synced" in run.out
    alone = Run(*options(two_tokens, endpoint), *tokens[:2])
    assert "1 of 2 ExternalSecrets would be synced" in alone.out
    both = Run(*options(two_tokens, endpoint), *tokens[:2], token="arc_good")
    assert "2 of 2 ExternalSecrets would be synced" in both.out


def test_a_secret_s_manifest_is_taken_with_its_labels(two_tokens: Path, endpoint: Endpoint) -> None:
    file = two_tokens.parent / "unlabelled.yaml"
    run = Run(*options(two_tokens, endpoint), "--token", f"arcan={file}", token="arc_good")
    assert run.status == 1
    assert "secret does not contain needed label" in run.out


@pytest.mark.parametrize(
    ("given", "text", "problem"),
    [
        ("arcn={}", "arc_good", "there is no store 'arcn' in these manifests"),
        ("arcan={}", "", "is empty"),
        ("arcan={}", "arc_good\narc_good\n", "holds neither a token"),
        ("arcan={}x", "arc_good", "no such file"),
    ],
)
def test_a_token_that_cannot_be_is_named(
    two_tokens: Path, endpoint: Endpoint, given: str, text: str, problem: str
) -> None:
    file = two_tokens.parent / "given"
    file.write_text(text)
    run = Run(*options(two_tokens, endpoint), "--token", given.format(file))
    assert run.status != 0
    assert problem in run.err.lower()


def test_two_tokens_cannot_be_in_one_secret(manifests: Path, endpoint: Endpoint) -> None:
    for name in ("one", "two"):
        (manifests.parent / name).write_text(f"arc_{name}")
    tokens = [
        part
        for s, f in (("arcan", "one"), ("arcan-bulk", "two"))
        for part in ("--token", f"{s}={manifests.parent / f}")
    ]
    run = Run(*options(manifests, endpoint), *tokens)
    assert "stores 'arcan' and 'arcan-bulk' read one Secret, default/arcan-credentials" in run.err


def test_a_token_without_a_file_is_wrong_usage(manifests: Path, endpoint: Endpoint) -> None:
    run = Run(*options(manifests, endpoint), "--token", "arcan")
    assert run.status == 2
    assert "must be STORE=FILE" in run.err
