"""What ESO asks and what it makes of the answers, over a real TLS socket.

The values are those measured with ESO's genuine provider.
"""

from __future__ import annotations

import gzip

import pytest

from tests.eso.endpoint import HOST, Answer
from tests.eso.samples import TOKEN, URL, Scene, credentials, entry, external_secret, extract

PLACE = f"https://{HOST}:9797/api/v1/eso/production/K?env=prod"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"value":"s"}', "s"),
        ('{"value":""}', ""),
        ('{"value":null}', ""),
        ('{"value":1}', "1"),
        ('{"value":1e3}', "1000"),
        ('{"value":true}', "true"),
        ('{"value":1.5}', "2"),
        ('{"value":2.5}', "2"),
        ('{"value":12345678901234567890}', "12345678901234567168"),
        ('{"value":["a","b"]}', "a"),
        ('{"value":[[1.7,2]]}', "2"),
        ('{"value":{"a":"<x>&"}}', '{"a":"\\u003cx\\u003e\\u0026"}'),
        ('{"value":"a\\u0000b"}', "a\0b"),
    ],
)
def test_a_single_value_is_what_eso_makes_of_the_json(scene: Scene, body: str, value: str) -> None:
    scene.endpoint.says(body.encode("utf-8"))
    assert scene.value() == value


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{}", "failed to get response path $.value: unknown key value"),
        ('{"value":[]}', "filter worked but didn't get any result"),
        (
            "plain",
            "failed to parse response json: invalid character 'p' looking for beginning of value",
        ),
        ("", "failed to parse response json: unexpected end of JSON input"),
        (
            '\ufeff{"value":"s"}',
            "failed to parse response json: invalid character 'ï' looking for beginning of value",
        ),
        ('{"value":"s"}x', "failed to parse response json: invalid character 'x' after top-level value"),
    ],
)
def test_an_answer_that_is_no_value_fails_the_refresh(scene: Scene, body: str, problem: str) -> None:
    scene.endpoint.says(body.encode("utf-8"))
    assert scene.error() == problem


def test_without_a_json_path_the_body_is_the_value(scene: Scene) -> None:
    scene.endpoint.says(b"\xff plain {")
    outcome = scene.refresh(scene.single(result=None))
    assert outcome.secret is not None
    assert outcome.secret.data["K"] == b"\xff plain {"


def test_a_bulk_answer_keeps_what_a_single_one_corrupts(scene: Scene) -> None:
    scene.endpoint.says(
        b'{"data":{"A":"1","B":1.5,"C":12345678901234567890,"D":null,"E":true,"F":{"x":"<"},"G":[1,"a"]}}'
    )
    assert scene.bulk() == {
        "A": b"1",
        "B": b"1.5",
        "C": b"12345678901234567000",
        "D": b"",
        "E": b"true",
        "F": b'{"x":"\\u003c"}',
        "G": b'[1,"a"]',
    }


def test_a_bulk_answer_that_is_a_string_is_parsed_again(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":"{\\"a\\":\\"b\\"}"}')
    assert scene.bulk() == {"a": b"b"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"data":null}', "failed to get response (wrong type: <nil>)"),
        ('{"data":[1]}', "failed to get response (wrong type: []interface {})"),
        ('{"data":1}', "failed to get response (wrong type: float64)"),
        ("{}", "failed to get response path $.data: unknown key data"),
        (
            '{"data":"x"}',
            "failed to parse response json from jsonpath: invalid character 'x' looking for beginning of value",
        ),
    ],
)
def test_a_bulk_answer_without_a_map_fails_the_refresh(scene: Scene, body: str, problem: str) -> None:
    scene.endpoint.says(body.encode("utf-8"))
    assert scene.bulk_error() == problem


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a+b", "a%2Bb"),
        ("a b", "a+b"),
        ("ü", "%C3%BC"),
        ("a%b", "a%25b"),
        ("a?b#c", "a%3Fb%23c"),
        ("..", ".."),
        ("", ""),
    ],
)
def test_a_key_is_query_escaped_into_the_path(scene: Scene, key: str, path: str) -> None:
    scene.refresh(external_secret(entry(key)))
    assert [asked.target for asked in scene.endpoint.asked] == [f"/api/v1/eso/production/{path}?env=prod"]


