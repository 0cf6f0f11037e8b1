"""The frame every per-sample script runs in.

    upstream status not ok ----------------------------+
    work(snakemake) raises InputDefect ----------------+--> empty(snakemake), status {"ok": false, reason}, exit 0
    work(snakemake) returns facts  -> status {"ok": true, facts}, exit 0
    anything else is raised        -> the job fails, Snakemake removes what was written
"""

import logging
import os
import sys
import time
import warnings

from cytocause.io.atomic import read_json, write_json
from cytocause.io.errors import InputDefect, NothingFound

logger = logging.getLogger("cytocause")

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")


def run_stage(snakemake, work, empty):
    """Run `work` for one sample (and population), and write its status whatever the input is like.

    work(snakemake)  -> dict of facts for the status (may contain "warnings": list of str) or None
    empty(snakemake) : writes every output but the status, right in schema and empty

    Writes snakemake.output.status: {stage, sample, population, ok, reason, failed_at, todo, warnings, facts}. A failed one has
    the fact nothing_found where the input is sound and holds no cell. Another population's failure does not stop this one.
    """
    start_log(snakemake)
    limit_threads(getattr(snakemake, "threads", 1))
    status = {
        "stage": getattr(snakemake, "rule", None),
        "sample": _wildcard(snakemake, "sample"),
        "population": _wildcard(snakemake, "population"),
        "ok": True,
        "reason": None,
        "failed_at": None,
        "todo": None,
        "warnings": [],
        "facts": {},
    }
    broken = _broken_upstream(snakemake)
    if broken is not None:
        logger.warning("not run, the sample failed at %s: %s", broken.get("failed_at"), broken.get("reason"))
        empty(snakemake)
        status.update(ok=False, **{key: broken.get(key) for key in ("reason", "failed_at", "todo")}, facts=broken.get("facts") or {})
    else:
        try:
            facts = dict(work(snakemake) or {})
            status["warnings"] = [str(text) for text in facts.pop("warnings", [])]
            status["facts"] = facts
            for text in status["warnings"]:
                logger.warning("%s", text)
        except InputDefect as defect:
            logger.error("defect of the input: %s", defect)
            empty(snakemake)
            status.update(ok=False, reason=defect.message, failed_at=status["stage"], todo=defect.todo)
            if isinstance(defect, NothingFound):
                status["facts"] = {"nothing_found": True}
    write_json(status, snakemake.output.status)


def start_log(snakemake):
    """Send the messages of cytocause (and Python warnings) to the rule's log file and to the terminal."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handlers = [logging.StreamHandler(sys.stderr)]
    log = list(getattr(snakemake, "log", None) or [])
    if log:
        os.makedirs(os.path.dirname(os.path.abspath(log[0])), exist_ok=True)
        handlers.append(logging.FileHandler(log[0], mode="w", encoding="utf-8"))
    name = "/".join(
        part
        for part in (
            getattr(snakemake, "rule", None),
            _wildcard(snakemake, "sample"),
            _wildcard(snakemake, "population"),
        )
        if part
    )
    prefix = f"{name or 'cytocause'}: ".replace("%", "%%")
    for handler in handlers:
        handler.setFormatter(logging.Formatter(f"%(asctime)s {prefix}%(message)s", datefmt="%H:%M:%S"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    warnings.showwarning = _log_warning


def _log_warning(message, category, filename, lineno, file=None, line=None):
    logger.warning("%s: %s", category.__name__, message)


def limit_threads(threads):
    """Hold the numerical libraries to the threads the rule was given, loaded already or not."""
    threads = str(max(1, int(threads or 1)))
    for name in _THREADS:
        if name != "NUMBA_NUM_THREADS" or "numba" not in sys.modules:  # numba refuses a change once its threads run
            os.environ[name] = threads
    if "numpy" in sys.modules:
        try:
            from threadpoolctl import threadpool_limits
        except ImportError:
            return
        threadpool_limits(int(threads))


def _broken_upstream(snakemake):
    """The first upstream status that is not ok, or None; statuses of other populations are left out."""
    own = _wildcard(snakemake, "population")
    given = getattr(getattr(snakemake, "input", None), "status", None)
    if given is None:
        return None
    for path in [given] if isinstance(given, (str, os.PathLike)) else list(given):
        status = read_json(path)
        if not status.get("ok", False) and status.get("population") in (None, own):
            return status
    return None


def _wildcard(snakemake, name):
    value = getattr(getattr(snakemake, "wildcards", None), name, None)
    return None if value is None else str(value)


def progress(iterable, total, what, *, every_s=5.0):
    """Iterate, saying now and then how far it is: "segment frames 40/240 (17 %), 3.1 per s, 1 min 05 s left".

    iterable : anything; total : how many items it has; what : what is counted, in the plural
    """
    start = last = time.monotonic()
    done = 0
    for done, item in enumerate(iterable, 1):
        yield item
        now = time.monotonic()
        if now - last >= every_s and done < total:
            last = now
            logger.info("%s", progress_text(done, total, now - start, what))
    logger.info("%s", progress_text(done, total, time.monotonic() - start, what))


def progress_text(done, total, elapsed_s, what):
    """One sentence on where a loop stands."""
    share = f" ({100 * done // total} %)" if total else ""
    rate = done / elapsed_s if elapsed_s > 0 else 0.0
    speed = f", {rate:.3g} per s" if rate else ""
    if done >= total:
        return f"{what} {done}/{total}{share}{speed}, done in {duration(elapsed_s)}"
    left = f", {duration((total - done) / rate)} left" if rate else ""
    return f"{what} {done}/{total}{share}{speed}{left}"


def duration(seconds):
    """Seconds in words: "8 s", "1 min 05 s", "2 h 10 min"."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
