"""Writes the sample realms anew, encrypted to the demo identity by the real sops: `make samples`.

Every value is made up here and now; nothing of it is secret, since everybody has the demo identity.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from arcan_gitops.atomic import replace_file
from arcan_gitops.yamlio import emit

ROOT = Path(__file__).resolve().parent.parent
SOPS = Path(sys.executable).with_name("sops")


def pem_key() -> str:
    """An EC private key, PKCS #8 PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def pem_certificate(host: str) -> str:
    """A self-signed certificate, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + timedelta(days=3650))
    return certificate.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def production(environment: str) -> dict[str, object]:
    """The keys of a shop: connection strings, keys in PEM, text that wants care with quotes."""
    host = f"db.{environment}.internal"
    return {
        "DATABASE_URL": f"postgresql://shop:{secrets.token_urlsafe(18)}@{host}:5432/shop?sslmode=verify-full",
        "REDIS_URL": f"rediss://:{secrets.token_urlsafe(18)}@cache.{environment}.internal:6380/0",
        "SMTP_PASSWORD": secrets.token_urlsafe(18),
        "STRIPE_API_KEY": "sk_test_" + secrets.token_hex(16),
        "JWT_SIGNING_KEY": pem_key(),
        "GREETING": "He said \"grüß dich\", it's 'fine' — 50% & <more> \\o/ ☂",
        "ORDER_PREFIX": "0071",
        "TLS_CERTIFICATE": pem_certificate(f"shop.{environment}.internal"),
        "FEATURE_LIMITS": {
            "uploads": {"per_day": 1000, "max_mb": 12.5},
            "beta": True,
            "tiers": ["free", "pro"],
        },
    }


def platform(environment: str) -> dict[str, object]:
    """The keys of a platform team: a JSON credential, a number, passwords."""
    credentials = (
        '{"type": "service_account", "project_id": "sample-'
        + environment
        + '", "private_key_id": "'
        + secrets.token_hex(8)
        + '"}'
    )
    return {
        "GRAFANA_ADMIN_PASSWORD": secrets.token_urlsafe(18),
        "OAUTH_CLIENT_ID": f"grafana-{environment}",
        "OAUTH_CLIENT_SECRET": secrets.token_urlsafe(24),
        "GCP_CREDENTIALS": credentials,
        "BACKUP_RETENTION_DAYS": 30,
        "REGISTRY_PASSWORD": secrets.token_urlsafe(18),
    }


def write(path: Path, tree: dict[str, object]) -> None:
    """Encrypt a document by the rule of .sops.yaml for its path."""
    command = [
        str(SOPS),
        "encrypt",
        "--filename-override",
        str(path),
        "--input-type",
        "yaml",
        "--output-type",
        "yaml",
    ]
    encrypted = subprocess.run(
        command, input=emit([tree]).encode(), cwd=ROOT, capture_output=True, check=True
    ).stdout
    (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    replace_file(ROOT / path, encrypted)
    sys.stderr.write(f"wrote {path}\n")


def main() -> None:
    """Write the documents of `production`, and the key files of `platform`."""
    for environment in ("prod", "staging"):
        folder = Path("realms") / "production"
        place = {"arcan_place": f"production/{environment}"}
        write(folder / f"{environment}.sops.yaml", {**place, **production(environment)})
        folder = Path("realms") / "platform" / environment
        place = {"arcan_place": f"platform/{environment}"}
        for key, value in platform(environment).items():
            write(folder / f"{key}.sops.yaml", {**place, key: value})


if __name__ == "__main__":
    main()
