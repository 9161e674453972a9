"""The key types that the getsops binary opens and the engine does not: one row each.

What a document says of its keys is read here as strictly as it can be, for the binary makes URLs, paths and
host names of it. Source: getsops/sops kms, gcpkms, hckms, azkv, hcvault, pgp and age keysource.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.sops import Malformed

_PORTS: Final = {"http": "80", "https": "443"}
_ORIGIN: Final = re.compile(
    r"(https?)://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::([1-9][0-9]{0,4}))?/?",
    re.ASCII,
)
_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}:[0-9]{12}:(?:key|alias)/[A-Za-z0-9/_-]+", re.ASCII
)
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@/_-]+", re.ASCII)
_PART: Final = r"[A-Za-z0-9][A-Za-z0-9.:_-]*"
_RESOURCE: Final = re.compile(
    rf"projects/{_PART}/locations/{_PART}/keyRings/{_PART}/cryptoKeys/{_PART}(?:/cryptoKeyVersions/[0-9]+)?",
    re.ASCII,
)
_HUAWEI: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9-]+", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)  # no "." and no ".."
_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f ]{8,60}", re.ASCII)


def origin(url: str) -> str | None:
    """`scheme://host[:port]` in one spelling, or None for anything that is more or less than that: no user
    information, path, query, or fragment; no dot behind the host's name.
    """
    match = _ORIGIN.fullmatch(url)
    if match is None:
        return None
    scheme, host, port = match[1], match[2].lower(), match[3]
    return f"{scheme}://{host}" if port in (None, _PORTS[scheme]) else f"{scheme}://{host}:{port}"


@dataclass(frozen=True, slots=True)
class KeyType:
    """A key type by its name in SOPS's metadata.

    `addresses` gives what the binary would contact for one key, in one spelling, and raises `Malformed` for
    a key that SOPS would not write; it is empty where nothing is contacted over a network. `example` shows
    the form of an address, and `form` is what an address for `--allow-key-address` must match: whole, or as
    the beginning of one that ends with ":" or "/" where `prefixes`. `variables` of the environment the
    binary may have for it; a `*` stands for any ending. `oldest` is the first sops
    that opens it, where not all do that can be used here.
    """

    title: str
    addresses: Callable[[Mapping[str, Any]], tuple[str, ...]]
    variables: tuple[str, ...]
    example: str = ""
    form: Callable[[str], bool] = lambda address: False
    prefixes: bool = False
    network: bool = True
    oldest: tuple[int, int, int] = (0, 0, 0)


def _kms(key: Mapping[str, Any]) -> tuple[str, ...]:
    arn = _matching(_ARN, key, "arn")
    return (arn, _matching(_ROLE, key, "role")) if key.get("role") else (arn,)


def _azure(key: Mapping[str, Any]) -> tuple[str, ...]:
    _matching(_NAME, key, "name")
    if key.get("version"):
        _matching(_NAME, key, "version")
    return (_origin(key, "vault_url"),)


def _vault(key: Mapping[str, Any]) -> tuple[str, ...]:
    # `{address}/v1/{engine_path}/decrypt/{key_name}` gets a PUT with our token: "../" would be another call
    for part in [*str(key["engine_path"]).strip("/").split("/"), key["key_name"]]:
        if not _NAME.fullmatch(part):
            raise Malformed("sops.hc_vault: engine_path and key_name must be plain names")
    return (_origin(key, "vault_address"),)


def _pgp(key: Mapping[str, Any]) -> tuple[str, ...]:
    _matching(_FINGERPRINT, key, "fp")
    return ()


def _matching(form: re.Pattern[str], key: Mapping[str, Any], field: str) -> str:
    value = str(key[field])
    if form.fullmatch(value) is None:
        raise Malformed(f"sops: a key's {field} is not of the form that SOPS writes")
    return value


def _origin(key: Mapping[str, Any], field: str) -> str:
    found = origin(str(key[field]))
    if found is None:
        raise Malformed(f"sops: a key's {field} is not of the form https://HOST[:PORT]")
    return found


def _is_arn(address: str) -> bool:
    whole = _ARN.fullmatch(address) or _ROLE.fullmatch(address)
    return whole is not None or (_is_beginning(address) and address.startswith("arn:aws"))


def _is_resource(address: str) -> bool:
    whole = _RESOURCE.fullmatch(address)
    return whole is not None or (_is_beginning(address) and address.startswith("projects/"))


def _is_huawei(address: str) -> bool:
    return _HUAWEI.fullmatch(address) is not None or re.fullmatch(r"[a-z0-9-]+:", address) is not None


def _is_beginning(address: str) -> bool:
    return address.endswith((":", "/"))


def _is_origin(address: str) -> bool:
    return origin(address) is not None


def _nothing(key: Mapping[str, Any]) -> tuple[str, ...]:
    return ()


KEY_TYPES: Final = {
    "kms": KeyType(
        "AWS KMS",
        _kms,
        ("AWS_*",),
        "arn:aws:kms:REGION:ACCOUNT:key/ID",
        _is_arn,
        prefixes=True,
    ),
    "gcp_kms": KeyType(
        "Google Cloud KMS",
        lambda key: (_matching(_RESOURCE, key, "resource_id"),),
        ("GOOGLE_*", "GCE_METADATA_HOST", "CLOUDSDK_*", "SOPS_GCP_KMS_*"),
        "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
        _is_resource,
        prefixes=True,
    ),
    "hckms": KeyType(
        "Huawei Cloud KMS",
        lambda key: (_matching(_HUAWEI, key, "key_id"),),
        ("HUAWEICLOUD_*",),
        "REGION:KEY",
        _is_huawei,
        prefixes=True,
    ),
    "azure_kv": KeyType(
        "Azure Key Vault",
        _azure,
        ("AZURE_*", "IDENTITY_*", "MSI_*"),
        "https://NAME.vault.azure.net",
        _is_origin,
    ),
    "hc_vault": KeyType(
        "Vault transit",
        _vault,
        (
            "VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT", "VAULT_CACERT_BYTES", "VAULT_CAPATH",
            "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY", "VAULT_TLS_SERVER_NAME", "VAULT_SKIP_VERIFY",
        ),
        "https://HOST:PORT",
        _is_origin,
    ),
    "pgp": KeyType("PGP", _pgp, ("PATH", "GNUPGHOME", "SOPS_GPG_EXEC", "GPG_TTY"), network=False),
    "age-plugin": KeyType("an age plugin", _nothing, ("PATH",), network=False),
    "age-pq": KeyType("post-quantum age", _nothing, (), network=False, oldest=(3, 12, 0)),
}  # fmt: skip
# What every key type that talks over a network may need.
NETWORK_VARIABLES: Final = (
    "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)  # fmt: skip