def test_replacing_the_plus_mends_a_space_in_the_path(scene: Scene) -> None:
    url = URL.replace(".remoteRef.key", '.remoteRef.key | replace "+" "%20"')
    scene.refresh(scene.single(url=url), external_secret(entry("a b+c/d")))
    assert scene.endpoint.asked[0].target == "/api/v1/eso/production/a%20b%2Bc%2Fd?env=prod"


def test_headers_and_body_get_the_key_as_it_is(scene: Scene) -> None:
    store = scene.single(
        method="POST",
        headers={"x-key": "{{ .remoteRef.key }}/{{ .remoteRef.property }}/{{ .remoteRef.version }}"},
        body='{"ns":"{{ .remoteRef.namespace }}","key":"{{ .remoteRef.key }}"}',
    )
    scene.refresh(store, external_secret(entry("a/b c", property="p", version="1")))
    (asked,) = scene.endpoint.asked
    assert (asked.method, asked.body) == ("POST", b'{"ns":"default","key":"a/b c"}')
    assert asked.headers["X-Key"] == "a/b c/p/1"


def test_the_client_looks_like_go_s(scene: Scene) -> None:
    scene.refresh()
    assert scene.endpoint.asked[0].headers == {
        "Host": f"{HOST}:9797",
        "User-Agent": "Go-http-client/1.1",
        "Authorization": f"Bearer {TOKEN}",
        "Accept-Encoding": "gzip",
    }


def test_a_store_cannot_set_the_host_header_but_can_set_the_user_agent(scene: Scene) -> None:
    scene.refresh(scene.single(headers={"Host": "evil", "user-agent": "mine", "Content-Length": "9"}))
    headers = scene.endpoint.asked[0].headers
    assert (headers["Host"], headers["User-Agent"]) == (f"{HOST}:9797", "mine")
    assert "Content-Length" not in headers


def test_a_gzip_answer_is_decoded(scene: Scene) -> None:
    packed = gzip.compress(b'{"value":"z"}')
    scene.endpoint.says(Answer(200, packed, headers={"Content-Encoding": "gzip"}))
    assert scene.value() == "z"


@pytest.mark.parametrize("header", ["Bearer {{ .auth.nope }}", "Bearer {{ .nope.token }}"])
def test_a_wrong_template_name_sends_the_words_no_value(scene: Scene, header: str) -> None:
    outcome = scene.refresh(scene.single(headers={"Authorization": header}))
    assert scene.endpoint.asked[0].headers["Authorization"] == "Bearer <no value>"
    assert "<no value>" in outcome.notes[0]


def test_a_trimmed_token_that_is_missing_is_never_sent(scene: Scene) -> None:
    problem = scene.error(credentials({"other": "x"}))
    assert problem == (
        "failed to parse header Authorization: template: webhooktemplate:1:24: "
        'executing "webhooktemplate" at <trim>: invalid value; expected string'
    )
    assert scene.endpoint.asked == []


@pytest.mark.parametrize("header", ["Bearer {{ .auth }}", "Bearer {{ .auth.token }}"])
def test_a_token_with_a_line_break_never_leaves_the_client(scene: Scene, header: str) -> None:
    store = scene.single(headers={"authorization": header})
    problem = scene.error(store, credentials({"token": f"{TOKEN}\n"}))
    assert problem == (
        f'failed to call endpoint: Get "{PLACE}": net/http: invalid header field value for "Authorization"'
    )
    assert scene.endpoint.asked == []


def test_trim_mends_a_token_with_a_line_break(scene: Scene) -> None:
    assert scene.value(credentials({"token": f"{TOKEN}\n"})) == "s"


