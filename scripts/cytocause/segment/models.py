"""Which file holds the weights: by name or by path, never by guess and never by download.

Cellpose falls back to its default model when a name or path is wrong, and downloads it with TLS checks switched off
for the whole process. Here a model is resolved before Cellpose is imported, and a missing file is an error that says
what to put where.
"""

import hashlib
import os
from pathlib import Path

from cytocause.io.model_names import CELLPOSE_FILES, SHIPPED, is_path, shipped_models

__all__ = ["SHIPPED", "ModelError", "cellpose_folder", "is_path", "resolve_model", "sha256", "shipped_models"]
CELLPOSE_URL = "https://www.cellpose.org/models/"


class ModelError(ValueError):
    """A model that cannot be used; the message says what was found, where, and what to do."""


def cellpose_folder():
    """Folder where Cellpose keeps its weights on this machine."""
    return Path(os.environ.get("CELLPOSE_LOCAL_MODELS_PATH") or Path.home() / ".cellpose" / "models")


def resolve_model(model):
    """File with the weights of `model`, a name or a path.

    Raises
    ------
    ModelError
        when there is no such name, no such file, or the file is empty.
    """
    model = str(model)
    shipped = shipped_models()
    if is_path(model):
        path = Path(model).expanduser()
        missing = f"The model file {path} does not exist (segment, key model). Give the path of a file with weights"
    elif model in shipped:
        path = shipped[model]
        missing = f"The shipped model {path} does not exist. Check out resources/cellpose again"
    elif model in CELLPOSE_FILES:
        name = CELLPOSE_FILES[model]
        path = cellpose_folder() / name
        missing = (
            f"The weights of Cellpose's model '{model}' are not on this machine: {path} does not exist. Nothing is "
            f"downloaded during a run. Fetch {CELLPOSE_URL}{name} once, put it there (or into the folder that "
            f"CELLPOSE_LOCAL_MODELS_PATH names)"
        )
    else:
        raise ModelError(
            f"There is no model '{model}' (segment, key model). Shipped: {', '.join(shipped) or 'none'}; of Cellpose: "
            f"{', '.join(CELLPOSE_FILES)}; or the path of a file with weights."
        )
    others = f", or take one of the shipped models: {', '.join(shipped)}." if shipped else "."
    if not path.is_file():
        raise ModelError(missing + others)
    if path.stat().st_size == 0:
        raise ModelError(f"The model file {path} is empty. Put the weights there again{others}")
    return path


def sha256(path):
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
