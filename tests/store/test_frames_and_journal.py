"""Whatever happens to the bytes of a journal, what is read is what was written, or the damage is named."""

from __future__ import annotations

import math
import os
import random
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_run import flipped, no_file_longer_than, prepared, results, rewrite, run, stop_after

from evalsuite.canonical import canonical_json
from evalsuite.engines.scripted import ScriptedEngine, completion, loglikelihood
from evalsuite.errors import CorruptStore, SaveFailed
from evalsuite.store.frames import Fault, frame, read_frames
from evalsuite.store.journal import HowAnswered, Journal, JournalWriter, how_answered, read_journal
from evalsuite.store.repair import repair_journal
from evalsuite.types import Cause, Completion, Failure, Loglikelihood, Request, Response

RUN_ID = "0123456789abcdef"
STACK = {"device": "cpu", "threads": 2, "is_deterministic": True}
TEXTS = {
    "en": "It’s a “naïve” answer — 42.\n\n```python\nprint('\\u0041')\n```",
    "zh": "巴黎是法国的首都。答案：１２３，𠮷野家",
    "fr": "L’élève a-t-il répondu\u202f? Oui\u00a0: «\u202fça\u202f» coûte 3,50\u202f€. re\u0301pe\u0301te\u0301",
    "ar": "\u202bعاصمة فرنسا هي باريس، والجواب ٤٢\u202c \u200f(نعم)",
    "es": "¿Cuántos años tenía el niño? ¡Veintitrés! \x00\x07\x1b[31m",
    "hi": "फ़्रांस की राजधानी पेरिस है। उत्तर: ४२ 👩🏽‍🔬 \ud83d",
}


# -- frames

