"""`arcan bootstrap` as an operator types it: which overlay, and a certificate that is never shown by accident."""

from __future__ import annotations

import base64
import os
import pty
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio import read_documents
from tests.support.realm_files import RealmFiles

APP = "name: shop\nrealm: production\nnamespace: shop\ntoken: shop\nsecrets: [{name: env, keys: [URL]}]\n"
ARCAN = [sys.executable, "-c", "from arcan_gitops.cli import main; main()"]


@pytest.fixture(scope="session")
def realms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for environment in ("prod", "staging"):
        RealmFiles(folder / environment).write("production", environment, "URL: x\n")
    return folder


@pytest.fixture
def project(tmp_path: Path, realms: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The realm production with prod and staging, one app, no arcan.yaml."""
    for environment in ("prod", "staging"):
        target = tmp_path / f"realms/production/{environment}.sops.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((realms / environment / "realms/production" / target.name).read_bytes())
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/apps/shop.yaml").write_text(APP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["bootstrap", *arguments])


@pytest.mark.usefixtures("project")
def test_an_overlay_is_named_with_or_without_the_word() -> None:
    plain = run("prod")
    assert plain.exit_code == 0, plain.exception
    assert "for overlay 'prod'" in plain.stdout
    assert run("overlay", "prod").stdout == plain.stdout
    assert run("--format", "manifests", "prod").stdout.count("REPLACE_ME") >= 2


def test_the_only_overlay_needs_no_name(project: Path) -> None:
    (project / "kustomize/arcan.yaml").write_text("overlays: {only: {environment: prod}}\n")
    assert "for overlay 'only'" in run().stdout


@pytest.mark.usefixtures("project")
def test_of_several_overlays_one_is_to_be_named_and_a_wrong_name_is_mended() -> None:
    error = run().exception
    assert isinstance(error, ArcanError)
    assert error.hint == "name one of them: prod, staging"
    error = run("prd").exception
    assert isinstance(error, ArcanError)
    assert error.hint == "did you mean 'prod'?"


def test_an_overlay_may_be_called_like_a_command(project: Path) -> None:
    (project / "kustomize/arcan.yaml").write_text("overlays: {ca: {environment: prod}}\n")
    assert "for overlay 'ca'" in run("overlay", "ca").stdout


def test_the_certificate_serves_and_its_ca_is_the_one_of_the_config_map(
    project: Path, tmp_path: Path
) -> None:
    (project / "kustomize/arcan.yaml").write_text("server: {url: 'https://arcan.example.org:9797'}\n")
    result = run("ca", "--format", "secret")
    secret, config_map = read_documents(result.stdout.encode(), "stdout")
    assert (secret["type"], secret["metadata"]["namespace"]) == ("kubernetes.io/tls", "arcan")
    data = {name: base64.b64decode(text) for name, text in secret["data"].items()}
    assert config_map["data"]["ca.crt"].encode() == data["ca.crt"]
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).write_bytes(data[name])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    leaf = x509.load_pem_x509_certificate(data["tls.crt"])
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(data["ca.crt"]))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [
        "arcan.arcan.svc",
        "arcan.arcan.svc.cluster.local",
        "arcan.example.org",
    ]


def test_what_is_in_the_folder_is_used_again(project: Path) -> None:
    command = ("ca", "--output-dir", "tls", "--host", "arcan.internal", "--format", "secret")
    first, second = run(*command), run(*command)
    assert first.exit_code == 0, first.exception
    assert second.stdout == first.stdout
    assert "the certificate for arcan.internal ends on" in first.stderr
    assert (project / "tls/ca.key").stat().st_mode & 0o777 == 0o600
    assert run("ca", "--output-dir", "tls", "--host", "arcan.internal").stdout == ""


@pytest.mark.parametrize("name", ["ca.key", "server.key"])
def test_a_private_key_that_everybody_can_read_is_warned_of(project: Path, name: str) -> None:
    command = ("ca", "--output-dir", "tls", "--host", "arcan.internal")
    assert "warning" not in run(*command).stderr
    (project / "tls" / name).chmod(0o644)
    assert f"warning: tls/{name}: everybody on this machine can read it; end that: chmod 600 tls/{name}" in (
        run(*command).stderr
    )


@pytest.mark.usefixtures("project")
def test_a_place_and_valid_hosts_are_asked_for() -> None:
    assert run("ca").exit_code == 2
    wrong = run("ca", "--format", "secret", "--host", "no host")
    assert (wrong.exit_code, wrong.stdout) == (2, "")


@pytest.mark.parametrize(("options", "shown"), [([], False), (["--reveal"], True)])
def test_a_terminal_sees_the_key_only_if_it_says_so(project: Path, options: list[str], shown: bool) -> None:
    controller, terminal = pty.openpty()
    command = [*ARCAN, "bootstrap", "ca", "--format=secret", *options]
    with os.fdopen(controller, "rb", buffering=0) as screen:
        process = subprocess.Popen(command, stdout=terminal, stderr=subprocess.PIPE, cwd=project)
        os.close(terminal)
        seen = b""
        try:
            while chunk := screen.read(65536):
                seen += chunk
        except OSError:  # how a terminal of Linux says that nobody writes to it any more
            pass
        _, stderr = process.communicate(timeout=60)
    assert (b"tls.key" in seen) is shown
    assert process.returncode == (0 if shown else 1)
    assert (b"standard output is a terminal" in stderr) is not shown
