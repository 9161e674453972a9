"""Scopes: globs as fnmatch has them, case-sensitive, and the laws that narrowing and widening follow."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import Scope, environment_glob, key_glob
from arcan_gitops.names import InvalidName

names = st.text(alphabet="ab_.AB-1", min_size=1, max_size=8)
globs = st.text(alphabet="ab_A*?[]!-1", min_size=1, max_size=8)
glob_lists = st.lists(globs, min_size=1, max_size=4).map(tuple)


@given(glob_lists, names)
def test_a_scope_matches_as_fnmatch_does(patterns, name):
    expected = any(fnmatchcase(name, pattern) for pattern in patterns)
    assert Scope(environments=patterns).allows_environment(name) is expected
    assert Scope(keys=patterns).allows_key(name) is expected


@given(glob_lists, globs, names)
def test_adding_a_glob_never_removes_access(patterns, added, name):
    narrow, wide = Scope(patterns, patterns), Scope((*patterns, added), (*patterns, added))
    assert not narrow.allows_environment(name) or wide.allows_environment(name)
    assert not narrow.allows_key(name) or wide.allows_key(name)
    assert not narrow.all_keys or wide.all_keys


@given(glob_lists, names)
def test_no_globs_given_is_the_widest_scope(patterns, name):
    assert Scope().allows_environment(name)
    assert Scope().allows_key(name)
    assert Scope().all_keys


@given(names)
def test_an_empty_list_of_globs_allows_nothing(name):
    assert not Scope((), ()).allows_environment(name)
    assert not Scope((), ()).allows_key(name)
    assert not Scope((), ()).all_keys


@given(glob_lists, names)
def test_a_scope_over_all_keys_allows_each_key(patterns, name):
    scope = Scope(keys=patterns)
    assert not scope.all_keys or scope.allows_key(name)


def test_globs_are_case_sensitive():
    assert not Scope(keys=("DB_*",)).allows_key("db_url")


def test_many_wildcards_do_not_cost_time():
    assert not Scope(keys=("*a" * 60 + "b",)).allows_key("a" * 253)


@pytest.mark.parametrize("text", ["prod", "*", "dev-?", "[a-c]*", "[!x]1", "p*d"])
def test_a_glob_that_can_match_an_environment_is_accepted(text):
    assert environment_glob(text) == text


@pytest.mark.parametrize(
    "text", ["", "Prod", "dev_1", "a,b", "a b", "a/b", "[ab", "ab]", "[]", "a\n", "{a,b}", "a" * 254]
)
def test_a_glob_that_can_match_no_environment_is_refused(text):
    with pytest.raises(InvalidName, match="environment glob"):
        environment_glob(text)


@pytest.mark.parametrize("text", ["DB_*", "*", "a.b-c", "[A-Z]?", "[!_]x"])
def test_a_glob_that_can_match_a_key_is_accepted(text):
    assert key_glob(text) == text


@pytest.mark.parametrize("text", ["", "DB_*,API_*", "A B", "A/B", "[A", "A]", "ü", "A\n"])
def test_a_glob_that_can_match_no_key_is_refused(text):
    with pytest.raises(InvalidName, match="key glob"):
        key_glob(text)