units = st.text(st.characters(exclude_categories=()))
# what two escapes of a surrogate pair become on reading is one character: see test_a_split_surrogate_pair
texts = units.map(lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


@settings(max_examples=300)
@given(json_values)
def test_a_frame_gives_back_any_json_value(value: Any) -> None:
    (read,) = read_frames(frame(value))
    assert typed(read) == typed(value)


def typed(value: Any) -> Any:
    """`value` in a form in which 1, 1.0, True and -0.0 all differ."""
    match value:
        case list():
            return [typed(entry) for entry in value]
        case dict():
            return {key: typed(entry) for key, entry in value.items()}
        case float():
            return value.hex()
        case _:
            return type(value), value


@given(st.lists(json_values, max_size=5))
def test_frames_are_lines_of_ascii_and_keep_their_order(values: list[Any]) -> None:
    blob = b"".join(frame(value) for value in values)
    assert blob.isascii()
    assert blob.count(b"\n") == len(values)
    assert [typed(value) for value in read_frames(blob)] == [typed(value) for value in values]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        frame({"sum_nats": [number]})


@settings(max_examples=300)
@given(st.binary() | st.binary().map(lambda body: b"%08x %s\n" % (zlib.crc32(body) ^ 1, body)))
def test_bytes_that_nobody_framed_are_faults(blob: bytes) -> None:
    assert all(isinstance(value, Fault) for value in read_frames(blob))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_a_framed_body_that_is_not_json_is_a_fault(body: bytes) -> None:
    (value,) = read_frames(b"%08x %s\n" % (zlib.crc32(body), body))
    assert isinstance(value, Fault)


def test_a_split_surrogate_pair_is_read_as_the_character_it_means() -> None:
    (read,) = read_frames(frame("\ud83d" + "\ude00"))
    assert read == "😀"


# -- a journal of about 20 KB

NUM_BATCHES = 29
LAST = NUM_BATCHES
ALL = NUM_BATCHES + 1
Batch = Sequence[tuple[str, Response]]


def batches() -> list[Batch]:
    """Batches of one to four responses of every kind, in six languages; the same in every run of the tests."""
    rng = random.Random(7)
    made: list[Batch] = []
    for number in range(NUM_BATCHES):
        # the last two are small, so that each of their bits can be turned over in a second
        size = rng.randint(1, 4) if number < NUM_BATCHES - 2 else 1
        names = [
            f"task_{language}:test:{number}#1.{place}" for place, language in enumerate(rng.sample([*TEXTS], size))
        ]
        made.append([(name, response(rng, name[5:7])) for name in names])
    return made


def response(rng: random.Random, language: str) -> Response:
    text = TEXTS[language]
    match rng.randrange(8):
        case 0:
            return Failure(
                cause=rng.choice([*Cause]), detail=text, attempts=3, retry_causes=("timeout",), http_status=503
            )
        case 1 | 2:
            logprobs = tuple(-rng.expovariate(1) for _ in range(5))
            stop: Any = rng.choice(["stop", "end", "length"])
            return Completion(text=text, stop_reason=stop, num_prompt_tokens=9, num_tokens=5, logprobs_nats=logprobs)
        case 3 | 4:
            return Completion(text=text, stop_reason="end", num_prompt_tokens=12, num_tokens=len(text))
        case _:
            size = len(text.encode("utf-8", "replace"))
            return Loglikelihood(
                sum_nats=-rng.expovariate(0.1), num_tokens=7, num_chars=len(text), num_bytes=size, is_greedy=False
            )


BATCHES = batches()


def write(directory: Path, written: Sequence[Batch] = BATCHES, epoch: int = 1) -> Path:
    with JournalWriter(directory, RUN_ID, epoch, STACK) as writer:
        for number, batch in enumerate(written):
            writer.commit(1, number, batch)
    return writer.path


def after(num_records: int) -> dict[str, Response]:
    """The responses in the first `num_records` records, of which the very first holds none."""
    return {item_id: response for batch in BATCHES[: max(num_records - 1, 0)] for item_id, response in batch}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the journal."""
    return write(tmp_path / "journal")


def read(path: Path) -> Journal:
    return read_journal(path.parent, RUN_ID)


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_the_journal_gives_back_every_response(path: Path) -> None:
    journal = read(path)
    assert journal == Journal(responses=after(ALL), stacks=[STACK], torn_tails=[], last_epoch=1)
    assert {type(response) for response in journal.responses.values()} == {Completion, Loglikelihood, Failure}
    assert 18_000 < path.stat().st_size < 26_000


def test_a_cut_at_every_byte_keeps_exactly_the_records_before_it(path: Path) -> None:
    ends = [0]
    for line in lines_of(path):
        ends.append(ends[-1] + len(line))
    known = [after(num_records) for num_records in range(len(ends))]
    for num_records in range(len(ends) - 1, 0, -1):
        for size in range(ends[num_records] - 1, ends[num_records - 1] - 1, -1):
            os.truncate(path, size)
            journal = read(path)
            is_torn = size != ends[num_records - 1]
            assert journal.responses == known[num_records - 1], size
            assert len(journal.torn_tails) == is_torn, size


@pytest.mark.parametrize("num_flips", [2_000, pytest.param(20_000, marks=pytest.mark.full)])
def test_no_flipped_bit_is_silent(path: Path, num_flips: int) -> None:
    content = path.read_bytes()
    rng = random.Random(20_251_121)
    outcomes = {"corrupt": 0, "torn": 0}
    for bit in rng.sample(range(8 * len(content)), num_flips):
        outcomes[outcome_of_flip(path, content, bit)] += 1
    assert outcomes["corrupt"] > 0.9 * num_flips
    assert outcomes["torn"] > 0


def test_no_flipped_bit_of_the_last_two_records_is_silent(path: Path) -> None:
    content = path.read_bytes()
    tail = sum(map(len, lines_of(path)[-2:]))
    outcomes = [outcome_of_flip(path, content, bit) for bit in range(8 * (len(content) - tail), 8 * len(content))]
    assert {*outcomes} == {"corrupt", "torn"}


def outcome_of_flip(path: Path, content: bytes, bit: int) -> str:
    """How reading the journal ends with one bit turned over; anything but a named damage is an error here."""
    rewrite(path, flipped(content, bit))
    num_whole = content.count(b"\n", 0, bit // 8)
    try:
        journal = read(path)
    except CorruptStore as error:
        return "corrupt" if str(path) in str(error) else "corrupt, but where?"
    assert journal.torn_tails, f"bit {bit} was silent"
    assert journal.responses == after(num_whole), f"bit {bit} changed other records"
    # turning over the line's end makes one bad last line of two; otherwise it is the last line itself
    assert num_whole >= LAST or (num_whole == LAST - 1 and content[bit // 8] == ord("\n"))
    return "torn"


# -- damage of other kinds


def upper_case_checksum(lines: list[bytes]) -> None:
    place = next(place for place in range(10, LAST) if re.search(rb"[a-f]", lines[place][:8]))
    lines[place] = lines[place][:8].upper() + lines[place][8:]


def delete_line(lines: list[bytes]) -> None:
    del lines[20]


def delete_first_line(lines: list[bytes]) -> None:
    del lines[0]


def swap_lines(lines: list[bytes]) -> None:
    lines[20], lines[21] = lines[21], lines[20]


def duplicate_line(lines: list[bytes]) -> None:
    lines.insert(20, lines[20])


def duplicate_last_line(lines: list[bytes]) -> None:
    lines.append(lines[-1])


def empty_line(lines: list[bytes]) -> None:
    lines.insert(20, b"\n")


def windows_line_ends(lines: list[bytes]) -> None:
    lines[:] = [line.replace(b"\n", b"\r\n") for line in lines]


def byte_order_mark(lines: list[bytes]) -> None:
    lines[0] = b"\xef\xbb\xbf" + lines[0]


def zeros_inside(lines: list[bytes]) -> None:
    lines[20] = bytes(len(lines[20]))


def pretty_printed(lines: list[bytes]) -> None:
    lines[20] = lines[20].replace(b'":', b'": ')


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (upper_case_checksum, r"byte \d+: the checksum differs"),
        (delete_line, "record 20 says it is record 21"),
        (delete_first_line, "record 0 says it is record 1"),
        (swap_lines, "record 20 says it is record 21"),
        (duplicate_line, "record 21 says it is record 20"),
        (duplicate_last_line, f"record {ALL} says it is record {LAST}"),
        (empty_line, r"byte \d+: the checksum differs"),
        (windows_line_ends, "byte 0: the checksum differs"),
        (byte_order_mark, "byte 0: the checksum differs"),
        (zeros_inside, r"byte \d+: the checksum differs"),
        (pretty_printed, r"byte \d+: the checksum differs"),
    ],
)
def test_damage_before_the_tail_is_refused(path: Path, damage: Callable[[list[bytes]], None], said: str) -> None:
    lines = lines_of(path)
    damage(lines)
    rewrite(path, b"".join(lines))
    with pytest.raises(CorruptStore, match=f"^{re.escape(str(path))}.*{said}.*doctor --repair"):
        read(path)


@pytest.mark.parametrize(
    ("tail", "num_lost"),
    [
        (lambda last: last + bytes(512), 0),
        (lambda last: last + bytes(512) + b"\n", 0),
        (lambda last: bytes(len(last)), 1),
        (lambda last: last[:50] + bytes(len(last) - 50), 1),
        (lambda last: last[:-1] + b"\r\n", 1),
        (lambda last: last + b"\n", 0),
        (lambda last: last[:8].upper() + last[8:].upper(), 1),
    ],
    ids=["zeros", "zeros-line", "only-zeros", "half-zeros", "windows-end", "empty-line", "upper-case"],
)
def test_a_bad_tail_is_noted_and_all_before_it_kept(path: Path, tail: Callable[[bytes], bytes], num_lost: int) -> None:
    lines = lines_of(path)
    rewrite(path, b"".join([*lines[:-1], tail(lines[-1])]))
    journal = read(path)
    assert journal.responses == after(ALL - num_lost)
    (noted,) = journal.torn_tails
    start = len(b"".join(lines)) if not num_lost else len(b"".join(lines[:-1]))
    assert noted.startswith(f"0001.jsonl at byte {start}: ")


@pytest.mark.parametrize("room", [1, 100, 2_000])
def test_a_commit_that_does_not_fit_says_so(tmp_path: Path, room: int) -> None:
    """The part that fits is written, the rest is refused: a torn tail, and never a commit that returns."""
    size = write(tmp_path / "whole", BATCHES[:3]).stat().st_size
    with JournalWriter(tmp_path / "cut", RUN_ID, 1, STACK) as writer:
        for number, batch in enumerate(BATCHES[:2]):
            writer.commit(1, number, batch)
        started = writer.path.stat().st_size
        end = min(started + room, size - 1)
        with no_file_longer_than(end), pytest.raises(SaveFailed, match="File too large"):
            writer.commit(1, 2, BATCHES[2])
    assert writer.path.stat().st_size == end
    assert read(writer.path).responses == after(3)
    assert len(read(writer.path).torn_tails) == 1


# -- several files


def test_what_a_later_epoch_answers_is_added(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 10)
    write(path.parent, BATCHES[-1:], epoch=2)
    journal = read(path)
    assert journal.responses == after(ALL)
    assert journal.last_epoch == 2
    assert len(journal.torn_tails) == 1


def test_equal_responses_to_one_item_merge(path: Path) -> None:
    write(path.parent, BATCHES[:3], epoch=2)
    assert read(path).responses == after(ALL)


def test_two_different_responses_to_one_item_are_refused(path: Path) -> None:
    item_id = BATCHES[4][0][0]
    other = Completion(text="something else", stop_reason="end", num_prompt_tokens=1, num_tokens=1)
    write(path.parent, [[(item_id, other)]], epoch=2)
    with pytest.raises(CorruptStore, match=f"0002.jsonl: a second, different response to {item_id}"):
        read(path)


def test_files_are_read_in_the_order_of_their_epochs_past_four_digits(tmp_path: Path) -> None:
    for epoch in (9_999, 10_000, 2):
        write(tmp_path, BATCHES[:1], epoch)
    assert read_journal(tmp_path, RUN_ID).last_epoch == 10_000


def test_an_epoch_is_taken_once(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(SaveFailed, match="File exists"):
        write(path.parent)
    assert path.read_bytes() == before


def test_a_file_of_another_run_is_refused(path: Path) -> None:
    with pytest.raises(CorruptStore, match=f"belongs to run {RUN_ID}, epoch 1"):
        read_journal(path.parent, "another run")


def test_a_renamed_file_is_refused(path: Path) -> None:
    path.rename(path.with_name("0002.jsonl"))
    with pytest.raises(CorruptStore, match=f"belongs to run {RUN_ID}, epoch 1"):
        read(path)


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none", RUN_ID) == Journal()


NEWER = "written by a newer evalsuite \\(schema 2, this one reads up to 1\\)"


def set_in_first_record(path: Path, **changes: Any) -> None:
    first, *others = lines_of(path)
    (opened,) = read_frames(first)
    rewrite(path, frame({**opened, **changes}) + b"".join(others))


def test_a_newer_schema_is_refused_by_name(path: Path) -> None:
    set_in_first_record(path, schema=2)
    with pytest.raises(CorruptStore, match=NEWER):
        read(path)


def test_a_newer_schema_of_another_shape_is_refused_by_name(path: Path) -> None:
    set_in_first_record(path, schema=2, host="new in schema 2")
    with pytest.raises(CorruptStore, match=NEWER):
        read(path)


# -- repair


@pytest.mark.parametrize("damaged", [*range(1, LAST, 3), LAST])
def test_repair_keeps_every_other_record(path: Path, damaged: int) -> None:
    lines = lines_of(path)
    lines[damaged] = flipped(lines[damaged], 8 * 30)
    content = b"".join(lines)
    rewrite(path, content)
    (repaired,) = repair_journal(path.parent.parent)
    assert (repaired.num_kept, repaired.num_lost) == (ALL - 1, 1)
    assert repaired.original.read_bytes() == content
    assert read(path) == Journal(responses=without(damaged), stacks=[STACK], torn_tails=[], last_epoch=1)


def without(damaged: int) -> Mapping[str, Response]:
    lost = {item_id for item_id, _ in BATCHES[damaged - 1]}
    return {item_id: response for item_id, response in after(ALL).items() if item_id not in lost}


@pytest.mark.parametrize(
    "damage",
    [upper_case_checksum, delete_line, swap_lines, duplicate_line, duplicate_last_line, empty_line, zeros_inside],
)
def test_repair_makes_a_damaged_journal_readable(path: Path, damage: Callable[[list[bytes]], None]) -> None:
    lines = lines_of(path)
    damage(lines)
    rewrite(path, b"".join(lines))
    repair_journal(path.parent.parent)
    kept = read(path)
    assert kept.torn_tails == []
    assert kept.responses.items() <= after(ALL).items()
    most_lost = 2 * max(map(len, BATCHES))
    assert len(kept.responses) >= len(after(ALL)) - most_lost


def test_every_repair_keeps_what_it_set_aside(path: Path) -> None:
    before = []
    for damaged in (5, 9, 13):
        lines = lines_of(path)
        lines[damaged] = flipped(lines[damaged], 8 * 30)
        rewrite(path, b"".join(lines))
        before.append(path.read_bytes())
        (repaired,) = repair_journal(path.parent.parent)
        assert repaired.original.read_bytes() == before[-1]
    assert {file.read_bytes() for file in (path.parent.parent / "quarantine").iterdir()} == {*before}


def test_repair_does_not_touch_what_a_newer_evalsuite_wrote(path: Path) -> None:
    rewrite(path, b"".join(frame({**record, "novelty": 1}) for record in read_frames(path.read_bytes())))
    set_in_first_record(path, schema=2)
    content = path.read_bytes()
    with pytest.raises(CorruptStore, match=NEWER):
        repair_journal(path.parent.parent)
    assert path.read_bytes() == content


def test_repair_passes_over_what_is_no_journal_file(path: Path) -> None:
    stray = path.with_name("notes.jsonl")
    rewrite(stray, b"mine\n")
    assert repair_journal(path.parent.parent) == []
    assert stray.read_bytes() == b"mine\n"


def test_repair_leaves_whole_files_alone(path: Path) -> None:
    before = path.read_bytes()
    assert repair_journal(path.parent.parent) == []
    assert path.read_bytes() == before
    assert not (path.parent.parent / "quarantine").exists()


@pytest.mark.parametrize("damaged", [0, 1, 3, 5])
def test_a_damaged_run_is_refused_then_repaired_and_resumed_to_the_same_bytes(tmp_path: Path, damaged: int) -> None:
    run(tmp_path / "whole")
    path = tmp_path / "hurt"
    run(path, should_stop=stop_after(5))
    journal = path / "journal" / "0001.jsonl"
    lines = lines_of(journal)
    lines[damaged] = flipped(lines[damaged], 8 * 40)
    rewrite(journal, b"".join(lines) + lines[-1])
    with pytest.raises(CorruptStore, match="doctor --repair"):
        run(path)
    repair_journal(path)
    run(path)
    assert results(path) == results(tmp_path / "whole")
    assert (path / "quarantine" / "0001.jsonl").exists()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_cuts_and_resumes_end_in_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Stops after any batch and loses of any number of bytes at the end, as a power cut does, in any order."""
    path = tmp_path_factory.mktemp("cut")
    what = prepared()
    for num_batches in data.draw(st.lists(st.integers(0, 4), max_size=4)):
        run(path, what, stop_after(num_batches))
        last = max((path / "journal").glob("*.jsonl"), default=None)
        if last:
            os.truncate(last, data.draw(st.integers(0, last.stat().st_size)))
    run(path, what)
    assert results(path) == whole_results(tmp_path_factory)


def whole_results(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    whole = tmp_path_factory.getbasetemp() / "whole-run"
    if not whole.exists():
        run(whole)
    return results(whole)


def test_canonical_json_is_what_is_framed() -> None:
    value = Failure(cause=Cause.TIMEOUT, detail="délai")
    assert frame(value)[9:-1].decode() == canonical_json(value)


# -- what is read back is what was answered


def answer_in_languages(request: Request) -> Response:
    return completion(TEXTS["hi"] + TEXTS["es"] + TEXTS["ar"] + request.key[:4])


def answer_with_a_split_pair(request: Request) -> Response:
    """As text comes out of a stream whose chunks were decoded one by one."""
    return completion("so \ud83d" + "\ude00 " + request.key[:4])


def answer_with_a_whole_number(request: Request) -> Response:
    return loglikelihood(" answer", -int(request.key[:2], 16))


@pytest.mark.parametrize(
    ("answer", "task"),
    [
        (answer_in_languages, "mini_chat_hi"),
        (answer_with_a_split_pair, "mini_chat_en"),
        (answer_with_a_whole_number, "mini_choice_en"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_resumed_run_scores_what_was_answered(
    tmp_path: Path, answer: Callable[[Request], Response], task: str
) -> None:
    what = replace(prepared(tasks=(task,), limit=3.0), engine=ScriptedEngine(answer))
    run(tmp_path / "whole", what)
    run(tmp_path / "stopped", what, stop_after(4))
    run(tmp_path / "stopped", what)
    assert results(tmp_path / "stopped") == results(tmp_path / "whole")
    stored = [(tmp_path / name / "samples.parquet").read_bytes() for name in ("stopped", "whole")]
    assert stored[0] == stored[1]


# -- how answers came


def test_processes_that_answered_are_counted_and_cached_answers_seen(tmp_path: Path) -> None:
    assert how_answered(tmp_path / "none") == HowAnswered(num_processes=0, is_cached=False)
    with JournalWriter(tmp_path, "r", 1, {}) as writer:
        writer.commit(1, -1, ())  # what was spent on no answer
    assert how_answered(tmp_path).num_processes == 0
    for epoch in (2, 3):
        with JournalWriter(tmp_path, "r", epoch, {}) as writer:
            writer.commit(1, epoch, ((f"a{epoch}", completion("yes")),))
    assert how_answered(tmp_path) == HowAnswered(num_processes=2, is_cached=False)
    odd = completion('half a pair: \ud800 "is_cached":true')
    with JournalWriter(tmp_path, "r", 4, {}) as writer:
        writer.commit(1, 4, (("a4", odd),))
    assert how_answered(tmp_path) == HowAnswered(num_processes=3, is_cached=False)
    with JournalWriter(tmp_path, "r", 5, {}) as writer:
        writer.commit(1, 5, (("a5", odd),), is_cached=True)
    torn = (tmp_path / "0005.jsonl").read_bytes()
    (tmp_path / "0005.jsonl").write_bytes(b"\xff\nnot a frame\n" + torn + torn[:30])
    assert how_answered(tmp_path) == HowAnswered(num_processes=4, is_cached=True)


@pytest.mark.parametrize("kind", ["\ud800", ["opened"], None])
def test_a_record_of_no_known_kind_is_a_changed_file(tmp_path: Path, kind: object) -> None:
    """Half of a character where a word is expected is no other error than any other word."""
    (tmp_path / "0001.jsonl").write_bytes(frame({"type": kind, "schema": 1}))
    with pytest.raises(CorruptStore, match="record 0 is of another shape"):
        read_journal(tmp_path, "0" * 16)


def test_a_body_nested_too_deeply_is_a_fault() -> None:
    body = b"[" * 100_000 + b"]" * 100_000
    (fault,) = read_frames(b"%08x %s\n" % (zlib.crc32(body), body))
    assert isinstance(fault, Fault)
    assert "the body is no JSON" in fault.reason
