"""The two engines that look at pixels, behind one method: `masks(image, second) -> integers`.

(`precomputed` looks at none: its labels are copied by the script.)
"""

from importlib.metadata import PackageNotFoundError, version

from .models import resolve_model, sha256


def make_engine(settings, diameter, threads=1):
    """The engine named in the settings, its model loaded.

    Parameters
    ----------
    settings : the config's section `segment` with the population's own entry (engine, model, ...).
    diameter : of a cell, px.
    threads : of the network.

    Returns
    -------
    an object with `masks(image, second=None)` and `record()`, a dict that says what made the masks.
    """
    return {"threshold": ThresholdEngine, "cellpose": CellposeEngine}[settings["engine"]](settings, diameter, threads)


class ThresholdEngine:
    """Otsu and watershed; imports neither torch nor cellpose."""

    def __init__(self, settings, diameter, threads=1):
        self.settings, self.diameter = dict(settings.get("threshold") or {}), diameter

    def masks(self, image, second=None):
        """(Y, X) integer masks of a (Y, X) float image on the movie's scale of 0..1; `second` is not used."""
        from .threshold import threshold_masks

        return threshold_masks(image, self.diameter, self.settings)

    def record(self):
        """What made the masks: engine, model, settings, versions."""
        return {
            "engine": "threshold",
            "model": None,
            "settings": self.settings,
            "versions": versions("numpy", "scipy", "scikit-image"),
        }


class CellposeEngine:
    """Cellpose 3 with a model resolved, hashed and loaded before the first frame."""

    def __init__(self, settings, diameter, threads=1):
        self.path = resolve_model(settings["model"])
        from .cellpose3 import Cellpose3

        self.name, self.diameter = str(settings["model"]), diameter
        self.settings = {key: settings[key] for key in ("cellprob_threshold", "flow_threshold")}
        self.sha256 = sha256(self.path)
        self.cellpose = Cellpose3(
            self.path,
            name=self.name,
            device=settings.get("device", "cpu"),
            batch_tiles=settings.get("batch_tiles", 8),
            threads=threads,
        )

    def masks(self, image, second=None):
        """(Y, X) integer masks of a (Y, X) float image on the movie's scale of 0..1; second: the nuclear channel, or None."""
        return self.cellpose.segment(image, self.diameter, second=second, **self.settings)

    def record(self):
        """What made the masks: engine, model, settings, versions."""
        return {
            "engine": "cellpose",
            "model": self.name,
            "file": self.path.name,
            "sha256": self.sha256,
            "network": self.cellpose.description,
            "settings": self.settings,
            "versions": versions("cellpose", "torch", "numpy", "opencv-python-headless", "scipy"),
        }


def versions(*names):
    """{name: installed version, or None}."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
