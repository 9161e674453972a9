"""AWS: Secrets Manager and Systems Manager Parameter Store.

Source: the API references of both (ListSecrets, GetSecretValue; DescribeParameters, GetParameters).
Credentials, region and endpoint are found by boto3: AWS_* variables, `~/.aws`, the instance's role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from arcan_gitops.migrate.bounds import bounded, in_time, pages
from arcan_gitops.migrate.source import CannotImport, Found, Left, Origin, client_library, require_tls
from arcan_gitops.migrate.texts import of_bytes, of_text
from arcan_gitops.secret import SecretValue

_CHUNK: Final = 64 * 1024
_BATCH: Final = 10  # names that GetParameters takes
_CODE: Final = re.compile(r"[A-Za-z.]{1,80}", re.ASCII)


class _Aws:
    """A client of one service of AWS's."""

    def __init__(self, service: str, title: str, below: str, region: str | None) -> None:
        with client_library("boto3", "aws"):
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        self._errors: tuple[type[Exception], ...] = (BotoCoreError, ClientError, KeyError, ValueError)
        try:
            self._client: Any = boto3.Session(region_name=region).client(service)
        except self._errors as error:
            hint = "name the region: --region or AWS_REGION; the profile: AWS_PROFILE"
            raise CannotImport(f"AWS cannot be asked: {_reason(error)}", hint=hint) from None
        require_tls(self._client.meta.endpoint_url, "the endpoint of AWS")
        self._client._endpoint.http_session = _Bounded(self._client._endpoint.http_session)
        self.below = below.strip("/")
        self.name = f"AWS {title} in {self._client.meta.region_name}" + (f", {below}" if below else "")

    def _pages(self, operation: str) -> Iterator[dict[str, Any]]:
        try:
            yield from pages(self._timed(operation), self.name)
        except self._errors as error:
            raise CannotImport(
                f"{self.name}: cannot be listed: {_reason(error)}",
                hint="the identity that 'aws sts get-caller-identity' shows needs the permission to list",
            ) from None

    def _timed(self, operation: str) -> Iterator[dict[str, Any]]:
        found = iter(self._client.get_paginator(operation).paginate())
        while True:
            with in_time(self.name):
                page = next(found, None)
            if page is None:
                return
            yield page

    def _empty(self) -> CannotImport:
        return CannotImport(f"{self.name}: there is nothing", hint="check the region and the path")

    def _is_below(self, name: str) -> bool:
        """By whole segments; AWS's own filter takes `prod/my` for the beginning of `prod/myapp` too."""
        path = name.strip("/")
        return not self.below or path == self.below or path.startswith(f"{self.below}/")


class _Bounded:
    """botocore's HTTP session, whose answers have no bound of their own."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        """As the session's, and the answer is read. Raises `CannotImport` too."""
        request.stream_output = True  # or the session would read all of it
        response = self._session.send(request)
        response._content = bounded(response.raw.stream(_CHUNK), "AWS")
        return response

    def close(self) -> None:
        """As the session's."""
        self._session.close()


class SecretsManagerSource(_Aws):
    """The secrets of a region, or those below a path: the fields of a JSON object one by one."""

    def __init__(
        self, below: str = "", region: str | None = None, whole: frozenset[str] = frozenset()
    ) -> None:
        """`whole` are secrets whose JSON stays in one piece. Raises `NoClientLibrary`, `CannotImport`."""
        super().__init__("secretsmanager", "Secrets Manager", below, region)
        self._whole = whole

    def read(self) -> Iterator[Found | Left]:
        """As `Source.read`."""
        listed = [secret for page in self._pages("list_secrets") for secret in page["SecretList"]]
        secrets = sorted((one for one in listed if self._is_below(one["Name"])), key=lambda one: one["Name"])
        if not secrets:
            raise self._empty()
        for secret in secrets:
            for item in self._values(secret["Name"], secret.get("ARN") or secret["Name"]):
                yield _rotated(item) if secret.get("RotationEnabled") else item

    def _values(self, name: str, identifier: str) -> Iterator[Found | Left]:
        try:
            with in_time(self.name):
                answer = self._client.get_secret_value(SecretId=identifier)
        except self._errors as error:
            yield Left(Origin(name), f"cannot be read: {_reason(error)}", wrong=True)
            return
        if "SecretString" in answer:
            yield from of_text(name, answer["SecretString"], whole=name in self._whole)
        else:
            yield of_bytes(Origin(name), answer["SecretBinary"])

    def origin_of(self, key: str, property: str | None) -> Origin:
        """ESO takes the name as it is, or the ARN, which has the name and six characters at its end."""
        if key.startswith("arn:"):
            key = re.sub(r"-[A-Za-z0-9]{6}\Z", "", key.rpartition(":secret:")[2])
        return Origin(key, property)


class ParameterStoreSource(_Aws):
    """The parameters of a region, or those below a path, each one value."""

    def __init__(self, below: str = "", region: str | None = None) -> None:
        """Raises `NoClientLibrary`, `CannotImport`."""
        super().__init__("ssm", "Parameter Store", below, region)

    def read(self) -> Iterator[Found | Left]:
        """As `Source.read`."""
        listed = [one["Name"] for page in self._pages("describe_parameters") for one in page["Parameters"]]
        names = sorted(filter(self._is_below, listed))
        if not names:
            raise self._empty()
        for start in range(0, len(names), _BATCH):
            yield from self._values(names[start : start + _BATCH])

    def _values(self, names: list[str]) -> Iterator[Found | Left]:
        try:
            with in_time(self.name):
                answer = self._client.get_parameters(Names=names, WithDecryption=True)
            values = {one["Name"]: one["Value"] for one in answer["Parameters"]}
        except self._errors as error:
            if len(names) > 1:  # one that may not be read fails all of them
                for name in names:
                    yield from self._values([name])
                return
            yield Left(Origin(names[0]), f"cannot be read: {_reason(error)}", wrong=True)
            return
        for name in names:
            if name in values:
                yield Found(Origin(name), SecretValue(values[name]))
            else:
                yield Left(Origin(name), "cannot be read: it is not there any more", wrong=True)

    def origin_of(self, key: str, property: str | None) -> Origin:
        """ESO takes the name as it is."""
        return Origin(key, property)


def _rotated(item: Found | Left) -> Found | Left:
    if isinstance(item, Left):
        return item
    note = "AWS rotates it: the copy goes stale, unless that is switched off"
    return replace(item, note="; ".join(filter(None, (item.note, note))))


def _reason(error: Exception) -> str:
    """The code of AWS's error, or the name of botocore's, and never its text."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else type(error).__name__
