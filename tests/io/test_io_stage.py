"""The frame of a stage: defects of the input end well, everything else fails, and progress is told."""

import logging
import os
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from cytocause.io import InputDefect, NothingFound, progress, read_json, run_stage, write_json
from cytocause.io.stage import duration, progress_text


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A snakemake object as a script sees it; environment, handlers and warnings are put back."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    show = warnings.showwarning
    yield SimpleNamespace(
        rule="track",
        wildcards=SimpleNamespace(sample="chip1", population="tumour"),
        threads=1,
        log=[str(tmp_path / "logs" / "track.log")],
        input=SimpleNamespace(status=[]),
        output=SimpleNamespace(tracks=tmp_path / "tracks.txt", status=tmp_path / "status.json"),
        params=SimpleNamespace(cfg={}),
    )
    warnings.showwarning = show
    logger = logging.getLogger("cytocause")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True


def empty(snakemake):
    snakemake.output.tracks.write_text("empty")


def test_work_that_ends_well(job):
    def work(snakemake):
        snakemake.output.tracks.write_text("full")
        return {"n_tracks": 3, "warnings": ["two cells touch the border"]}

    run_stage(job, work, empty)
    assert job.output.tracks.read_text() == "full"
    assert read_json(job.output.status) == {
        "stage": "track",
        "sample": "chip1",
        "population": "tumour",
        "ok": True,
        "reason": None,
        "failed_at": None,
        "todo": None,
        "warnings": ["two cells touch the border"],
        "facts": {"n_tracks": 3},
    }
    assert "two cells touch the border" in Path(job.log[0]).read_text()


def test_a_defect_gives_empty_outputs_and_a_reason(job):
    def work(snakemake):
        raise InputDefect("The movie has one frame.", file="a.tif", todo="Give more.")

    run_stage(job, work, empty)
    status = read_json(job.output.status)
    assert job.output.tracks.read_text() == "empty"
    assert (status["ok"], status["reason"], status["todo"], status["failed_at"]) == (
        *(False, "a.tif: The movie has one frame.", "Give more.", "track"),
    )
    assert "a.tif: The movie has one frame. Give more." in Path(job.log[0]).read_text()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError(), RuntimeError("bug")])
def test_other_errors_fail_the_job(job, error):
    def work(snakemake):
        raise error

    with pytest.raises(type(error)):
        run_stage(job, work, empty)
    assert not job.output.status.exists() and not job.output.tracks.exists()


@pytest.mark.parametrize("several", [False, True])
def test_a_failed_stage_upstream_is_handed_on(job, tmp_path, several):
    write_json({"ok": True}, tmp_path / "a.json")
    broken = {"ok": False, "reason": "The movie has one frame.", "failed_at": "prepare", "todo": "Give more.", "stage": "segment"}
    write_json(broken, tmp_path / "b.json")
    paths = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    job.input.status = paths if several else paths[1]
    run_stage(job, lambda snakemake: pytest.fail("must not run"), empty)
    status = read_json(job.output.status)
    assert job.output.tracks.read_text() == "empty"
    assert (status["ok"], status["reason"], status["failed_at"], status["todo"], status["stage"]) == (
        *(False, "The movie has one frame.", "prepare", "Give more.", "track"),
    )


def test_another_populations_failure_does_not_stop_this_one(job, tmp_path):
    write_json({"ok": False, "population": "immune", "reason": "No cell.", "failed_at": "segment"}, tmp_path / "immune.json")
    job.input.status = [str(tmp_path / "immune.json")]
    run_stage(job, lambda snakemake: {"n": 1}, empty)
    assert read_json(job.output.status)["ok"] is True
    job.wildcards.population = "immune"
    run_stage(job, lambda snakemake: pytest.fail("must not run"), empty)
    assert read_json(job.output.status)["ok"] is False


def test_that_there_was_no_cell_is_handed_on(job, tmp_path):
    def work(snakemake):
        raise NothingFound("No cell was found in any frame.", todo="Look.")

    run_stage(job, work, empty)
    write_json(read_json(job.output.status), tmp_path / "before.json")
    job.input.status = str(tmp_path / "before.json")
    run_stage(job, lambda snakemake: pytest.fail("must not run"), empty)
    status = read_json(job.output.status)
    assert status["facts"] == {"nothing_found": True} and status["reason"] == "No cell was found in any frame."


def test_threads_are_those_of_the_rule(job):
    job.threads = 3
    seen = {}
    run_stage(job, lambda snakemake: seen.update(omp=os.environ["OMP_NUM_THREADS"]), empty)
    assert seen == {"omp": "3"}
    assert not job.output.tracks.exists()


def test_python_warnings_reach_the_log(job):
    run_stage(job, lambda snakemake: warnings.warn("odd numbers", UserWarning, stacklevel=1), empty)
    assert "UserWarning: odd numbers" in Path(job.log[0]).read_text()


def test_progress_is_written_to_the_log_and_the_terminal(job, capsys):
    def work(snakemake):
        assert list(progress(iter("abc"), 3, "track frames", every_s=0)) == ["a", "b", "c"]

    run_stage(job, work, empty)
    for text in (Path(job.log[0]).read_text(), capsys.readouterr().err):
        assert "track/chip1/tumour: track frames 1/3 (33 %)" in text
        assert "track frames 3/3 (100 %)" in text and "done in" in text


def test_progress_is_quiet_between(job, caplog):
    logging.getLogger("cytocause").propagate = True
    with caplog.at_level(logging.INFO, logger="cytocause"):
        assert sum(progress(range(1000), 1000, "frames")) == 499500
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (40, 240, 20.0, "frames 40/240 (16 %), 2 per s, 1 min 40 s left"),
        (240, 240, 20.0, "frames 240/240 (100 %), 12 per s, done in 20 s"),
        (1, 1000, 100.0, "frames 1/1000 (0 %), 0.01 per s, 27 h 45 min left"),
        (0, 0, 0.0, "frames 0/0, done in 0 s"),
    ],
)
def test_progress_text(done, total, seconds, text):
    assert progress_text(done, total, seconds, "frames") == text


def test_durations():
    assert [duration(s) for s in (0.4, 59, 65, 3600, 7845)] == ["0 s", "59 s", "1 min 05 s", "1 h 00 min", "2 h 10 min"]
