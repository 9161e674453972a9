"""What a refresh does to the ExternalSecret and to the Kubernetes Secret: policies, events, order.

Measured with the real controller, or read in its source.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from arcan_gitops.eso import (
    Fate,
    KubernetesSecret,
    NetTransport,
    NotSupported,
    Outcome,
    refresh,
    validate_stores,
)
from arcan_gitops.eso.target import MANAGED_LABEL, OWNER_LABEL
from tests.eso.endpoint import Answer, Asked, free_port
from tests.eso.samples import Manifest, Scene, entry, external_secret, extract


def existing(data: dict[str, str], *, owner: str | None = "my-app-secrets", **fields: object) -> Manifest:
    """A Secret that is there already, controlled by an ExternalSecret unless `owner` is None."""
    reference = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "uid": "1"}
    owners = [] if owner is None else [{**reference, "name": owner, "controller": True}]
    metadata = {"name": "my-app-secrets", "namespace": "default", "ownerReferences": owners}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data, **fields}


def secret_of(outcome: Outcome) -> KubernetesSecret:
    assert outcome.secret is not None
    return outcome.secret


def only(key: str) -> Callable[[Asked], Answer]:
    """200 for one key, 404 for the others."""

    def answer(asked: Asked) -> Answer:
        return Answer(200, b'{"value":"s"}') if f"/{key}?" in asked.target else Answer(404)

    return answer


def test_a_first_refresh_creates_the_secret(scene: Scene) -> None:
    outcome = scene.refresh()
    assert (outcome.condition.ready, outcome.condition.reason) == (True, "SecretSynced")
    assert outcome.condition.message == "secret synced"
    assert [(event.reason, event.message) for event in outcome.events] == [("Created", "secret created")]
    secret = secret_of(outcome)
    assert outcome.fate is Fate.CREATED
    assert (secret.name, secret.type, secret.data) == ("my-app-secrets", "Opaque", {"K": b"s"})
    assert secret.labels[MANAGED_LABEL] == "true"


def test_a_second_refresh_changes_nothing_or_updates(scene: Scene) -> None:
    cluster = scene.cluster(external_secret())
    (external,) = cluster.external_secrets
    cluster = refresh(external, cluster, scene.transport).applied_to(cluster)
    again = refresh(external, cluster, scene.transport)
    assert (again.fate, again.events) == (Fate.KEPT, ())
    scene.endpoint.says(b'{"value":"new"}')
    changed = refresh(external, cluster, scene.transport)
    assert (changed.fate, changed.events[0].reason) == (Fate.UPDATED, "Updated")
    assert secret_of(changed).data == {"K": b"new"}


@pytest.mark.parametrize("status", [503, 500, 401, 403, 429, 304, 302])
def test_a_failing_server_leaves_the_secret_as_it_was(scene: Scene, status: int) -> None:
    scene.endpoint.says(Answer(status))
    delete = external_secret(creationPolicy="Owner", deletionPolicy="Delete")
    outcome = scene.refresh(delete, existing({"K": "old"}))
    assert (outcome.condition.ready, outcome.condition.reason) == (False, "SecretSyncedError")
    assert outcome.condition.message == "could not get secret data from provider"
    assert [(event.kind, event.reason) for event in outcome.events] == [("Warning", "UpdateFailed")]
    assert outcome.error.startswith("error processing spec.data[0] (key: K), err: ")
    assert (outcome.fate, secret_of(outcome).data) == (Fate.KEPT, {"K": b"old"})


def test_a_server_that_is_down_and_comes_back_changes_nothing_in_between(scene: Scene) -> None:
    cluster = scene.cluster(external_secret(deletionPolicy="Delete"))
    (external,) = cluster.external_secrets
    cluster = refresh(external, cluster, scene.transport).applied_to(cluster)
    down = refresh(external, cluster, NetTransport(connect_to=("127.0.0.1", free_port())))
    assert down.error.endswith("connect: connection refused")
    assert secret_of(down).data == {"K": b"s"}
    scene.endpoint.says(b'{"value":"new"}')
    back = refresh(external, down.applied_to(cluster), scene.transport)
    assert (back.synced, secret_of(back).data) == (True, {"K": b"new"})


def test_on_the_first_failing_key_the_rest_is_not_asked(scene: Scene) -> None:
    scene.endpoint.says(Answer(500))
    scene.refresh(external_secret(entry("A", secret_key="A"), entry("B", secret_key="B")))
    assert len(scene.endpoint.asked) == 1


def test_a_404_with_retain_is_an_error_and_the_secret_stays(scene: Scene) -> None:
    scene.endpoint.says(Answer(404))
    outcome = scene.refresh(external_secret(), existing({"K": "old"}))
    assert outcome.condition.reason == "SecretSyncedError"
    assert outcome.error == "error processing spec.data[0] (key: K), err: Secret does not exist"
    assert (outcome.fate, secret_of(outcome).data) == (Fate.KEPT, {"K": b"old"})


def test_a_404_in_bulk_with_retain_is_an_error(scene: Scene) -> None:
    scene.endpoint.says(Answer(404))
    outcome = scene.refresh(external_secret(data_from=(extract(),)))
    assert outcome.error == "error processing spec.dataFrom[0].extract, err: Secret does not exist"


def test_a_404_for_everything_with_delete_deletes_the_secret(scene: Scene) -> None:
    scene.endpoint.says(Answer(404))
    outcome = scene.refresh(external_secret(deletionPolicy="Delete"), existing({"K": "old"}))
    assert (outcome.condition.ready, outcome.condition.reason) == (True, "SecretDeleted")
    assert outcome.condition.message == "secret deleted due to DeletionPolicy=Delete"
    assert [event.reason for event in outcome.events] == ["MissingProviderSecret", "Deleted"]
    assert outcome.events[0].message == "secret does not exist at provider using spec.dataFrom[0] (key=K)"
    assert (outcome.fate, outcome.secret, outcome.synced) == (Fate.DELETED, None, False)


def test_one_404_with_delete_only_leaves_its_key_out(scene: Scene) -> None:
    scene.endpoint.says(only("B"))
    entries = (entry("A", secret_key="A"), entry("B", secret_key="B"))
    outcome = scene.refresh(
        external_secret(*entries, deletionPolicy="Delete"), existing({"A": "1", "B": "2"})
    )
    assert (outcome.fate, secret_of(outcome).data) == (Fate.UPDATED, {"B": b"s"})


def test_one_404_with_merge_removes_the_key_that_was_written_before(scene: Scene) -> None:
    entries = (entry("A", secret_key="A"), entry("B", secret_key="B"))
    merge = external_secret(*entries, creationPolicy="Merge", deletionPolicy="Merge")
    cluster = scene.cluster(merge, existing({"foreign": "x"}, owner=None))
    (external,) = cluster.external_secrets
    first = refresh(external, cluster, scene.transport)
    assert set(secret_of(first).data) == {"A", "B", "foreign"}
    scene.endpoint.says(only("B"))
    second = refresh(external, first.applied_to(cluster), scene.transport)
    assert set(secret_of(second).data) == {"B", "foreign"}
    assert OWNER_LABEL not in secret_of(second).labels


def test_an_empty_bulk_answer_with_retain_is_silently_synced(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":{}}')
    outcome = scene.refresh(external_secret(data_from=(extract(),)), existing({"K": "old"}))
    assert outcome.synced
    assert outcome.condition.message == "secret retained due to DeletionPolicy=Retain"
    assert secret_of(outcome).data == {"K": b"old"}


def test_an_empty_bulk_answer_with_delete_deletes_the_secret(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":{}}')
    outcome = scene.refresh(external_secret(data_from=(extract(),), deletionPolicy="Delete"))
    assert (outcome.condition.reason, outcome.fate) == ("SecretDeleted", Fate.ABSENT)


def test_only_an_owner_may_delete(scene: Scene) -> None:
    scene.endpoint.says(Answer(404))
    orphan = external_secret(creationPolicy="Orphan", deletionPolicy="Delete")
    outcome = scene.refresh(orphan, existing({"K": "old"}, owner=None))
    assert outcome.condition.message == "could not delete secret"
    assert outcome.error == "unable to delete secret my-app-secrets: creationPolicy=Orphan is not Owner"
    assert outcome.fate is Fate.KEPT


def test_creation_policy_merge_waits_for_somebody_else(scene: Scene) -> None:
    outcome = scene.refresh(external_secret(creationPolicy="Merge"))
    assert (outcome.condition.ready, outcome.condition.reason) == (True, "SecretMissing")
    assert outcome.condition.message == "secret will not be created due to CreationPolicy=Merge"
    assert not outcome.synced


def test_creation_policy_none_writes_nothing(scene: Scene) -> None:
    outcome = scene.refresh(external_secret(creationPolicy="None"))
    assert (outcome.synced, outcome.secret) == (True, None)
    assert len(scene.endpoint.asked) == 1


def test_creation_policy_owner_drops_foreign_keys(scene: Scene) -> None:
    outcome = scene.refresh(existing({"foreign": "x"}))
    assert secret_of(outcome).data == {"K": b"s"}


def test_a_secret_of_another_external_secret_is_left_alone(scene: Scene) -> None:
    outcome = scene.refresh(existing({"K": "theirs"}, owner="other"))
    assert outcome.condition.message == "target is owned by another ExternalSecret"
    assert outcome.error == (
        "unable to mutate secret my-app-secrets: secret is owned by another ExternalSecret: other"
    )
    assert secret_of(outcome).data == {"K": b"theirs"}


def test_an_immutable_secret_is_not_changed(scene: Scene) -> None:
    outcome = scene.refresh(existing({"K": "old"}, immutable=True))
    assert outcome.condition.message == "could not update secret, target is immutable"
    assert outcome.error == "unable to update secret my-app-secrets: secret is immutable"
    asked_for = scene.refresh(external_secret(immutable=True), existing({"K": "old"}))
    assert (asked_for.synced, secret_of(asked_for).data) == (True, {"K": b"old"})


def test_data_comes_after_data_from_and_wins(scene: Scene) -> None:
    def answer(asked: Asked) -> Answer:
        single = "/K?" in asked.target
        return Answer(200, b'{"value":"single"}' if single else b'{"data":{"K":"bulk","L":"l"}}')

    scene.endpoint.says(answer)
    outcome = scene.refresh(external_secret(entry(), data_from=(extract(),)))
    assert secret_of(outcome).data == {"K": b"single", "L": b"l"}


def test_find_is_not_implemented_by_the_webhook_provider(scene: Scene) -> None:
    find = {"find": {"name": {"regexp": ".*"}}}
    outcome = scene.refresh(external_secret(data_from=(find,)))
    assert outcome.error == (
        "error processing spec.dataFrom[0].find, err: error getting all secrets: not implemented"
    )
    assert scene.endpoint.asked == []


def test_a_store_that_is_not_there_fails_the_refresh(scene: Scene) -> None:
    missing = 'SecretStore.external-secrets.io "nope" not found'
    outcome = scene.refresh(external_secret(store_name="nope"))
    assert outcome.error == (
        f'error processing spec.data[0] (key: K), err: could not get SecretStore "nope", {missing}'
    )
    other = scene.error(external_secret(kind="ClusterSecretStore"))
    assert other.startswith('could not get ClusterSecretStore "arcan", ')


def test_a_store_that_is_not_ready_is_not_asked(scene: Scene) -> None:
    unready = scene.single(url="https://127.0.0.1:1/x")
    cluster = validate_stores(scene.cluster(unready, external_secret()), scene.transport)
    (external,) = cluster.external_secrets
    assert refresh(external, cluster, scene.transport).synced  # dialled at the endpoint: ready
    broken = scene.single(caBundle="Z2FyYmFnZQ==")
    cluster = validate_stores(scene.cluster(broken, external_secret()), scene.transport)
    outcome = refresh(external, cluster, scene.transport)
    assert outcome.error.endswith('err: SecretStore "arcan" is not ready')
    assert len(scene.endpoint.asked) == 1


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        (external_secret(manifest={"apiVersion": "v1", "kind": "ConfigMap"}), "target.manifest"),
        (
            external_secret(data_from=({"sourceRef": {"generatorRef": {"kind": "UUID", "name": "x"}}},)),
            "generatorRef",
        ),
        (external_secret(template={"data": {"a": "{{ now }}"}}), "the function 'now' of a template"),
        (external_secret(template={"templateFrom": [{"literal": "a: &x b"}]}), "templateFrom whose text"),
    ],
)
def test_what_the_emulator_does_not_know_is_refused(scene: Scene, manifest: Manifest, what: str) -> None:
    scene.endpoint.says(b'{"data":{"a":"1"},"value":"s"}')
    with pytest.raises(NotSupported, match=f"not supported by the emulator: .*{what}"):
        scene.refresh(manifest)


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"controller": "other"}, "controller class"), ({"auth": {"ntlm": {}}}, "auth.ntlm")],
)
def test_a_store_that_the_emulator_does_not_know_is_refused(
    scene: Scene, changes: dict[str, object], what: str
) -> None:
    with pytest.raises(NotSupported, match=what):
        scene.refresh(scene.single(**changes))


def test_a_store_of_another_provider_is_refused(scene: Scene) -> None:
    store = scene.single()
    store["spec"]["provider"] = {"fake": {"data": []}}
    with pytest.raises(NotSupported, match="the provider fake"):
        scene.refresh(store)


def test_a_null_byte_fails_only_where_it_is_told_to(scene: Scene) -> None:
    scene.endpoint.says(b'{"value":"a\\u0000b"}')
    assert scene.value(external_secret(entry(nullBytePolicy="Ignore"))) == "a\0b"
    assert "null byte" in scene.error(external_secret(entry(nullBytePolicy="Fail")))


def test_no_repr_shows_a_value(scene: Scene) -> None:
    scene.endpoint.says(b'{"value":"marker-value"}')
    cluster = scene.cluster(external_secret(), existing({"K": "old-marker-value"}))
    outcome = refresh(cluster.external_secrets[0], cluster, scene.transport)
    shown = repr(outcome) + repr(outcome.applied_to(cluster)) + repr(cluster)
    assert "marker-value" not in shown
    assert "arc_token" not in shown
    assert "keys=[K]" in shown
