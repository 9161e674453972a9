"""Infisical: the secrets of one environment of a project, with those of the folders below a path.

Source: Infisical's API, GET /api/v3/secrets/raw and POST /api/v1/auth/universal-auth/login.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from arcan_gitops.migrate.bounds import in_time
from arcan_gitops.migrate.source import CannotImport, Found, Left, Origin, client_library, require_tls
from arcan_gitops.secret import SecretValue

DEFAULT_ADDRESS: Final = "https://app.infisical.com"


@dataclass(frozen=True, slots=True)
class InfisicalAccess:
    """Where Infisical is and how to get in: a token, or the id and secret of a machine identity."""

    address: str = DEFAULT_ADDRESS
    token: str = field(default="", repr=False)
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)


class InfisicalSource:
    """References between secrets are followed, and what the environment imports is imported too."""

    def __init__(self, access: InfisicalAccess, project: str, environment: str, below: str = "") -> None:
        """Opens the connection, and logs in where there is no token.

        Raises `NoClientLibrary`, `CannotImport`.
        """
        require_tls(access.address, "INFISICAL_DOMAIN")
        with client_library("infisicalsdk", "infisical"):
            from infisical_sdk import InfisicalError, InfisicalSDKClient
            from requests.exceptions import RequestException

            from arcan_gitops.migrate.sources.sessions import hold
        self._errors: tuple[type[Exception], ...] = (
            InfisicalError, RequestException, OSError, AttributeError, ValueError, KeyError, TypeError,
        )  # fmt: skip
        self._client: Any = InfisicalSDKClient(
            host=access.address, token=access.token or None, cache_ttl=None
        )
        hold(self._client.api.session, access.address, "INFISICAL_DOMAIN")
        self.below = below.strip("/")
        self._project, self._environment = project, environment
        self.name = f"Infisical {access.address}, project {project}, {environment}, /{self.below}"
        if not access.token:
            self._log_in(access)

    def _log_in(self, access: InfisicalAccess) -> None:
        try:
            with in_time(self.name):
                self._client.auth.universal_auth.login(
                    client_id=access.client_id, client_secret=access.client_secret
                )
        except self._errors as error:
            raise CannotImport(
                f"{self.name}: no login: {_reason(error)}",
                hint="check INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and _SECRET, and INFISICAL_DOMAIN",
            ) from None

    def read(self) -> Iterator[Found | Left]:
        """As `Source.read`. A secret of the environment itself wins over an import's of the same name."""
        try:
            with in_time(self.name):
                answer = self._client.secrets.list_secrets(
                    project_id=self._project,
                    environment_slug=self._environment,
                    secret_path=f"/{self.below}",
                    expand_secret_references=True,
                    view_secret_value=True,
                    recursive=True,
                    include_imports=True,
                )
            own = [self._item(vars(one), one.secretPath or f"/{self.below}", "") for one in answer.secrets]
            brought = [
                self._item(one, f"/{self.below}", f"imported from {source.environment} {source.secretPath}")
                for source in reversed(answer.imports)  # the last one wins, as in Infisical
                for one in source.secrets  # as they came: the client makes no objects of these
            ]
        except self._errors as error:
            raise CannotImport(
                f"{self.name}: cannot be read: {_reason(error)}",
                hint="check the project's id, the environment, the path, and what the identity may read",
            ) from None
        found: dict[Origin, Found | Left] = {}
        for item in (*own, *brought):
            found.setdefault(item.origin, item)
        if not found:
            raise CannotImport(f"{self.name}: there is no secret", hint="check --from-env and the path")
        for origin in sorted(found, key=str):
            yield found[origin]

    def _item(self, secret: Mapping[str, Any], path: str, note: str) -> Found | Left:
        origin = Origin("/".join([*filter(None, path.split("/")), str(secret["secretKey"])]))
        if secret.get("type") == "personal":
            return Left(origin, "somebody's personal value, which only that person gets")
        if secret.get("secretValueHidden"):
            return Left(origin, "its value is hidden from this identity", wrong=True)
        return Found(origin, SecretValue(str(secret["secretValue"])), note)

    def origin_of(self, key: str, property: str | None) -> Origin:
        """ESO takes a secret's name, which is at the store's path, or its path (`/db/PASSWORD`)."""
        path = [*filter(None, key.split("/"))]
        if not key.startswith("/") and len(path) == 1:
            path = [*filter(None, self.below.split("/")), *path]
        return Origin("/".join(path), property)


def _reason(error: Exception) -> str:
    """The HTTP status, or the name of the error, and never its text."""
    status = getattr(error, "status_code", None)
    return f"HTTP {status}" if isinstance(status, int) else type(error).__name__
