"""HashiCorp Vault and OpenBao: the key-value engine, version 1 and 2.

Source: Vault's HTTP API, secret/kv/kv-v1 and kv-v2; `sys/internal/ui/mounts` says which version a mount has,
as `vault kv` asks too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from arcan_gitops.migrate.bounds import MOST_FOLDERS_DEEP, MOST_PAGES, in_time
from arcan_gitops.migrate.source import CannotImport, Found, Left, Origin, client_library, require_tls
from arcan_gitops.migrate.texts import of_value

_TIMEOUT_SECONDS: Final = 30
_NO_NAMES: Final = frozenset({"", ".", ".."})  # a path with such a part leads elsewhere
_REASONS: Final = {
    400: "the request is refused (400)",
    403: "permission denied (403)",
    404: "there is nothing (404)",
    429: "too many requests (429)",
    503: "Vault is sealed or in maintenance (503)",
}


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """Where Vault is and how to get in; paths are of files in PEM. `ca` None trusts the system's CAs."""

    address: str
    token: str = field(repr=False)
    namespace: str | None = None
    ca: str | None = None
    client_certificate: tuple[str, str] | None = None


class VaultSource:
    """Every secret of a mount, or of what is below a path of it; `folder/` and secret may have one name."""

    def __init__(
        self,
        access: VaultAccess,
        mount: str,
        below: str,
        version: int | None = None,
        whole: frozenset[str] = frozenset(),
    ) -> None:
        """Opens the connection, and asks for the version of the engine unless it is given. `whole` are paths
        of secrets whose fields become one JSON object.

        Raises `NoClientLibrary`, `CannotImport`.
        """
        require_tls(access.address, "VAULT_ADDR")
        with client_library("hvac", "vault"):
            import hvac
            from hvac.exceptions import VaultError
            from requests.exceptions import RequestException

            from arcan_gitops.migrate.sources.sessions import hold
        self._errors: tuple[type[Exception], ...] = (VaultError, RequestException, ValueError, KeyError)
        self._client = hvac.Client(
            url=access.address,
            token=access.token,
            namespace=access.namespace,
            verify=access.ca or True,
            cert=access.client_certificate,
            timeout=_TIMEOUT_SECONDS,
        )
        hold(self._client.session, access.address, "VAULT_ADDR")
        self._mount, self._whole = mount.strip("/"), {path.strip("/") for path in whole}
        self.below = "/".join(part for part in below.split("/") if part)
        self.name = f"Vault {access.address}, {'/'.join(filter(None, (self._mount, self.below)))}"
        self._folders = 0
        self._version = version or self._ask_version()

    def _ask_version(self) -> int:
        try:
            with in_time(self.name):
                answer = self._client.adapter.get(f"/v1/sys/internal/ui/mounts/{self._mount}")
            mount = answer["data"]
            kind, options = mount.get("type"), mount.get("options") or {}
        except self._errors as error:
            hint = "check VAULT_ADDR, VAULT_TOKEN and --mount; or say --kv-version 1 or 2"
            raise CannotImport(
                f"{self.name}: the mount cannot be read: {_reason(error)}", hint=hint
            ) from None
        if kind not in ("kv", "generic"):
            raise CannotImport(
                f"{self.name}: the mount is not a key-value engine", hint="name one: --mount secret"
            )
        return 2 if str(options.get("version")) == "2" else 1

    def read(self) -> Iterator[Found | Left]:
        """As `Source.read`; a path that the token may not list or read is left out and reported."""
        empty = True
        for item in self._walk(self.below):
            empty = False
            yield item
        if empty:
            raise CannotImport(f"{self.name}: there is no secret", hint="check --mount and the path")

    def _walk(self, path: str) -> Iterator[Found | Left]:
        if path:
            yield from self._secret(path, optional=True)
        yield from self._folder(path)

    def _folder(self, path: str) -> Iterator[Found | Left]:
        if path.count("/") >= MOST_FOLDERS_DEEP:
            raise CannotImport(
                f"{self.name}: folders are more than {MOST_FOLDERS_DEEP} deep, as in a circle",
                hint="take a part of it: --path",
            )
        try:
            names = self._list(path)
        except self._errors as error:
            if _status(error) is None:
                raise self._broken(path, error) from None
            if _status(error) != 404:
                yield Left(Origin(f"{path}/"), f"cannot be listed: {_reason(error)}", wrong=True)
            return
        for name in sorted(set(names)):
            child = f"{path}/{name}" if path else name
            if name.removesuffix("/") in _NO_NAMES or "/" in name.removesuffix("/"):
                yield Left(Origin(child), "has no name of a secret or folder", wrong=True)
                continue
            self._folders += name.endswith("/")
            if self._folders > MOST_PAGES:
                raise CannotImport(
                    f"{self.name}: has more than {MOST_PAGES} folders", hint="take a part of it: --path"
                )
            if name.endswith("/"):
                yield from self._folder(child.rstrip("/"))
            else:
                yield from self._secret(child, optional=False)

    def _secret(self, path: str, *, optional: bool) -> Iterator[Found | Left]:
        try:
            fields = self._read(path)
        except self._errors as error:
            if _status(error) is None:
                raise self._broken(path, error) from None
            if not (optional and _status(error) in (403, 404)):
                yield Left(Origin(path), f"cannot be read: {_reason(error)}", wrong=True)
            return
        if fields is None:
            yield Left(Origin(path), "its newest version is deleted")
            return
        if path in self._whole:
            yield of_value(Origin(path), dict(fields))
            return
        for name, value in fields.items():
            yield of_value(Origin(path, str(name)), value)

    def _list(self, path: str) -> list[str]:
        kv = self._client.secrets.kv
        engine = kv.v2 if self._version == 2 else kv.v1
        with in_time(self.name):
            answer = engine.list_secrets(path=path, mount_point=self._mount)
        return [str(name) for name in answer["data"]["keys"]]

    def _read(self, path: str) -> Mapping[str, Any] | None:
        """The fields; None for a secret whose newest version is deleted."""
        kv = self._client.secrets.kv
        with in_time(self.name):
            if self._version == 1:
                return _fields(kv.v1.read_secret(path=path, mount_point=self._mount)["data"])
            answer = kv.v2.read_secret_version(
                path=path, mount_point=self._mount, raise_on_deleted_version=False
            )
        fields = answer["data"]["data"]
        return None if fields is None else _fields(fields)

    def _broken(self, path: str, error: Exception) -> CannotImport:
        where = f"{self.name}: {path or 'the mount'}"
        return CannotImport(f"{where}: cannot be read: {_reason(error)}", hint="run the command again")

    def origin_of(self, key: str, property: str | None) -> Origin:
        """ESO takes a key with or without the mount, and with or without `data/` behind it."""
        path = key.strip("/").removeprefix(f"{self._mount}/")
        return Origin(path.removeprefix("data/") if self._version == 2 else path, property)


def _fields(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value


def _status(error: Exception) -> int | None:
    """The HTTP status by hvac's classes; None for an answer that is not from Vault."""
    name = type(error).__name__
    known = {"InvalidRequest": 400, "Unauthorized": 401, "Forbidden": 403, "InvalidPath": 404}
    return known.get(name)


def _reason(error: Exception) -> str:
    """Never the text of the error: it repeats what Vault answered."""
    status = _status(error)
    if status is not None:
        return _REASONS.get(status, f"HTTP {status}")
    names = {
        "SSLError": "its certificate is not trusted (VAULT_CACERT names the file of its CA)",
        "TooManyRedirects": "it redirects without end",
    }
    return names.get(type(error).__name__, type(error).__name__)
