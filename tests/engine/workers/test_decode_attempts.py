"""Which attempts count: a file that kills is given up soon, an innocent one never."""

import pytest
from hypothesis import given, strategies as st

from bot.domain import DecodeRecord
from bot.engine.workers.decode_attempts import DecodeEnd, after_death, begun, ended, given_up

KILLER, INNOCENTS = "killer", ("a", "b", "c")


class Lives:
    """A bot's records over several lives, and how files are tried in each."""

    def __init__(self) -> None:
        self.records: dict[str, DecodeRecord] = {}

    def record(self, file: str) -> DecodeRecord:
        return self.records.get(file, DecodeRecord())

    def begin(self, *files: str) -> None:
        alone = len(files) == 1 and self.record(files[0]).suspect
        for file in files:
            self.records[file] = begun(self.record(file), alone=alone)

    def end(self, file: str, how: DecodeEnd) -> None:
        after = ended(self.record(file), how)
        self.records.pop(file)
        if after is not None:
            self.records[file] = after

    def die(self) -> None:
        for file, record in self.records.items():
            if record.in_progress:
                self.records[file] = after_death(record)


def test_a_file_that_kills_the_process_is_given_up_after_three_deaths_and_those_beside_it_never() -> None:
    lives = Lives()
    lives.begin(KILLER, *INNOCENTS)
    lives.die()
    for innocent in INNOCENTS:
        lives.begin(innocent)
        lives.end(innocent, DecodeEnd.VERDICT)
    for _ in range(2):
        assert not given_up(lives.record(KILLER))
        lives.begin(KILLER)
        lives.die()
    assert given_up(lives.record(KILLER))
    assert not any(file in lives.records for file in INNOCENTS)


def test_a_file_whose_decoder_dies_twice_is_given_up() -> None:
    lives = Lives()
    for _ in range(2):
        assert not given_up(lives.record(KILLER))
        lives.begin(KILLER)
        lives.end(KILLER, DecodeEnd.DECODER_DIED)
    assert given_up(lives.record(KILLER))


@given(st.lists(st.sampled_from(("killed", "stopped", "alone, stopped")), max_size=40))
def test_no_innocent_file_is_given_up_by_kills_beside_others_nor_by_stops(events: list[str]) -> None:
    lives = Lives()
    for event in events:
        if lives.record("a").suspect:
            if event == "killed":
                continue  # the process dies while it waits for its turn
            lives.begin("a")
            lives.end("a", DecodeEnd.TAKEN_BACK)
            continue
        lives.begin("a", "b") if not lives.record("b").suspect else lives.begin("a")
        if event == "killed":
            lives.die()
        else:
            for file in ("a", "b"):
                if lives.record(file).in_progress:
                    lives.end(file, DecodeEnd.TAKEN_BACK)
        lives.records.pop("b", None)
    assert not given_up(lives.record("a"))
    assert lives.record("a").counted == 0


def test_a_stop_leaves_a_suspect_a_suspect_and_takes_its_attempt_back() -> None:
    suspect = DecodeRecord(suspect=True)
    assert ended(begun(suspect, alone=True), DecodeEnd.TAKEN_BACK) == suspect
    counted = DecodeRecord(1, suspect=True)
    assert ended(begun(counted, alone=True), DecodeEnd.TAKEN_BACK) == counted


def test_a_verdict_is_the_end_of_all_suspicion() -> None:
    assert ended(begun(DecodeRecord(1, suspect=True), alone=True), DecodeEnd.VERDICT) is None


@pytest.mark.parametrize("record", [DecodeRecord(2), DecodeRecord(suspect=True)])
def test_an_attempt_that_must_not_be_made_is_not_written_down(record: DecodeRecord) -> None:
    with pytest.raises(ValueError, match="is not allowed"):
        begun(record, alone=False)
