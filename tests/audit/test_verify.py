"""Any line that is changed, removed, added or reordered is found, with its file and line."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.audit.chain import HASH_FIELD, Head, link
from arcan_gitops.audit.key import AuditKey, make_key
from arcan_gitops.audit.verify import Asked, Verdict, Verifier
from arcan_gitops.cli.audit import audit
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.audit_line import encoded
from arcan_gitops.server.gauges import Gauges
from arcan_gitops.server.refusals import Source

START = 1_800_000_000.0
Lines = list[bytes]


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "audit" / "key"
    make_key(path)
    return path


def write_log(
    path: Path, key: AuditKey | None, *, seconds: float = 9, many: int = 40, before: Head | None = None
) -> None:
    """The log of one process over some minutes, written by the code that serves."""
    clock = Clock()
    log = AuditLog(str(path), clock, key, [before] if before else [])
    for number in range(many):
        fields = {
            "request_id": f"{number:016x}",
            "status": 200,
            "client": "10.0.0.1",
            "key": f"KEY_{number % 7}",
        }
        log.write(encoded(fields))
        clock.now += seconds
    for _ in range(3):
        log.refuse(
            Source("10.6.6.6", 401, "unauthorized", None), encoded({"status": 401, "client": "10.6.6.6"})
        )
    log.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Lines:
    path = tmp_path_factory.mktemp("log") / "audit.log"
    write_log(path, AuditKey.read(key))
    return path.read_bytes().splitlines(keepends=True)


def judged(path: Path, *keys: Path, partial: bool = False) -> Verdict:
    return Verifier(Asked([AuditKey.read(key) for key in keys], partial)).verify([str(path)])


def sound(verdict: Verdict) -> bool:
    return not (verdict.faults or verdict.open_ends)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(audit, ["verify", *map(str, arguments)])


def test_a_log_that_nobody_touched_is_whole(whole: Lines, key: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"".join(whole))
    done = run(path, "--key", key)
    assert done.exit_code == 0, done.output
    assert "sealed to its last line" in done.output
    events = [json.loads(line).get("event") for line in whole]
    assert events.count("checkpoint") >= 5
    assert (events[0], events[-1]) == ("began", "ended")


def changes(whole: Lines, draw: random.Random) -> Iterator[tuple[str, set[int], Lines]]:
    """(what was done, the indexes that it touched, the lines) for every line, in several ways."""
    for at, line in enumerate(whole):
        for _ in range(3):
            where = draw.randrange(len(line) - 1)
            other = bytes([line[where] ^ (1 << draw.randrange(7))])
            if other not in b"\r\n":
                yield "a bit", {at}, [*whole[:at], line[:where] + other + line[where + 1 :], *whole[at + 1 :]]
        yield "a space", {at}, [*whole[:at], line.replace(b",", b", ", 1), *whole[at + 1 :]]
        yield "removed", {at}, [*whole[:at], *whole[at + 1 :]]
        yield "twice", {at}, [*whole[:at], line, *whole[at:]]
        to = draw.choice([n for n in range(len(whole)) if n != at])
        yield "copied", {to}, [*whole[:to], line, *whole[to:]]
        swapped = list(whole)
        swapped[at], swapped[to] = swapped[to], swapped[at]
        yield "swapped", {at, to}, swapped
        rest = [*whole[:at], *whole[at + 1 :]]
        yield "moved", {at, to}, [*rest[:to], line, *rest[to:]]
        if at:
            content = re.sub(rb'"key":"KEY_\d"', b'"key":"OTHER"', line).partition(HASH_FIELD)[0]
            before = json.loads(whole[at - 1])["hash"].encode()
            forged = content + HASH_FIELD + link(before, content).encode() + b'"}\n'
            if forged != line:
                yield "forged", {at}, [*whole[:at], forged, *whole[at + 1 :]]
                yield "added", {at}, [*whole[:at], forged, *whole[at:]]


def test_every_change_of_any_line_is_found(whole: Lines, tmp_path: Path) -> None:
    """Without a key: who changes a line, and not all after it, is found by the hashes alone."""
    path = tmp_path / "audit.log"
    kinds: dict[str, int] = {}
    for what, at, lines in changes(whole, random.Random(7)):
        if lines == whole:
            continue
        path.write_bytes(b"".join(lines))
        verdict = judged(path)
        assert not sound(verdict), (what, at)
        named = {
            int(number)
            for text in verdict.faults + verdict.open_ends
            for number in re.findall(r"audit\.log:(\d+)", text)
        }
        assert any(named & {one, one + 1, one + 2} for one in at), (what, at, verdict.faults)
        kinds[what] = kinds.get(what, 0) + 1
    assert set(kinds) == {
        "a bit",
        "a space",
        "removed",
        "twice",
        "copied",
        "swapped",
        "moved",
        "forged",
        "added",
    }
    assert sum(kinds.values()) > 400


def chained_anew(lines: Lines) -> Lines:
    """What somebody makes who knows how lines are chained, and has no key."""
    before, made = b"0" * 64, []
    for number, line in enumerate(lines, 1):
        content = re.sub(rb'"sequence":\d+', b'"sequence":%d' % number, line).rpartition(HASH_FIELD)[0]
        before = link(before, content).encode()
        made.append(content + HASH_FIELD + before + b'"}\n')
    return made


def sealed_line(line: bytes) -> bool:
    return b'"mac":"' in line


FORGERIES: dict[str, Callable[[Lines], Lines]] = {
    "removes a line": lambda lines: [*lines[:20], *lines[21:]],
    "changes a line": lambda lines: [*lines[:20], lines[20].replace(b"KEY_", b"NOT_"), *lines[21:]],
    "takes all checkpoints out": lambda lines: [lines[0], *(line for line in lines if not sealed_line(line))],
    "takes all seals out": lambda lines: [
        re.sub(rb',"key_id".*?"mac":"[0-9a-f]+"', b"", line) for line in lines
    ],
    "takes all checkpoints after the start out": lambda lines: [
        *lines[:30],
        *(line for line in lines[30:] if not sealed_line(line)),
        lines[-1],
    ],
}


@pytest.mark.parametrize("what", FORGERIES)
def test_who_chains_all_lines_anew_is_found_by_the_key(
    whole: Lines, key: Path, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "audit.log"
    forged = chained_anew(FORGERIES[what](whole))
    path.write_bytes(b"".join(forged))
    assert not judged(path).faults  # the hashes alone agree, which is why there is a key
    assert judged(path, key).faults


def test_lines_chained_anew_without_a_change_are_the_same(whole: Lines) -> None:
    assert chained_anew(whole) == whole


def test_a_seal_of_another_key_is_no_seal(whole: Lines, key: Path, tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "audit.log"
    make_key(other)
    path.write_bytes(b"".join(whole))
    assert any("which was not given" in fault for fault in judged(path, other).faults)
    assert sound(judged(path, other, key))
    forged = AuditKey(AuditKey.read(other).secret, AuditKey.read(key).id)
    assert any(
        "was not made with the key" in fault for fault in Verifier(Asked([forged])).verify([str(path)]).faults
    )


def test_a_log_without_a_key_is_chained_and_known_not_to_be_sealed(tmp_path: Path, key: Path) -> None:
    path = tmp_path / "audit.log"
    write_log(path, None, many=20)
    assert sound(judged(path))
    assert [fault for fault in judged(path, key).faults if "no key seals" in fault]


def test_an_end_that_was_cut_is_told_with_its_own_exit_status(whole: Lines, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for many in range(1, len(whole)):
        path.write_bytes(b"".join(whole[:many]))
        verdict = judged(path)
        assert verdict.open_ends
        assert not verdict.faults
    assert run(path).exit_code == 3
    assert run(path, "--running").exit_code == 3  # its last line is not of the last minutes


def test_a_beginning_that_was_cut_is_a_fault_unless_it_is_known(
    whole: Lines, key: Path, tmp_path: Path
) -> None:
    path = tmp_path / "audit.log"
    for many in range(1, len(whole)):
        path.write_bytes(b"".join(whole[many:]))
        assert judged(path).faults
        assert sound(judged(path, key, partial=True)), many


def test_files_are_taken_in_any_order_compressed_and_mixed(whole: Lines, key: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    write_log(beside, AuditKey.read(key), many=30)
    others = beside.read_bytes().splitlines(keepends=True)
    wrapped = [
        b"2027-01-15T08:00:00.123456789Z stdout F " + line if at % 2 else
        json.dumps({"log": line.decode(), "stream": "stdout", "time": "2027-01-15T08:00:00Z"}).encode() + b"\n"
        for at, line in enumerate(whole)
    ]  # fmt: skip
    wrapped[40] = b"[pod/arcan-7d9/arcan] " + whole[40]
    wrapped[41] = b"Jan 15 08:00:00 host arcan[12]: " + whole[41]
    wrapped[42] = json.dumps({"MESSAGE": whole[42].decode().rstrip("\n"), "PRIORITY": "6"}).encode() + b"\n"
    foreign = [
        b"\n",
        b'{"time":"2027-01-15T08:00:00Z","level":"INFO","msg":"other"}\n',
        b"\xff\xfe\n",
        b'{"log":1}\n',
    ]
    mixed: Lines = []
    for at, line in enumerate(wrapped):
        mixed += [line, *others[at : at + 1], foreign[at % 4]]
    parts = [mixed[:50], mixed[50:54], mixed[54:90], mixed[90:]]
    packers = [gzip.compress, lzma.compress, bz2.compress, bytes]
    for number, (part, pack) in enumerate(zip(parts, packers, strict=True)):
        (tmp_path / f"part.{number}").write_bytes(pack(b"".join(part)))
    files = [tmp_path / f"part.{number}" for number in (2, 0, 3, 1)]
    done = run(*files, "--key", key)
    assert done.exit_code == 0, done.output
    assert "in 2 chains" in done.output
    removed = run(*files[:3], "--key", key)
    assert removed.exit_code == 1
    assert re.search(r"part\.2:1: lines are missing between .*part\.0:\d+ and this one", removed.output)


def test_a_line_that_was_moved_into_another_file_is_found(whole: Lines, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"".join([*whole[:10], *whole[11:30]]))
    two.write_bytes(b"".join([whole[10], *whole[30:]]))
    assert any("in another file" in fault for fault in Verifier(Asked()).verify([str(one), str(two)]).faults)


def test_a_chain_names_the_one_before_so_that_neither_can_go(tmp_path: Path, key: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_log(first, None, many=20)
    end = json.loads(first.read_bytes().splitlines()[-1])
    write_log(second, None, many=20, before=Head(end["chain"], end["sequence"], end["hash"]))
    both = [str(first), str(second)]
    assert sound(Verifier(Asked()).verify(both))
    assert any("of which there is no line" in fault for fault in judged(second).faults)
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(b"".join(lines[:-3]))
    assert any(
        f"had line {len(lines)}, and has {len(lines) - 3}" in fault
        for fault in Verifier(Asked()).verify(both).faults
    )
    first.write_bytes(b"".join(chained_anew([*lines[:5], *lines[6:], lines[-1]])))
    assert any("is not the line that" in fault for fault in Verifier(Asked()).verify(both).faults)


def test_the_successor_of_a_worker_that_was_killed_knows_its_last_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log, gauges = AuditLog(str(path)), Gauges(2)
    row = gauges.free()
    child = os.fork()
    if child == 0:
        log.enter_worker(row, gauges)
        for number in range(50):
            log.write(encoded({"request_id": str(number), "status": 200}))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    log.enter_worker(row, gauges)
    log.write(encoded({"request_id": "after", "status": 200}))
    log.close()
    verdict = judged(path)
    assert sound(verdict)
    assert any("a chain that follows names line 51" in note for note in verdict.notes)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:50], *lines[51:]]))
    assert any("had line 51, and has 50" in fault for fault in judged(path).faults)


def test_what_a_full_disk_cut_short_is_no_fault_and_hides_none(whole: Lines, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    log.write(encoded({"request_id": "first", "status": 200}))
    whole_line = path.read_bytes().splitlines(keepends=True)[-1]
    with path.open("ab") as file:
        file.write(whole_line[:37])
    again = AuditLog(str(path))
    again.write(encoded({"request_id": "second", "status": 200}))
    again.close()
    log.close()
    verdict = judged(path)
    assert sound(verdict)
    assert any("was cut short" in note for note in verdict.notes)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], lines[-1][:37] + b"\n", lines[-1]]))
    assert any("is no whole audit line" in fault for fault in judged(path).faults)


@pytest.mark.parametrize(
    ("content", "says"), [(b"short\n", "needs 32"), (b"x" * 5000, "5,000"), (None, "is not there")]
)
def test_a_key_that_is_none_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    done = run(__file__, "--key", path)
    assert done.exit_code == 1
    assert done.exception is not None
    assert says in str(done.exception) or says == "5,000"


def test_files_that_cannot_be_read_are_errors_that_name_them(tmp_path: Path, whole: Lines) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"".join(whole))[:-20])
    zstd = tmp_path / "log.zst"
    zstd.write_bytes(b"\x28\xb5\x2f\xfd....")
    for path, says in ((cut, "cut short"), (zstd, "zstd"), (tmp_path / "none", "No such file")):
        done = run(path)
        assert done.exit_code == 1
        assert path.name in str(done.exception)
        assert says in str(done.exception)


def test_nothing_to_verify_is_not_verified(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert run(path).exit_code == 1


def test_the_key_is_private_and_shown_nowhere(key: Path, whole: Lines) -> None:
    read = AuditKey.read(key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    for text in (repr(read), str(read), b"".join(whole).decode()):
        assert read.secret.decode() not in text


@pytest.mark.parametrize(
    "field", [b'"instance":"\xff\x01"', b'"instance":"\\q"', b'"instance":"\\"', b'"instance":""']
)
def test_a_host_that_is_no_text_is_a_fault_and_stops_nothing(
    whole: Lines, tmp_path: Path, field: bytes
) -> None:
    path = tmp_path / "audit.log"
    for at in (0, len(whole) // 2):
        changed = re.sub(rb'"instance":"[^"]*"', lambda _: field, whole[at])
        path.write_bytes(b"".join([*whole[:at], changed, *whole[at + 1 :]]))
        done = run(path, "--format", "json")
        assert done.exit_code == 1
        assert f"audit.log:{at + 1}" in "".join(json.loads(done.stdout)["faults"])


def test_a_line_that_names_no_chain_though_it_should_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    write_log(path, None, many=3, before=Head("0" * 16, 1, "0" * 64))
    lines = path.read_bytes().splitlines(keepends=True)
    for value in (b"null", b"[]", b'"x"'):
        lines[1] = re.sub(rb'"previous_sequence":[^,]*', b'"previous_sequence":' + value, lines[1])
        path.write_bytes(b"".join(chained_anew(lines)))
        assert any("does not name the chain" in fault for fault in judged(path).faults)
