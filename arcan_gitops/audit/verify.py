"""Whether the lines of audit logs are all there, in order, and as they were written.

Files may be given in any order. What is kept of them in memory is a few lines for each chain in each file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from arcan_gitops.audit.chain import FIRST, MAC_FIELD, link, seal
from arcan_gitops.audit.fields import CHECKPOINT_SECONDS, ENDED, FOLLOWS, RESUMED, SEALED
from arcan_gitops.audit.key import AuditKey
from arcan_gitops.audit.reading import Damaged, Line, audit_line
from arcan_gitops.audit.streams import STDIN, Place, lines

MOST_FAULTS: Final = 1000
_MOST_SEGMENTS: Final = 20_000
_TRUNCATION_SECONDS: Final = 0.002  # times are cut to milliseconds


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the logs."""

    keys: Sequence[AuditKey] = ()  # those that their chains are sealed with; none: seals are not looked at
    partial: bool = False  # the oldest files are gone, so that chains may begin in the middle
    running_at: float | None = None  # when the servers were running (Unix seconds): chains may be open then


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """One chain, as far as it was found."""

    chain: str
    instance: str
    worker: int
    lines: int
    first: str  # times, as they are written
    last: str
    ended: bool
    sealed: int | None  # the sequence of the last line that a key given seals
    last_sequence: int


@dataclass
class Verdict:
    """What was found. `faults` name file and line; `open_ends` are chains whose last lines may be missing."""

    chains: list[ChainSeen] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    open_ends: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    lines: int = 0
    others: int = 0  # lines of other programs


@dataclass(frozen=True, slots=True)
class _Known:
    """A line that was read, and both hashes that the next one may follow from: the one that it states, and
    the one that it should have.
    """

    place: Place
    line: Line
    hashes: tuple[bytes, ...]


@dataclass(slots=True)
class _Segment:
    """Lines of one chain in one file that follow each other without a gap."""

    first: _Known
    last: _Known
    event: str | None  # of the last line
    many: int = 1
    seal: float | None = None  # time of the last sealed line
    seal_sequence: int = 0
    unsealed: list[_Known] = field(default_factory=list)  # earliest and latest line before the first seal


class TooBroken(Exception):
    """More faults than anybody reads."""


