"""Names of segmentation models: the shipped ones and Cellpose's own.

Two places read them: the check of the configuration, before any job starts, and the adapter that loads the weights.
"""

import os
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[3] / "resources" / "cellpose"
# Cellpose 3.1's own names and the file each is kept in.
CELLPOSE_FILES = {
    "cyto": "cytotorch_0",
    "cyto2": "cyto2torch_0",
    "nuclei": "nucleitorch_0",
    **{
        name: name
        for name in [
            *("cyto3", "cyto2_cp3", "tissuenet_cp3", "livecell_cp3", "yeast_PhC_cp3", "yeast_BF_cp3"),
            *("bact_phase_cp3", "bact_fluor_cp3", "deepbacs_cp3", "CP", "CPx"),
            *("TN1", "TN2", "TN3", "LC1", "LC2", "LC3", "LC4"),
        ]
    },
}


def shipped_models(folder=SHIPPED):
    """Names of the models shipped with the project: {name: file}."""
    return {path.stem: path for path in sorted(Path(folder).glob("*.pt"))}


def is_path(model):
    """Whether the config's `model` is a path rather than a name."""
    return "/" in model or os.sep in model or Path(model).suffix != ""
