"""Who is let in, and to what: the decisions of the server, without a server."""

import traceback
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import (
    BulkNeedsAllKeys,
    Caller,
    Forbidden,
    NotAuthenticated,
    Policy,
    Reason,
    Scope,
    TokenRecord,
    mint,
)
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName, SecretRef

PRODUCTION, STAGING = RealmName("production"), RealmName("staging")
CREATED = datetime(2026, 5, 1, tzinfo=UTC)
NOW = CREATED.timestamp() + 3600


def issue(environments=None, keys=None, lifetime=None):
    minted = mint()
    expires = None if lifetime is None else CREATED + lifetime
    record = TokenRecord(
        minted.id, "eso-operator", "read-only", environments, keys, CREATED, expires, minted.digest
    )
    return minted.text.reveal(), record


def reason(policy, presented, now=NOW):
    with pytest.raises(NotAuthenticated) as caught:
        policy.authenticate(presented, now)
    return caught.value.reason


def ref(realm, environment, key=None):
    return SecretRef(RealmName(realm), EnvironmentName(environment), None if key is None else KeyName(key))


def test_a_token_is_known_by_its_text():
    text, record = issue(environments=("prod",))
    caller = Policy.build({PRODUCTION: [record], STAGING: []}).authenticate(text, NOW)
    assert isinstance(caller, Caller)
    assert (caller.token_id, caller.token_name, caller.realm) == (record.id, "eso-operator", PRODUCTION)
    assert caller.scope == Scope(("prod",), None)


def test_the_reason_of_a_refusal_is_told_to_the_log_only():
    text, record = issue()
    stranger, _ = issue()
    policy = Policy.build({PRODUCTION: [record]})
    other_secret = mint().text.reveal()
    assert reason(policy, None) is Reason.MISSING
    assert reason(policy, "") is Reason.MISSING
    assert reason(policy, "<no value>") is Reason.NO_VALUE
    assert reason(policy, text[:-1]) is Reason.MALFORMED
    assert reason(policy, text + "\n") is Reason.MALFORMED
    assert reason(policy, stranger) is Reason.UNKNOWN
    assert reason(Policy.build({}), other_secret) is Reason.UNKNOWN
    messages = set()
    for presented in (None, "<no value>", text[:-1], stranger):
        with pytest.raises(NotAuthenticated) as caught:
            policy.authenticate(presented, NOW)
        messages.add(caught.value.message)
        assert caught.value.hint
    assert len(messages) == 1


def test_a_known_id_with_another_secret_is_wrong():
    text, record = issue()
    _, other = issue()
    forged = TokenRecord.from_plain({**other.to_plain(), "id": record.id})
    with pytest.raises(NotAuthenticated) as caught:
        Policy.build({PRODUCTION: [forged]}).authenticate(text, NOW)
    assert caught.value.reason is Reason.WRONG
    assert caught.value.token_id == record.id


def test_a_token_expires_while_the_server_runs():
    text, record = issue(lifetime=timedelta(hours=1))
    policy = Policy.build({PRODUCTION: [record]})
    end = CREATED.timestamp() + 3600
    assert policy.authenticate(text, end - 0.001).token_id == record.id
    assert reason(policy, text, end) is Reason.EXPIRED
    assert record.expired(CREATED + timedelta(hours=1))
    assert not record.expired(CREATED + timedelta(minutes=59))


def test_one_id_in_two_realms_is_an_error_that_names_both():
    _, record = issue()
    with pytest.raises(ArcanError, match=r"'production'.*'staging'"):
        Policy.build({PRODUCTION: [record], STAGING: [record]})


@pytest.mark.parametrize(
    ("asked", "outside"),
    [
        (("staging", "prod", "DB_URL"), "realm 'staging'"),
        (("staging", "dev", "API"), "realm 'staging'"),
        (("production", "dev", "DB_URL"), "environment 'dev'"),
        (("production", "dev", "API"), "environment 'dev'"),
        (("production", "dev", None), "environment 'dev'"),
        (("production", "prod", "API"), "key 'API'"),
        (("production", "prod", "db_url"), "key 'db_url'"),
    ],
)
def test_what_is_outside_the_scope_is_forbidden_realm_first_then_environment_then_key(asked, outside):
    text, record = issue(environments=("prod",), keys=("DB_*",))
    caller = Policy.build({PRODUCTION: [record]}).authenticate(text, NOW)
    caller.require(ref("production", "prod", "DB_URL"))
    with pytest.raises(Forbidden, match=outside) as caught:
        caller.require(ref(*asked))
    assert caught.value.code == "forbidden"


@pytest.mark.parametrize("keys", [("DB_*",), ("?*",)])
def test_a_bulk_read_with_a_token_narrowed_by_keys_is_refused(keys):
    with pytest.raises(BulkNeedsAllKeys) as caught:
        Caller("aaaaaaaaaaaa", "n", PRODUCTION, Scope(None, keys)).require(ref("production", "prod"))
    assert caught.value.code == "bulk_needs_all_keys"


@pytest.mark.parametrize("keys", [None, ("*",), ("DB_*", "*")])
def test_a_bulk_read_with_a_token_for_all_keys_is_allowed(keys):
    Caller("aaaaaaaaaaaa", "n", PRODUCTION, Scope(None, keys)).require(ref("production", "prod"))


globs = st.lists(st.text(alphabet="ab*?", min_size=1, max_size=4), min_size=1, max_size=3).map(tuple)
names = st.text(alphabet="ab", min_size=1, max_size=4)


@given(st.none() | globs, st.none() | globs, globs, names, st.none() | names)
def test_adding_a_scope_never_removes_access(environments, keys, added, environment, key):
    def allowed(environments, keys):
        try:
            Caller("aaaaaaaaaaaa", "n", PRODUCTION, Scope(environments, keys)).require(
                ref("production", environment, key)
            )
        except Forbidden:
            return False
        return True

    if allowed(environments, keys):
        assert allowed(environments and environments + added, keys and keys + added)
        assert allowed(None, None)


def test_no_message_repr_or_traceback_holds_the_token():
    text, record = issue(environments=("prod",), lifetime=timedelta(seconds=1))
    _, other = issue()
    forged = TokenRecord.from_plain({**other.to_plain(), "id": record.id})
    policies = [Policy.build({PRODUCTION: [entry]}) for entry in (record, forged)] + [Policy.build({})]
    seen = [repr(policy) for policy in policies]
    for policy in policies:
        for presented in (text, text[:-1], text + " "):
            try:
                policy.authenticate(presented, NOW)
            except NotAuthenticated as error:
                seen += [traceback.format_exc(), repr(error), str(error.hint), str(error.token_id)]
    caller = policies[0].authenticate(text, CREATED.timestamp())
    try:
        caller.require(ref("staging", "prod"))
    except Forbidden:
        seen.append(traceback.format_exc())
    seen.append(repr(caller))
    assert len(seen) > 30
    assert not any(text[17:60] in line or text in line for line in seen)


def test_a_token_that_an_earlier_policy_knew_is_told_from_one_that_nobody_knew():
    text, record = issue()
    stranger, _ = issue()
    before, between, after = Policy.build({PRODUCTION: [record]}), Policy.build({}), Policy.build({})
    between.remember(before)
    after.remember(between)
    for policy in (between, after):
        assert reason(policy, text) is Reason.REVOKED
        assert reason(policy, text[:-8] + "AAAAAAAA") is not Reason.REVOKED  # the id is public
        assert reason(policy, stranger) is Reason.UNKNOWN
    again = Policy.build({PRODUCTION: [record]})
    again.remember(after)
    assert again.authenticate(text, NOW).token_id == record.id
