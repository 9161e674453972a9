"""Credentials: always a key of a Kubernetes Secret, or a ServiceAccount, and never the value itself."""

from __future__ import annotations

from dataclasses import dataclass

from arcan_gitops.names import KeyName, Namespace, ObjectName
from arcan_gitops.yamlio import Fields


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of a Kubernetes Secret, which is made by hand and never generated."""

    name: ObjectName
    key: KeyName

    def ref(self, home: Namespace | None) -> dict[str, str]:
        """The reference of a store: only a ClusterSecretStore may, and must, name the namespace (`home`)."""
        return placed({"name": str(self.name), "key": str(self.key)}, home)

    def __str__(self) -> str:
        return f"Secret {self.name}, key {self.key}"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A ServiceAccount whose tokens ESO asks the API server for."""

    name: ObjectName
    audiences: tuple[str, ...] = ()

    def ref(self, home: Namespace | None) -> dict[str, object]:
        """The reference of a store, as for `SecretKey`."""
        audiences = {"audiences": list(self.audiences)} if self.audiences else {}
        return {**placed({"name": str(self.name)}, home), **audiences}

    def __str__(self) -> str:
        return f"ServiceAccount {self.name}"


def placed(ref: dict[str, str], home: Namespace | None) -> dict[str, str]:
    """A reference, with the namespace if it is a ClusterSecretStore's."""
    return ref if home is None else {**ref, "namespace": str(home)}


def secret_key(fields: Fields, field: str) -> SecretKey:
    """A field `{name, key}`. Raises `InvalidFile`; a value in its place is refused, and not repeated."""
    ref = mapping(
        fields, field, "{name: SECRET, key: KEY}, a key of a Kubernetes Secret: never the value itself"
    )
    ref.only("name", "key")
    return SecretKey(
        ref.parse("name", ObjectName, ref.text("name")), ref.parse("key", KeyName, ref.text("key"))
    )


def service_account(fields: Fields, field: str) -> ServiceAccount:
    """A field `{name, audiences?}`. Raises `InvalidFile`."""
    ref = mapping(fields, field, "{name: SERVICE_ACCOUNT}")
    ref.only("name", "audiences")
    name = ref.parse("name", ObjectName, ref.text("name"))
    return ServiceAccount(name, ref.optional_texts("audiences") or ())


def mapping(fields: Fields, field: str, form: str) -> Fields:
    """A nested mapping that must be there; the error says which form it has. Raises `InvalidFile`."""
    if not fields.is_mapping(field):
        problem = "must be a mapping" if field in fields else "is missing"
        fields.fail(f"'{field}' {problem}", field=field, hint=f"write {field}: {form}")
    found = fields.optional_mapping(field)
    assert found is not None  # is_mapping says so
    return found
