"""Several ExternalSecrets on one Secret, and what each of them may take away again; with ESO's field owners."""

from __future__ import annotations

import pytest

from arcan_gitops.eso import Cluster, Outcome, refresh
from arcan_gitops.eso.target import DATA_HASH_ANNOTATION
from tests.eso.endpoint import Answer, Asked
from tests.eso.samples import Manifest, Scene, entry, external_secret, extract


def shared(data: dict[str, str], **metadata: object) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "shared", "namespace": "default", **metadata},
        "stringData": data,
    }


def writer(name: str, *keys: str, creation: str = "Merge", **target: object) -> Manifest:
    entries = [entry(key, secret_key=key) for key in keys]
    manifest = external_secret(*entries, name=name, creationPolicy=creation, **target)
    manifest["spec"]["target"]["name"] = "shared"
    return manifest


def answer(asked: Asked) -> Answer:
    """The value of a key is its name in lower case."""
    key = asked.target.partition("?")[0].rpartition("/")[2]
    return Answer(200, f'{{"value": "{key.lower()}"}}'.encode())


class Stage:
    """A cluster that keeps what each refresh wrote."""

    def __init__(self, scene: Scene, *manifests: Manifest) -> None:
        scene.endpoint.says(answer)
        self._scene = scene
        self.cluster: Cluster = scene.cluster(*manifests)

    def refresh(self, name: str) -> Outcome:
        (external,) = (found for found in self.cluster.external_secrets if found.name == name)
        outcome = refresh(external, self.cluster, self._scene.transport)
        self.cluster = outcome.applied_to(self.cluster)
        assert outcome.synced, outcome.error
        return outcome

    def changed(self, *manifests: Manifest) -> None:
        """The same cluster with other ExternalSecrets."""
        secret = self.data_of
        self.cluster = self._scene.cluster(*manifests).with_secret(secret)

    @property
    def data_of(self):  # type: ignore[no-untyped-def]
        found = self.cluster.find_secret("default", "shared")
        assert found is not None
        return found

    @property
    def data(self) -> dict[str, bytes]:
        return dict(self.data_of.data)


@pytest.mark.parametrize("order", [("m1", "m2"), ("m2", "m1"), ("m1", "m2", "m1", "m2", "m2")])
def test_two_merges_keep_each_its_own_keys(scene: Scene, order: tuple[str, ...]) -> None:
    secret = shared({"ORIG": "o", "A": "old", "B": "old"})
    stage = Stage(scene, secret, writer("m1", "A"), writer("m2", "B", "C"))
    for name in order:
        stage.refresh(name)
    assert stage.data == {"ORIG": b"o", "A": b"a", "B": b"b", "C": b"c"}


def test_what_one_no_longer_asks_for_goes_and_the_rest_stays(scene: Scene) -> None:
    stage = Stage(scene, shared({"ORIG": "o"}), writer("m1", "A", "D"), writer("m2", "B"))
    stage.refresh("m1")
    stage.refresh("m2")
    stage.changed(writer("m1", "A"), writer("m2", "B"))
    stage.refresh("m1")
    assert stage.data == {"ORIG": b"o", "A": b"a", "B": b"b"}


def test_a_key_that_another_has_written_over_is_that_one_s(scene: Scene) -> None:
    one = writer("m1", "A", template={"data": {"K": "one"}})
    stage = Stage(scene, shared({}), one, writer("m2", "A", template={"data": {"K": "two"}}))
    stage.refresh("m1")
    stage.refresh("m2")
    stage.changed(writer("m1", "A", template={"data": {"L": "x"}}))
    stage.refresh("m1")
    assert stage.data == {"K": b"two", "L": b"x"}


def test_a_key_of_the_same_value_stays_with_who_was_first(scene: Scene) -> None:
    stage = Stage(scene, shared({"A": "a"}), writer("m1", "A"))
    stage.refresh("m1")
    stage.changed(writer("m1", "B"))
    stage.refresh("m1")
    assert stage.data == {"A": b"a", "B": b"b"}


@pytest.mark.parametrize("existing", [True, False])
def test_create_or_merge_creates_and_keeps_what_is_there(scene: Scene, existing: bool) -> None:
    manifests = (shared({"ORIG": "o"}),) if existing else ()
    stage = Stage(scene, *manifests, writer("m1", "A", creation="CreateOrMerge"))
    stage.refresh("m1")
    assert stage.data == ({"ORIG": b"o", "A": b"a"} if existing else {"A": b"a"})
    assert stage.data_of.owner is None


def test_orphan_clears_what_is_there(scene: Scene) -> None:
    stage = Stage(scene, shared({"ORIG": "o"}), writer("m1", "A", creation="Orphan"))
    stage.refresh("m1")
    assert stage.data == {"A": b"a"}


