"""JSON, base64, URLs, regular expressions and durations as Go has them; measured with Go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.golang import base64 as go_base64
from arcan_gitops.golang import regexp as go_regexp
from arcan_gitops.golang import url as go_url
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.json import marshal, parse
from arcan_gitops.golang.text import parse_duration


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "unexpected end of JSON input"),
        ('{"a":', "unexpected end of JSON input"),
        ('{"a":"b', "unexpected end of JSON input"),
        ("hello", "invalid character 'h' looking for beginning of value"),
        ("nope", "invalid character 'o' in literal null (expecting 'u')"),
        ("<html>", "invalid character '<' looking for beginning of value"),
        ("\ufeff{}", "invalid character 'ï' looking for beginning of value"),
        ('{"a":1} {}', "invalid character '{' after top-level value"),
        ("1e999", "json: cannot unmarshal number 1e999 into Go value of type float64"),
    ],
)
def test_what_is_not_json_is_refused_in_go_s_words(body: str, problem: str) -> None:
    with pytest.raises(GoError) as caught:
        parse(body.encode("utf-8"))
    assert str(caught.value) == problem


def test_a_broken_body_is_not_quoted_in_the_error() -> None:
    with pytest.raises(GoError) as caught:
        parse(b'{"value": "hunter2", }')
    assert str(caught.value) == "invalid JSON at character 21"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"b":1,"a":2,"b":3}', '{"a":2,"b":3}'),
        ('{"a":"<x>&\\u2028é"}', '{"a":"\\u003cx\\u003e\\u0026\\u2028é"}'),
        ("[1e20,1e21,0.000001,1e-7,-0,1.5]", "[100000000000000000000,1e+21,0.000001,1e-7,-0,1.5]"),
        ('"\\ud83d\\ude00 \\ud800"', '"😀 \ufffd"'),
        ("[true,null,[],{}]", "[true,null,[],{}]"),
    ],
)
def test_json_is_written_as_json_marshal_does(text: str, written: str) -> None:
    assert marshal(parse(text.encode("utf-8"))).decode("utf-8") == written


@pytest.mark.parametrize(
    ("text", "at"),
    [("!!", 0), ("YQ", 0), ("YW=", 3), ("YW=b", 2), ("YWI=x", 4), ("YWJjY", 4), ("YWJj*A", 4), ("Y===", 1)],
)
def test_bad_base64_is_reported_at_go_s_offset(text: str, at: int) -> None:
    with pytest.raises(GoError, match=rf"^illegal base64 data at input byte {at}$"):
        go_base64.decode(text.encode())


@given(st.binary())
def test_base64_of_anything_is_read_back(data: bytes) -> None:
    import base64

    assert go_base64.decode(base64.encodebytes(data)) == data
    assert go_base64.decode(base64.urlsafe_b64encode(data), url=True) == data


@pytest.mark.parametrize(
    ("source", "target", "text", "result"),
    [
        ("^(.*)$", "app_$1", "a.b", "app_a.b"),
        ("(.*)", "x$1", "abc", "xabc"),  # Python's re would add another x
        ("(.*)", "$1_x", "abc", ""),  # the group named 1_x
        ("(.*)", "${1}_x", "abc", "abc_x"),
        ("(?P<n>b)", "<$n>", "abc", "a<b>c"),
        ("(b)|(c)", "[$2]", "abc", "a[][c]"),
        ("(.*)", "$$1", "abc", "$1"),
        ("", "-", "abc", "-a-b-c-"),
        ("a*", "-", "abc", "-b-c-"),
    ],
)
def test_a_regexp_replaces_as_go_does(source: str, target: str, text: str, result: str) -> None:
    assert go_regexp.replace_all(go_regexp.compile_pattern(source), target, text) == result


def test_a_bad_regexp_is_reported_in_go_s_words_and_nowhere_else(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(GoError, match=r"^error parsing regexp: missing closing \]: `\[`$"):
        go_regexp.compile_pattern("[")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (
            "https://h:1/a b/ü/[x]/%2F?q=%zz#f",
            "/a%20b/%C3%BC/%5Bx%5D//?q=%zz",
        ),  # one bad character, and %2F is lost
        ("https://h/[x]!'()*", "/[x]!'()*"),
        ("https://h", "/"),
        ("https://h?", "/?"),
    ],
)
def test_a_request_target_is_written_as_net_url_does(url: str, target: str) -> None:
    assert go_url.parse(url).target == target


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://{{ .h }}:9797/", 'invalid character "{" in host name'),
        ("https://h:x/", 'invalid port ":x" after host'),
        ("https://h/%s", 'invalid URL escape "%s"'),
        ("https://h/a\nb", "net/url: invalid control character in URL"),
    ],
)
def test_a_bad_url_is_reported_in_go_s_words(url: str, problem: str) -> None:
    with pytest.raises(GoError) as caught:
        go_url.parse(url)
    assert str(caught.value) == f'parse "{url}": {problem}'.replace("\n", "\\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("1m30s", 90), ("0.5ms", 0.0005), ("1h0m0s", 3600), ("0", 0), ("-1s", -1)],
)
def test_a_duration_is_read_as_go_does(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "1d", "-"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
