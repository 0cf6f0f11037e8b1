"""Where the reference outputs are."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def reference(skip):
    """Folder of recorded outputs of the R package, beside the data sets; skipped where absent."""
    import os

    places = [Path(os.environ.get("CYTOCAUSE_DATA") or ROOT.parent / "shared" / "data").parent, ROOT.parent / "shared"]
    for place in places:
        folder = place / "reference" / "miic"
        if folder.is_dir():
            return folder
    skip(f"no reference outputs at {places[0] / 'reference' / 'miic'}")