def test_an_empty_template_keeps_labels_off_a_secret_of_somebody_else(scene: Scene) -> None:
    empty = writer("m1", "A", template={"metadata": {"labels": {}, "annotations": {}}})
    empty["metadata"]["labels"] = {"app.kubernetes.io/instance": "argo"}
    plain = writer("m1", "A")
    plain["metadata"]["labels"] = {"app.kubernetes.io/instance": "argo"}
    for manifest, kept in ((empty, False), (plain, True)):
        stage = Stage(scene, shared({"ORIG": "o"}, labels={"theirs": "x"}), manifest)
        stage.refresh("m1")
        assert stage.data == {"ORIG": b"o", "A": b"a"}
        assert ("app.kubernetes.io/instance" in stage.data_of.labels) is kept
        assert stage.data_of.labels["theirs"] == "x"


def test_a_label_that_a_template_no_longer_has_goes(scene: Scene) -> None:
    def labelled(**labels: str) -> Manifest:
        return writer("m1", "A", creation="Owner", template={"metadata": {"labels": labels}})

    stage = Stage(scene, labelled(old="x", kept="{{ .A }}"))
    stage.refresh("m1")
    assert stage.data_of.labels["old"] == "x"
    stage.changed(labelled(kept="{{ .A }}"))
    stage.refresh("m1")
    assert "old" not in stage.data_of.labels
    assert stage.data_of.labels["kept"] == "a"
    assert DATA_HASH_ANNOTATION in stage.data_of.annotations


MERGED = b'{"data": {"x": "{\\"a\\": 1, \\"b\\": \\"<x>\\"}", "y": "{\\"a\\": 2.5, \\"c\\": [1]}"}}'


@pytest.mark.parametrize(
    ("merge", "data"),
    [
        ({"conflictPolicy": "Ignore"}, {"a": b"2.5", "b": b"<x>", "c": b"[1]"}),
        ({"conflictPolicy": "Ignore", "priority": ["x"]}, {"a": b"1", "b": b"<x>", "c": b"[1]"}),
        (
            {"conflictPolicy": "Ignore", "priority": ["z"], "priorityPolicy": "IgnoreNotFound"},
            {"a": b"2.5", "b": b"<x>", "c": b"[1]"},
        ),
        (
            {"conflictPolicy": "Ignore", "strategy": "JSON", "into": "all"},
            {
                "x": b'{"a": 1, "b": "<x>"}',
                "y": b'{"a": 2.5, "c": [1]}',
                "all": b'{"a":2.5,"b":"<x>","c":[1]}',
            },
        ),
    ],
)
def test_a_merge_rewrite_takes_the_members_of_all_values(
    scene: Scene, merge: Manifest, data: dict[str, bytes]
) -> None:
    scene.endpoint.says(MERGED)
    assert scene.bulk(extract(rewrite=[{"merge": merge}])) == data


@pytest.mark.parametrize(
    ("merge", "problem"),
    [
        ({}, "merge failed with conflicts: a"),
        ({"priority": ["z"]}, 'merge failed with key "z" not found in input map'),
        ({"conflictPolicy": "Ignore", "strategy": "JSON"}, "merge failed with missing 'into' field"),
    ],
)
def test_a_merge_rewrite_that_cannot_be_says_so(scene: Scene, merge: Manifest, problem: str) -> None:
    scene.endpoint.says(MERGED)
    assert scene.bulk_error(extract(rewrite=[{"merge": merge}])).endswith(problem)


def test_a_merge_rewrite_of_what_is_no_json_quotes_nothing(scene: Scene) -> None:
    scene.endpoint.says(b'{"data": {"x": "[\\"hunter2\\"]"}}')
    error = scene.bulk_error(extract(rewrite=[{"merge": {}}]))
    assert error.endswith("json: cannot unmarshal array into Go value of type map[string]interface {}")
    assert "hunter2" not in error


def test_who_wrote_a_field_is_read_from_an_object_of_a_cluster(scene: Scene) -> None:
    fields = {"f:data": {".": {}, "f:A": {}, "f:OLD": {}}, "f:metadata": {"f:labels": {"f:mine": {}}}}
    manager = {"manager": "externalsecrets.external-secrets.io/m1", "operation": "Update", "fieldsV1": fields}
    other = {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:ORIG": {}}}}
    secret = shared(
        {"ORIG": "o", "A": "old", "OLD": "x"},
        managedFields=[manager, other],
        labels={"mine": "x", "theirs": "y"},
    )
    stage = Stage(scene, secret, writer("m1", "A", template={"metadata": {"labels": {}}}))
    stage.refresh("m1")
    assert stage.data == {"ORIG": b"o", "A": b"a"}
    assert "mine" not in stage.data_of.labels
    assert stage.data_of.labels["theirs"] == "y"
