"""The fault table detects planted failures of every kind."""

import json
import random
from pathlib import Path

import pytest

from pipeline.core.resumable import ARTIFACT, RECORDS, WORK
from tests.soak import faults, table
from tests.soak.checkouts import OUTPUTS, Station, Trial
from tests.soak.contents import contents, different
from tests.soak.kills import Count
from tests.soak.outcomes import CLEAR, RIGHT, SCRATCH, Outcome, Row, judge
from tests.soak.processes import Ended

LINE = "atlas: outputs: expected one thing, found another; do this"
TRACEBACK = "Traceback (most recent call last):\nKeyError: 'x'"


@pytest.mark.parametrize(
    ("code", "printed", "wrong", "missing", "what"),
    [
        (0, "grid: done", [], [], RIGHT),
        (2, f"grid: begins\n{LINE}", [], ["outputs/grid"], CLEAR),
        (0, "", ["outputs/grid/a"], [], "WRONG BYTES"),
        (0, "", [], ["outputs/grid"], "NO ARTIFACT"),
        (2, LINE, ["outputs/grid/a"], [], "WRONG BYTES TAKEN FOR WHOLE"),
        (1, TRACEBACK, [], ["outputs/grid"], "TRACEBACK"),
        (2, f"{TRACEBACK}\n{LINE}", [], ["outputs/grid"], "TRACEBACK"),
        (2, f"{LINE}\n{LINE}", [], [], "NOT ONE LINE"),
        (2, f"{LINE}\nand more", [], [], "NOT ONE LINE"),
        (-9, "", [], [], "CODE -9"),
        (None, "", [], [], "HANG"),
    ],
)
def test_only_a_right_artifact_or_one_line_holds(
    code: int | None, printed: str, wrong: list[str], missing: list[str], what: str
) -> None:
    """Each planted ending gets its name, and only two of the names hold."""
    found = judge(Ended(code, printed, 1.0), wrong, missing)
    assert found.what == what
    assert found.holds == (what in (RIGHT, CLEAR))


def test_a_row_holds_only_if_every_try_does() -> None:
    """One bad try among good ones, or no try at all, fails the row; its line is the one that is shown."""
    good = Row("grid", "a fault", [Outcome(RIGHT), Outcome(CLEAR, "what to do")])
    bad = Row("grid", "a fault", [*good.outcomes, Outcome("HANG", "stood still")])
    assert good.holds
    assert not bad.holds
    assert not Row("grid", "a fault", []).holds
    assert (good.example(), bad.example()) == ("what to do", "stood still")
    assert [table.line(row)[:4] for row in (good, bad)] == ["ok  ", "FAIL"]


def test_one_byte_makes_a_difference(tmp_path: Path) -> None:
    """Each fault is seen in a folder's contents, as are a missing and an additional file."""
    for number, fault in enumerate((faults.truncate, faults.flip, faults.remove)):
        folder = tmp_path / str(number)
        (folder / "a.zarr" / "c").mkdir(parents=True)
        (folder / "a.zarr" / "c" / "0").write_bytes(bytes(range(100)))
        (folder / "a.zarr" / "zarr.json").write_bytes(b"{}" * 1000)
        before = contents(folder, ["a.zarr"])
        (victim,) = faults.victims(folder / "a.zarr", 1, random.Random(0))  # noqa: S311  # no secret
        assert victim.name == "0"
        fault(victim, random.Random(1))  # noqa: S311  # no secret
        assert different(contents(folder, ["a.zarr"]), before) == ["a.zarr/c/0"]
        (folder / "a.zarr" / "more").touch()
        assert "a.zarr/more" in different(contents(folder, ["a.zarr"]), before)


@pytest.mark.parametrize("again", [False, True])
def test_work_that_is_done_twice_is_found(again: bool, tmp_path: Path) -> None:
    """A shard that was finished before a kill and is written again is counted; one that is left alone is not."""
    station = Station("sample", ["sample"], [], [f"{OUTPUTS}/activations"])
    trial = Trial(tmp_path, station, {})
    work = tmp_path / OUTPUTS / WORK / "activations" / "a.zarr"
    for folder in (work / ARTIFACT / "x" / "c", work / RECORDS):
        folder.mkdir(parents=True)
    shards = [work / ARTIFACT / "x" / "c" / name for name in "01"]
    for shard in shards:
        shard.write_bytes(b"rows")
    (work / RECORDS / "0.json").write_text(json.dumps({"files": {f"{ARTIFACT}/x/c/0": "4:0"}}))
    count = Count()
    count.note(trial)
    for shard in shards if again else shards[1:]:
        shard.unlink()
        shard.with_name("new").write_bytes(b"rows")
        shard.with_name("new").rename(shard)
    count.check(trial)
    assert count.kept == 1
    assert len(count.repeated) == again


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/scratch/atlas-soak-a1/sample-disk/outputs: expected room", "outputs: expected room"),
        (
            "outputs: found a link to /scratch/atlas-soak-a1/elsewhere, which",
            "outputs: found a link to elsewhere, which",
        ),
    ],
)
def test_the_table_names_no_folder_of_this_machine(line: str, shown: str) -> None:
    """A path in a checkout begins at the checkout, and one beside the checkouts at their folder."""
    assert SCRATCH.sub("", line) == shown
