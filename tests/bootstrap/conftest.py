"""A repository whose overlay needs one of everything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bootstrap.cluster import FakeCluster
from tests.support.realm_files import CANARY, RealmFiles

SETTINGS = """\
server:
  url: https://arcan.example.org:9797
stores:
  vault:
    vault:
      scope: cluster
      server: https://vault.example.org:8200
      path: secret
      auth: {tokenSecretRef: {name: vault-token, key: token}}
  infisical:
    infisical:
      scope: cluster
      auth:
        universalAuthCredentials:
          clientId: {name: infisical-machine-identity, key: clientId}
          clientSecret: {name: infisical-machine-identity, key: clientSecret}
      secretsScope: {projectSlug: homelab}
  webhook:
    legacy:
      url: 'https://secrets.example.org/{{ .remoteRef.key }}'
      headers: {Authorization: 'Bearer {{ .auth.token }}'}
      secrets: [{name: auth, secretRef: {name: legacy-auth, key: token}}]
      result: {jsonPath: '$["value"]'}
      ca: {configMap: legacy-ca, key: root.pem}
  aws:
    aws:
      region: eu-central-1
      auth: {jwt: {serviceAccountRef: {name: aws-reader}}}
overlays:
  prod:
    environment: prod
    server: {deploy: {image: 'registry.example.org/arcan:1', components: [own-ca]}}
  away: {environment: prod}
"""
REALM_APP = (
    "name: {0}\nrealm: production\ntoken: {1}\nnamespace: {2}\nsecrets: [{{name: {0}-env, keys: [URL]}}]\n"
)
STORE_APP = "name: {0}\nstore: {1}\nnamespace: {2}\nsecrets: [{{name: {0}-env, keys: [{{key: a, as: A}}]}}]\n"
APPS = {
    "shop": REALM_APP.format("shop", "shop", "shop"),
    "web": REALM_APP.format("web", "shop", "web"),
    "mailer": REALM_APP.format("mailer", "mailer", "mailer"),
    "vaulted": STORE_APP.format("vaulted", "vault", "vaulted"),
    "homelab": STORE_APP.format("homelab", "infisical", "homelab"),
    "old": STORE_APP.format("old", "legacy", "old"),
    "cloud": STORE_APP.format("cloud", "aws", "cloud"),
}
# `shop` is recorded, `mailer` is not
TOKENS = (
    "version: 1\ntokens:\n- {id: AAAAAAAAAAAA, name: shop, policy: read-only,"
    f" created: '2026-01-01T00:00:00Z', digest: 'sha256:{'a' * 64}'}}\n"
)
VALUES = {
    "identity.txt": f"# public key: age1\nAGE-SECRET-KEY-{CANARY}\n",
    "tokens/production/shop": f"arc_{CANARY}-shop\n",
    "external-secrets/vault-token/token": f"hvs.{CANARY}",
    "external-secrets/infisical-machine-identity/clientId": f"id-{CANARY}",
    "external-secrets/infisical-machine-identity/clientSecret": f"$(touch pwned) 'quoted' \"{CANARY}\" \\n",
    "old/legacy-auth/token": f"legacy {CANARY}",
    "old/legacy-ca/root.pem": "-----BEGIN CERTIFICATE-----\nlegacy\n-----END CERTIFICATE-----\n",
}


@pytest.fixture(scope="session")
def repository_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    RealmFiles(folder).write("production", "prod", f"URL: {CANARY}\n")
    (folder / "identity.txt").unlink()
    (folder / "realms/production/tokens.yaml").write_text(TOKENS)
    (folder / "kustomize/apps").mkdir(parents=True)
    (folder / "kustomize/arcan.yaml").write_text(SETTINGS)
    for name, text in APPS.items():
        (folder / f"kustomize/apps/{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def repository(repository_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, which is the working directory."""
    folder = tmp_path / "repository"
    shutil.copytree(repository_files, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def values(tmp_path: Path) -> Path:
    """The folder VALUES, with all that nobody makes."""
    folder = tmp_path / "values"
    for name, text in VALUES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    return FakeCluster(tmp_path / "cluster")