class Verifier:
    """Reads all files, then judges."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._keys = {key.id: key.secret for key in asked.keys}
        self._chains: dict[bytes, list[_Segment]] = {}
        self._follows: list[tuple[Place, bytes, int, bytes]] = []
        self._unsealed_chains: set[bytes] = set()
        self._segments = 0
        self.verdict = Verdict()

    def verify(self, files: Sequence[str]) -> Verdict:
        """Raises `CannotReadLog`."""
        try:
            for file in files:
                self._read(file)
            for chain, segments in self._chains.items():
                self._judge(chain, segments)
            self._judge_follows(files)
        except TooBroken:
            self._note_fault(
                f"there are more than {MOST_FAULTS} faults: the rest is not looked at", last=True
            )
        return self.verdict

    def _note_fault(self, text: str, *, last: bool = False) -> None:
        if len(self.verdict.faults) >= MOST_FAULTS and not last:
            raise TooBroken
        self.verdict.faults.append(text)

    def _read(self, file: str) -> None:
        self.verdict.files += 1
        newest: dict[bytes, _Segment] = {}
        highest: dict[bytes, tuple[int, Place]] = {}
        torn: Place | None = None
        for place, raw in lines(file):
            found = audit_line(raw)
            if found is None:
                self.verdict.others += 1
                continue
            self.verdict.lines += 1
            if isinstance(found, Damaged):
                if torn is not None:
                    self._note_fault(f"{torn}: is no whole audit line")
                torn = place if found.torn else None
                if not found.torn:
                    self._note_fault(
                        f"{place}: is an audit line that was changed, or one outside of any chain"
                    )
                continue
            event = found.event
            if torn is not None:
                # a line that was cut short was not answered; what is written next says so
                if event == RESUMED or (event is not None and found.sequence == 1):
                    self.verdict.notes.append(f"{torn}: was cut short as it was written, and is no line")
                else:
                    self._note_fault(f"{torn}: is no whole audit line")
                torn = None
            self._take(place, found, event, newest, highest)
        if torn is not None:
            self._note_fault(f"{torn}: is no whole audit line")

    def _take(
        self,
        place: Place,
        line: Line,
        event: str | None,
        newest: dict[bytes, _Segment],
        highest: dict[bytes, tuple[int, Place]],
    ) -> None:
        before, (top, at) = newest.get(line.chain), highest.get(line.chain, (0, place))
        if line.sequence <= top:
            self._note_fault(
                f"{place}: is out of order: it has sequence number {line.sequence}, after {top} at {at}"
            )
        else:
            highest[line.chain] = line.sequence, place
        if before is not None and line.sequence == before.last.line.sequence + 1:
            known = self._linked(before.last, place, line)
            before.last, before.event = known, event
            before.many += 1
            segment = before
        else:
            self._segments += 1
            if self._segments > _MOST_SEGMENTS:
                raise TooBroken
            known = _Known(place, line, (line.hash,))
            segment = _Segment(known, known, event)
            self._chains.setdefault(line.chain, []).append(segment)
            newest[line.chain] = segment
        if event in SEALED:
            segment.seal, segment.seal_sequence = line.seconds, line.sequence
        elif self._keys:
            self._look_at_time(segment, known)
        if event == FOLLOWS:
            self._note_follows(place, line)

    def _linked(self, before: _Known, place: Place, line: Line) -> _Known:
        """The line with its hashes; a fault where it does not follow."""
        due = [link(digest, line.content).encode() for digest in before.hashes]
        if line.hash not in due:
            self._note_fault(f"{place}: does not follow from {before.place}: one of the two was changed")
        elif self._keys and line.event in SEALED:
            self._look_at_seal(place, line, before.hashes)
        return _Known(place, line, tuple(dict.fromkeys((line.hash, due[0]))))

    def _look_at_seal(self, place: Place, line: Line, before: Iterable[bytes]) -> None:
        record = line.record()
        key_id, mac = record.get("key_id"), record.get("mac")
        if key_id is None and mac is None:
            if line.chain not in self._unsealed_chains:
                self._unsealed_chains.add(line.chain)
                self._note_fault(f"{place}: no key seals the chain {line.chain.decode()}")
            return
        content, _, _ = line.content.rpartition(MAC_FIELD)
        secret = self._keys.get(str(key_id))
        if secret is None:
            self._note_fault(f"{place}: is sealed with the key {key_id}, which was not given")
        elif not any(seal(secret, digest, content) == mac for digest in before):
            self._note_fault(f"{place}: its seal was not made with the key: lines up to here may be forged")

    def _look_at_time(self, segment: _Segment, known: _Known) -> None:
        if segment.seal is None:
            first, last = (*segment.unsealed, known, known)[:2]
            segment.unsealed = [
                min(first, known, key=lambda one: one.line.seconds),
                max(last, known, key=lambda one: one.line.seconds),
            ]
        else:
            self._look_at_distance(segment.seal, known)

    def _look_at_distance(self, sealed: float, known: _Known) -> None:
        away = known.line.seconds - sealed
        if not -_TRUNCATION_SECONDS <= away <= CHECKPOINT_SECONDS + _TRUNCATION_SECONDS:
            self._note_fault(f"{known.place}: the checkpoint that has to be before this line is not there")

    def _note_follows(self, place: Place, line: Line) -> None:
        record = line.record()
        try:
            self._follows.append(
                (
                    place,
                    record["previous_chain"].encode(),
                    int(record["previous_sequence"]),
                    record["previous_hash"].encode(),
                )
            )
        except (KeyError, ValueError, TypeError, AttributeError):
            self._note_fault(f"{place}: does not name the chain that it follows")

    def _judge(self, chain: bytes, segments: list[_Segment]) -> None:
        segments.sort(key=lambda one: one.first.line.sequence)
        first, last = segments[0], max(segments, key=lambda one: one.last.line.sequence)
        name = f"chain {chain.decode()}"
        if first.first.line.sequence == 1:
            self._join(_Known(first.first.place, first.first.line, (FIRST,)), first, beginning=True)
        else:
            text = f"{first.first.place}: {name} begins with line {first.first.line.sequence}"
            if self._asked.partial:
                self.verdict.notes.append(f"{text}: what is before is not in these files")
            else:
                self._note_fault(f"{text}: the lines before it are missing")
        seen: list[str] = [first.first.place.file]
        sealed = first.seal
        for before, after in pairwise(segments):
            self._judge_gap(before, after)
            file = after.first.place.file
            if file != seen[-1] and file in seen:
                self._note_fault(f"{after.first.place}: is in another file than the lines around it")
            seen.append(file)
            if sealed is not None:
                for known in after.unsealed:
                    self._look_at_distance(sealed, known)
            sealed = after.seal if after.seal is not None else sealed
        self._judge_end(name, last)
        instance, worker = first.first.line.source
        seals = [one.seal_sequence for one in segments if one.seal is not None]
        self.verdict.chains.append(
            ChainSeen(
                chain.decode(), instance, worker, sum(one.many for one in segments),
                first.first.line.time.decode(), last.last.line.time.decode(), last.event == ENDED,
                max(seals, default=None) if self._keys and chain not in self._unsealed_chains else None,
                last.last.line.sequence,
            )
        )  # fmt: skip

    def _judge_gap(self, before: _Segment, after: _Segment) -> None:
        expected, found = before.last.line.sequence + 1, after.first.line.sequence
        if found == expected:
            self._join(before.last, after)
        elif found > expected:
            missing = str(expected) if found == expected + 1 else f"{expected} to {found - 1}"
            self._note_fault(
                f"{after.first.place}: lines are missing between {before.last.place} and this one: "
                f"sequence {missing}"
            )
        else:
            self._note_fault(f"{after.first.place}: is there twice, or two lines say to be the same one")

    def _join(self, before: _Known, segment: _Segment, *, beginning: bool = False) -> None:
        place, line = segment.first.place, segment.first.line
        due = [link(digest, line.content).encode() for digest in before.hashes]
        if line.hash not in due:
            what = "the first line of its chain was changed" if beginning else (
                f"does not follow from {before.place}: one of the two was changed"
            )  # fmt: skip
            self._note_fault(f"{place}: {what}")
        elif self._keys and line.event in SEALED:
            self._look_at_seal(place, line, before.hashes)

    def _judge_end(self, name: str, last: _Segment) -> None:
        if last.event == ENDED:
            return
        place, line, at = last.last.place, last.last.line, self._asked.running_at
        text = f"{place}: {name} has no end after line {line.sequence} of {line.time.decode()}"
        named = [number for _, chain, number, _ in self._follows if chain == line.chain]
        if named and max(named) <= line.sequence:
            self.verdict.notes.append(
                f"{text}: it was killed, and a chain that follows names line {max(named)}"
            )
        elif at is not None and abs(at - line.seconds) <= 3 * CHECKPOINT_SECONDS:
            self.verdict.notes.append(f"{text}: it runs")
        else:
            self.verdict.open_ends.append(
                f"{text}: its process was killed or runs, or what came next was cut"
            )

    def _judge_follows(self, files: Sequence[str]) -> None:
        wanted: dict[tuple[bytes, int], list[tuple[Place, bytes]]] = {}
        for place, chain, sequence, digest in self._follows:
            segments = self._chains.get(chain)
            if segments is None:
                text = f"{place}: names chain {chain.decode()}, of which there is no line"
                if self._asked.partial:
                    self.verdict.notes.append(f"{text} in these files")
                else:
                    self._note_fault(text)
                continue
            top = max(one.last.line.sequence for one in segments)
            if top < sequence:
                self._note_fault(f"{place}: chain {chain.decode()} had line {sequence}, and has {top} here")
                continue
            wanted.setdefault((chain, sequence), []).append((place, digest))
        for at, line in self._again(files, wanted):
            for place, digest in wanted.pop((line.chain, line.sequence), []):
                if line.hash != digest:
                    self._note_fault(f"{at}: is not the line that {place} names: its chain was changed")

    def _again(
        self, files: Sequence[str], wanted: dict[tuple[bytes, int], list[tuple[Place, bytes]]]
    ) -> Iterator[tuple[Place, Line]]:
        """The lines that chains name: ends of chains are known, and for others the files are read again."""
        for chain, sequence in list(wanted):
            for segment in self._chains[chain]:
                if segment.last.line.sequence == sequence:
                    yield segment.last.place, segment.last.line
        for file in files if wanted else ():
            if file == STDIN:
                self.verdict.notes.append(
                    "standard input is not read twice: not all that chains name is compared"
                )
                continue
            for place, raw in lines(file):
                line = audit_line(raw)
                if isinstance(line, Line) and (line.chain, line.sequence) in wanted:
                    yield place, line
