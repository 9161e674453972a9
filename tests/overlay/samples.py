"""What the committed sample realms hold, by name; the generator needs no more to know of them."""

from __future__ import annotations

from binascii import crc32

from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.overlay import Catalogue, Contents, TokenScope

PRODUCTION = RealmName("production")
PLATFORM = RealmName("platform")
PROD = EnvironmentName("prod")
STAGING = EnvironmentName("staging")

KEYS = {
    PRODUCTION: "DATABASE_URL REDIS_URL SMTP_PASSWORD STRIPE_API_KEY JWT_SIGNING_KEY GREETING ORDER_PREFIX "
    "TLS_CERTIFICATE FEATURE_LIMITS",
    PLATFORM: "GRAFANA_ADMIN_PASSWORD OAUTH_CLIENT_ID OAUTH_CLIENT_SECRET GCP_CREDENTIALS "
    "BACKUP_RETENTION_DAYS REGISTRY_PASSWORD",
}


def contents(*keys: str, state: int = 1) -> Contents:
    """A document with these keys; another `state` is another version of all of them."""
    versions = {KeyName.parse(key): f"{crc32(key.encode()):08x}{state:04x}" for key in keys}
    return Contents(versions, f"{crc32(' '.join(keys).encode()):08x}{state:04x}")


SAMPLES = Catalogue(
    contents={
        (realm, environment): contents(*keys.split())
        for realm, keys in KEYS.items()
        for environment in (PROD, STAGING)
    },
    tokens={
        PRODUCTION: {"shop": TokenScope(), "mailer": TokenScope(keys=("SMTP_*", "GREETING"))},
        PLATFORM: {"monitoring": TokenScope()},
    },
)
