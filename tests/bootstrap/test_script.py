"""The script of `arcan bootstrap`, run: on an empty cluster, again, after a fault, and with values missing."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from arcan_gitops.access import TokenRecord, digest, read_tokens
from arcan_gitops.cli import arcan
from tests.bootstrap.cluster import FakeCluster
from tests.bootstrap.conftest import VALUES
from tests.support.realm_files import CANARY

LABEL = {"external-secrets.io/type": "webhook"}
SECRETS = {
    "arcan/arcan-age-identity": {"identity.txt": VALUES["identity.txt"].rstrip("\n")},
    "shop/arcan-credentials": {"token": f"arc_{CANARY}-shop"},
    "web/arcan-credentials": {"token": f"arc_{CANARY}-shop"},
    "external-secrets/vault-token": {"token": f"hvs.{CANARY}"},
    "external-secrets/infisical-machine-identity": {
        "clientId": f"id-{CANARY}",
        "clientSecret": f"$(touch pwned) 'quoted' \"{CANARY}\" \\n",
    },
    "old/legacy-auth": {"token": f"legacy {CANARY}"},
}


class Operator:
    """Somebody with a terminal, a kubectl, and a folder of values or none."""

    def __init__(self, cluster: FakeCluster, repository: Path) -> None:
        self.cluster = cluster
        self.repository = repository
        self.env = {"PATH": f"{cluster.path}:{os.environ['PATH']}"}

    def script(self, *arguments: str) -> str:
        result = CliRunner().invoke(arcan, ["bootstrap", *(arguments or ("prod",))], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    def has_what_takes_time(self) -> None:
        """The certificate and the new token are there already."""
        tls = {"tls.crt": "chain", "tls.key": "key", "ca.crt": "PEM"}
        self.cluster.put("secret/arcan/arcan-tls", **tls)
        self.cluster.put("secret/mailer/arcan-credentials", token="arc_mailer")

    def bash(self, *arguments: str, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", *arguments],
            cwd=self.repository,
            env={**self.env, **env},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def run(self, script: str, *, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return self.bash("-c", script, typed=typed, **env)


@pytest.fixture
def operator(cluster: FakeCluster, repository: Path) -> Operator:
    return Operator(cluster, repository)


def recorded(operator: Operator) -> tuple[TokenRecord, ...]:
    return read_tokens(tokens_file(operator).encode(), "tokens.yaml")


def tokens_file(operator: Operator) -> str:
    return (operator.repository / "realms/production/tokens.yaml").read_text()


def test_on_an_empty_cluster_everything_is_made_and_a_second_run_does_the_same(
    operator: Operator, values: Path
) -> None:
    script, cluster = operator.script(), operator.cluster
    done = operator.run(script, VALUES=str(values))
    assert done.returncode == 0, done.stderr
    for place, data in SECRETS.items():
        assert cluster.secret(place) == data, place
    minted = cluster.secret("mailer/arcan-credentials")["token"]
    assert minted.startswith("arc_")
    (mailer,) = (record for record in recorded(operator) if record.name == "mailer")
    assert (mailer.environments, mailer.keys) == (("prod",), ("URL",))
    assert mailer.expires == mailer.created + timedelta(days=180)
    for place in ("shop/arcan-credentials", "mailer/arcan-credentials", "old/legacy-auth"):
        assert cluster.labels(place) == LABEL
    assert cluster.labels("external-secrets/vault-token") == {}
    tls = cluster.secret("arcan/arcan-tls")
    assert set(tls) == {"tls.crt", "tls.key", "ca.crt"}
    for namespace in ("arcan", "shop", "web", "mailer"):
        assert cluster.objects[f"configmap/{namespace}/arcan-ca"]["data"] == {"ca.crt": tls["ca.crt"]}
    assert cluster.objects["configmap/old/legacy-ca"]["data"] == {
        "root.pem": VALUES["old/legacy-ca/root.pem"]
    }
    assert (values / "tls/ca.crt").read_text() == tls["ca.crt"]
    for namespace in (
        "vaulted",
        "homelab",
        "cloud",
    ):  # for ExternalSecrets, and for nothing that is made here
        assert f"namespace//{namespace}" in cluster.objects

    objects, tokens = cluster.objects, tokens_file(operator)
    again = operator.run(script, VALUES=str(values))
    assert again.returncode == 0, again.stderr
    assert cluster.objects == objects
    assert tokens_file(operator) == tokens

    no_place_for_a_value = repr(cluster.calls) + repr(cluster.arcan_calls) + script
    for output in (no_place_for_a_value, done.stdout, done.stderr, again.stdout, again.stderr):
        assert CANARY not in output
        assert minted not in output
        assert "PRIVATE KEY" not in output
    assert not (operator.repository / "pwned").exists()


def test_a_token_of_one_environment_reads_no_other_and_ends_when_the_realm_says_so(
    operator: Operator, values: Path
) -> None:
    """The app has a token by overlay, and two of them are recorded by two scripts."""
    realm = operator.repository / "realms/production"
    (realm / "dev.sops.yaml").write_bytes((realm / "prod.sops.yaml").read_bytes())
    (realm / "realm.yaml").write_text("tokenExpiry: 30d\n")
    settings = operator.repository / "kustomize/arcan.yaml"
    settings.write_text(settings.read_text() + "  dev: {environment: dev}\n")
    app = operator.repository / "kustomize/apps/mailer.yaml"
    app.write_text(
        app.read_text().replace("token: mailer", "token: {prod: mailer, away: mailer, dev: mailer-dev}")
    )
    (values / "tls").mkdir()
    (values / "tls/ca.crt").write_text("PEM\n")
    done = operator.run(operator.script("dev"), VALUES=str(values))
    assert done.returncode == 0, done.stderr
    record = recorded(operator)[-1]
    assert (record.name, record.environments, record.keys) == ("mailer-dev", ("dev",), ("URL",))
    assert record.expires == record.created + timedelta(days=30)


def test_a_run_that_was_cut_off_is_finished_by_the_next_one(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    script = operator.script()
    operator.cluster.goes_away_after(30)
    cut = operator.run(script, VALUES=str(values))
    assert cut.returncode != 0
    operator.cluster.goes_away_after(None)
    assert operator.run(script, VALUES=str(values)).returncode == 0
    for place, data in SECRETS.items():
        assert operator.cluster.secret(place) == data, place


def test_a_secret_file_that_everybody_can_read_is_warned_of(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    for path in values.rglob("*"):
        if path.is_file():
            path.chmod(0o600 if path.name == "identity.txt" else 0o644)
    done = operator.run(operator.script(), VALUES=str(values))
    assert done.returncode == 0, done.stderr
    for name in VALUES:
        warned = f"warning: {values / name}: everybody on this machine can read it" in done.stderr
        assert warned is (name not in ("identity.txt", "old/legacy-ca/root.pem")), name


def test_a_cluster_that_cannot_be_reached_gets_nothing_and_no_token_is_made(
    operator: Operator, values: Path
) -> None:
    before = tokens_file(operator)
    operator.cluster.goes_away_after(0)
    done = operator.run(operator.script(), VALUES=str(values))
    assert done.returncode != 0
    assert len(operator.cluster.calls) == 1
    assert tokens_file(operator) == before


def test_what_the_cluster_has_is_kept_gets_its_label_and_is_copied_to_where_it_is_missing(
    operator: Operator, values: Path
) -> None:
    operator.has_what_takes_time()
    operator.cluster.put("secret/web/arcan-credentials", token="arc_in-use")
    operator.cluster.put("secret/external-secrets/infisical-machine-identity", clientId="in use")
    (values / "tokens/production/shop").unlink()
    done = operator.run(operator.script(), VALUES=str(values))
    assert done.returncode == 0, done.stderr
    assert operator.cluster.secret("web/arcan-credentials") == {"token": "arc_in-use"}
    assert operator.cluster.labels("web/arcan-credentials") == LABEL
    assert operator.cluster.secret("shop/arcan-credentials") == {"token": "arc_in-use"}
    machine = operator.cluster.secret("external-secrets/infisical-machine-identity")
    assert machine["clientId"] == "in use"
    assert CANARY in machine["clientSecret"]


def test_only_what_is_named_is_replaced(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    operator.cluster.put("secret/shop/arcan-credentials", token="old")
    operator.cluster.put("secret/web/arcan-credentials", token="old")
    operator.cluster.put("secret/external-secrets/vault-token", token="old")
    done = operator.run(operator.script(), VALUES=str(values), REPLACE="external-secrets/vault-token")
    assert done.returncode == 0, done.stderr
    assert operator.cluster.secret("external-secrets/vault-token") == {"token": f"hvs.{CANARY}"}
    assert operator.cluster.secret("shop/arcan-credentials") == {"token": "old"}


def test_a_token_that_is_replaced_everywhere_is_made_once(operator: Operator, values: Path) -> None:
    tokens = operator.repository / "realms/production/tokens.yaml"
    tokens.unlink()
    script = operator.script()
    for place in ("shop/arcan-credentials", "web/arcan-credentials", "mailer/arcan-credentials"):
        operator.cluster.put(f"secret/{place}", token="lost")
    operator.cluster.put("secret/arcan/arcan-tls", **{"tls.crt": "chain", "tls.key": "key", "ca.crt": "PEM"})
    (values / "tokens/production/shop").unlink()
    done = operator.run(script, VALUES=str(values), REPLACE="shop/arcan-credentials web/arcan-credentials")
    assert done.returncode == 0, done.stderr
    assert operator.cluster.secret("shop/arcan-credentials")["token"].startswith("arc_")
    assert operator.cluster.secret("shop/arcan-credentials") == operator.cluster.secret(
        "web/arcan-credentials"
    )
    assert operator.cluster.secret("mailer/arcan-credentials") == {"token": "lost"}
    assert tokens.read_text().count("name: shop") == 1


def test_a_token_whose_secret_failed_to_arrive_is_made_anew_by_the_next_run(
    operator: Operator, values: Path
) -> None:
    operator.has_what_takes_time()
    operator.cluster.remove("secret/mailer/arcan-credentials")
    operator.cluster.refuses("secret/mailer/arcan-credentials", times=2)
    script = operator.script()
    for _ in range(2):
        assert operator.run(script, VALUES=str(values)).returncode != 0
    done = operator.run(script, VALUES=str(values))
    assert done.returncode == 0, done.stderr
    assert "token 'mailer' of realm 'production' is recorded already, and was lost" in done.stderr
    text = operator.cluster.secret("mailer/arcan-credentials")["token"]
    records = [record for record in recorded(operator) if record.name == "mailer"]
    assert [record.digest == digest(text) for record in records] == [False, False, True]
    lives = [record.expires - record.created for record in records if record.expires is not None]
    assert [life > timedelta(days=100) for life in lives] == [False, False, True]

    before = tokens_file(operator)
    assert operator.run(script, VALUES=str(values)).returncode == 0
    assert operator.cluster.secret("mailer/arcan-credentials") == {"token": text}
    assert tokens_file(operator) == before


def test_no_token_is_made_where_its_secret_cannot_be(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    operator.cluster.remove("secret/mailer/arcan-credentials")
    before = tokens_file(operator)
    operator.cluster.refuses("secret/mailer/arcan-credentials", times=1, also_empty=True)
    done = operator.run(operator.script(), VALUES=str(values))
    assert done.returncode != 0
    assert tokens_file(operator) == before


def test_a_token_that_another_cluster_has_is_asked_for_and_never_rotated(
    operator: Operator, values: Path
) -> None:
    operator.has_what_takes_time()
    operator.cluster.remove("secret/mailer/arcan-credentials")
    script = operator.script()
    minted = CliRunner().invoke(arcan, ["token", "create", "--realm=production", "--name=mailer"])
    before = tokens_file(operator)
    done = operator.run(script, VALUES=str(values))
    assert done.returncode == 1
    assert "missing: token 'mailer' of realm 'production'" in done.stderr
    assert "put it into tokens/production/mailer there" in done.stderr
    assert "arcan token rotate mailer --realm=production" in done.stderr
    (values / "tokens/production/mailer").write_text(minted.stdout)
    done = operator.run(script, VALUES=str(values))
    assert done.returncode == 0, done.stderr
    assert operator.cluster.secret("mailer/arcan-credentials") == {"token": minted.stdout.strip()}
    assert tokens_file(operator) == before


def test_a_token_in_use_is_not_rotated_because_it_is_to_be_replaced(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    script = operator.script()
    operator.cluster.put("secret/mailer/arcan-credentials", token="in use")
    CliRunner().invoke(arcan, ["token", "create", "--realm=production", "--name=mailer"])
    before = tokens_file(operator)
    done = operator.run(script, VALUES=str(values), REPLACE="mailer/arcan-credentials")
    assert done.returncode == 1
    assert "missing: token 'mailer'" in done.stderr
    assert operator.cluster.secret("mailer/arcan-credentials") == {"token": "in use"}
    assert tokens_file(operator) == before


def test_a_certificate_is_renewed_under_the_ca_that_stores_trust(operator: Operator, values: Path) -> None:
    script = operator.script()
    assert operator.run(script, VALUES=str(values)).returncode == 0
    before = operator.cluster.secret("arcan/arcan-tls")
    (values / "tls/server.crt").unlink()  # as if it had less than 90 days
    assert operator.run(script, VALUES=str(values), REPLACE="arcan/arcan-tls").returncode == 0
    after = operator.cluster.secret("arcan/arcan-tls")
    assert after["ca.crt"] == before["ca.crt"]
    assert after["tls.crt"] != before["tls.crt"]


def test_without_a_folder_each_value_is_a_line_of_standard_input(operator: Operator) -> None:
    operator.has_what_takes_time()
    typed = "".join(f"typed {CANARY} {number}\n" for number in range(9))
    done = operator.run(operator.script(), typed=typed)
    assert "the CA of store legacy (PEM): set VALUES to a folder" in done.stderr  # no line holds a PEM file
    assert operator.cluster.secret("arcan/arcan-age-identity") == {"identity.txt": f"typed {CANARY} 0"}
    assert operator.cluster.secret("shop/arcan-credentials") == operator.cluster.secret(
        "web/arcan-credentials"
    )
    assert CANARY not in done.stderr + done.stdout + repr(operator.cluster.calls)


def test_a_script_on_standard_input_is_not_read_as_a_value(operator: Operator) -> None:
    operator.has_what_takes_time()
    done = operator.bash(typed=operator.script())
    assert done.returncode == 1
    assert "missing: the age identity" in done.stderr
    assert "secret/arcan/arcan-age-identity" not in operator.cluster.objects


def test_a_context_goes_to_every_kubectl(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    script = operator.script("prod", "--context", "eu 1; touch pwned")
    assert operator.run(script, VALUES=str(values)).returncode == 0
    assert {call[0] for call in operator.cluster.calls} == {"--context=eu 1; touch pwned"}
    assert not (operator.repository / "pwned").exists()


def test_without_a_server_in_the_cluster_the_ca_is_a_file(operator: Operator, values: Path) -> None:
    operator.cluster.put("secret/mailer/arcan-credentials", token="arc_mailer")
    (values / "tls").mkdir()
    (values / "tls/ca.crt").write_text("PEM\n")
    done = operator.run(operator.script("away"), VALUES=str(values))
    assert done.returncode == 0, done.stderr
    assert operator.cluster.objects["configmap/shop/arcan-ca"]["data"] == {"ca.crt": "PEM\n"}
    assert not [place for place in operator.cluster.objects if "/arcan/" in place]


@pytest.mark.parametrize("overlay", ["prod", "away"])
def test_a_second_run_needs_no_values_at_all(operator: Operator, values: Path, overlay: str) -> None:
    (values / "tls").mkdir()
    (values / "tls/ca.crt").write_text("PEM\n")
    operator.has_what_takes_time()
    script = operator.script(overlay)
    assert operator.run(script, VALUES=str(values)).returncode == 0
    before = operator.cluster.objects
    done = operator.run(script)
    assert done.returncode == 0, done.stderr
    assert operator.cluster.objects == before


def test_a_ca_that_is_there_stays_unless_it_is_named(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    script = operator.script()
    operator.cluster.put("configmap/old/legacy-ca", **{"root.pem": "there"})
    assert operator.run(script, VALUES=str(values)).returncode == 0
    assert operator.cluster.objects["configmap/old/legacy-ca"]["data"] == {"root.pem": "there"}
    assert operator.run(script, VALUES=str(values), REPLACE="old/legacy-ca").returncode == 0
    replaced = operator.cluster.objects["configmap/old/legacy-ca"]["data"]
    assert replaced == {"root.pem": VALUES["old/legacy-ca/root.pem"]}


def test_the_files_that_the_first_run_needs_are_named_in_the_head(operator: Operator) -> None:
    for overlay, files in (
        ("prod", ["old/legacy-ca/root.pem"]),
        ("away", ["old/legacy-ca/root.pem", "tls/ca.crt"]),
    ):
        head, _, _ = operator.script(overlay).partition("set -euo pipefail")
        assert [line for line in head.splitlines() if line.startswith("#   ")] == [
            f"#   $VALUES/{file}" for file in files
        ]


def test_it_ends_by_telling_eso_of_what_waited(operator: Operator, values: Path) -> None:
    operator.has_what_takes_time()
    operator.cluster.put("externalsecret/shop/waits")
    done = operator.run(operator.script(), VALUES=str(values))
    assert done.returncode == 0, done.stderr
    assert operator.cluster.objects["externalsecret/shop/waits"]["annotation"].startswith("force-sync=")
    assert operator.cluster.calls[-1][0] == "annotate"
    assert all(
        "managed-by=arcan" in " ".join(call) for call in operator.cluster.calls if call[0] == "annotate"
    )
