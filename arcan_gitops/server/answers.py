"""What goes out. All but success is one table, from the reason to HTTP's status and our stable code."""

from __future__ import annotations

from typing import Final, NamedTuple


class Answer(NamedTuple):
    """An HTTP answer; the headers are all of them, but for what the server adds to any (Date)."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Refusal(Exception):
    """A request that is not answered with a secret. Its message is public and holds nothing secret."""

    def __init__(
        self, code: str, message: str, *, reason: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS[code]
        self.message = message
        self.reason = reason  # for the audit log alone
        self.hint = hint  # for the server's log alone


# ESO deletes Secrets on 404 and on nothing else: `key_not_found` is the one code that may have it.
STATUS: Final = {
    "method_not_allowed": 405,
    "unauthorized": 401,
    "malformed_path": 400,
    "malformed_query": 400,
    "unknown_environment": 400,
    "forbidden": 403,
    "bulk_needs_all_keys": 403,
    "key_not_found": 404,
    "not_recorded": 409,
    "version_needed": 409,
    "not_loaded": 503,
    "version_not_loaded": 503,
    "audit_unavailable": 503,
    "internal_error": 500,
}