def test_a_credential_in_the_url_is_not_in_the_error(scene: Scene) -> None:
    store = scene.single(url=f"https://{HOST}:9797/?t={{{{ .auth.token }}}}")
    scene.endpoint.says(Answer(302, headers={"Location": "/"}))
    problem = scene.error(store)
    assert f"https://{HOST}:9797/?t=[redacted]" in problem
    assert TOKEN not in problem


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(404), "Secret does not exist"),
        (Answer(304), "not modified"),
        (Answer(401, reason="Unauthorized"), "endpoint gave error 401 Unauthorized"),
        (
            Answer(403, reason="Forbidden: token may not read env prod"),
            "endpoint gave error 403 Forbidden: token may not read env prod",
        ),
        (Answer(429, reason="Too Many Requests"), "endpoint gave error 429 Too Many Requests"),
        (Answer(500, b"secret detail"), "endpoint gave error 500 Internal Server Error"),
        (Answer(503, headers={"Retry-After": "1"}), "endpoint gave error 503 Service Unavailable"),
        (Answer(301), "endpoint gave error 301 Moved Permanently"),
        (Answer(204), "failed to parse response json: unexpected end of JSON input"),
    ],
)
def test_a_status_becomes_eso_s_error(scene: Scene, answer: Answer, problem: str) -> None:
    scene.endpoint.says(answer)
    assert scene.error() == problem


def test_a_partial_answer_is_taken_for_a_whole_one(scene: Scene) -> None:
    scene.endpoint.says(Answer(206, b'{"value":"part"}'))
    assert scene.value() == "part"


def test_one_store_serves_both_ways_with_a_templated_json_path(scene: Scene) -> None:
    def answer(asked: object) -> Answer:
        whole = "/DB?" not in str(asked)
        return Answer(200, b'{"data":{"A":"1"}}' if whole else b'{"value":"v"}')

    scene.endpoint.says(answer)
    dual = scene.single(
        url=(
            f"https://{HOST}:9797/api/v1/eso/{{{{ .remoteRef.key }}}}"
            "{{ if .remoteRef.property }}/{{ .remoteRef.property }}{{ end }}?env=prod"
        ),
        result={"jsonPath": "{{ if .remoteRef.property }}$.value{{ else }}$.data{{ end }}"},
    )
    everything = {"extract": {"key": "production"}}
    outcome = scene.refresh(
        dual, external_secret(entry("production", property="DB"), data_from=(everything,))
    )
    assert outcome.secret is not None
    assert outcome.secret.data == {"A": b"1", "K": b"v"}
    assert [asked.target for asked in scene.endpoint.asked] == [
        "/api/v1/eso/production?env=prod",
        "/api/v1/eso/production/DB?env=prod",
    ]


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        (
            None,
            "secret does not contain needed label 'external-secrets.io/type: webhook'. "
            "Update secret label to use it with webhook",
        ),
        ("aws", "secret type is not 'webhook'"),
    ],
)
def test_the_token_secret_needs_its_label(scene: Scene, label: str | None, problem: str) -> None:
    unlabelled = credentials(label=label)
    assert scene.error(unlabelled) == problem
    bulk = external_secret(data_from=(extract(),))
    assert scene.error(unlabelled, bulk) == f"cannot get template data: {problem}"
    assert scene.endpoint.asked == []


def test_a_token_secret_that_is_not_there_fails_the_refresh(scene: Scene) -> None:
    elsewhere = credentials(namespace="other")
    assert scene.error(scene.single(), scene.stores()[1], elsewhere).startswith(
        "failed to get clustersecretstore webhook secret arcan-credentials: "
        'secrets "arcan-credentials" not found'
    )


def test_a_store_in_a_namespace_ignores_the_namespace_of_its_secret_ref(scene: Scene) -> None:
    ref = {"name": "arcan-credentials", "namespace": "elsewhere"}
    assert scene.value(scene.single(secrets=[{"name": "auth", "secretRef": ref}])) == "s"


def test_a_cluster_store_reads_its_secret_where_it_says(scene: Scene) -> None:
    store = scene.single(kind="ClusterSecretStore")
    used = external_secret(kind="ClusterSecretStore")
    assert scene.value(store, used, credentials(namespace="external-secrets")) == "s"


def test_a_cluster_store_s_secret_ref_needs_a_namespace(scene: Scene) -> None:
    store = scene.single(kind="ClusterSecretStore")
    del store["spec"]["provider"]["webhook"]["secrets"][0]["secretRef"]["namespace"]
    problem = scene.error(store, external_secret(kind="ClusterSecretStore"))
    assert problem == "no namespace on ClusterScoped webhook secret arcan-credentials"
