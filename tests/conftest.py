"""What tests of several rooms share: real data where it is present, and skips that count as failures in CI."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# minutes each: begun first, so that no worker has one of them left when the other has finished
LONGEST = ("test_workflow_slurm.py", "test_workflow_reruns.py", "test_workflow_faults.py", "test_workflow_bad_input.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def skip():
    """skip(reason): skip a test that cannot run here; fail it where nothing may be skipped (CYTOCAUSE_REQUIRE_ALL=1)."""

    def skip_or_fail(reason):
        if os.environ.get("CYTOCAUSE_REQUIRE_ALL") == "1":
            pytest.fail(f"must run here (CYTOCAUSE_REQUIRE_ALL=1): {reason}", pytrace=False)
        pytest.skip(reason)

    return skip_or_fail


@pytest.fixture(scope="session")
def data_root(skip):
    """Folder of the real data sets: $CYTOCAUSE_DATA, else ../shared/data beside the repository."""
    folder = Path(os.environ.get("CYTOCAUSE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        skip(f"no real data at {folder}; set CYTOCAUSE_DATA")
    return folder.resolve()
