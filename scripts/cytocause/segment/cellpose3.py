"""Cellpose 3.1.1.3 behind one small door: load a model, segment one frame.

Every line marked `Trap n` answers a way in which Cellpose goes wrong in silence; each has its test in
tests/segment/test_segment_traps.py.

    1  float32 input overwritten in place          5  normalize_default altered for later calls
    2  (T, Y, X) read as channels of one image     6  limits per frame (answered in normalise.py)
    3  wrong name -> default model                 7  cells in empty frames (answered in stream.py)
    4  download without TLS checks                 8  strict=False (answered in weights.py)
"""

import logging
import math

import numpy as np

from .models import ModelError
from .upstream import cellpose
from .weights import load_network

log = logging.getLogger(__name__)

_TILE_PX = 224  # the tile Cellpose's own models were trained on
# Trap 5: Cellpose writes into its own defaults when `normalize` is a bool, so it always gets all keys.
_AS_IT_IS = {
    "lowhigh": None,
    "percentile": None,
    "normalize": False,
    "norm3D": False,
    "sharpen_radius": 0,
    "smooth_radius": 0,
    "tile_norm_blocksize": 0,
    "tile_norm_smooth3D": 0,
    "invert": False,
}
# asinh compresses a 30 : 1 range of brightness to 9 : 1 and leaves dark grey values straight.
_ASINH_GAIN = 10.0


class Cellpose3:
    """A loaded model.

    Parameters
    ----------
    path : file of weights (see `models.resolve_model`).
    name : the model's name in the config.
    device : "cpu" | "gpu".
    batch_tiles : tiles of 224 px in one pass.
    threads : of torch; 1 is best where several jobs share the cores, and masks do not depend on it.
    """

    def __init__(self, path, name=None, device="cpu", batch_tiles=8, threads=1):
        import torch

        upstream = cellpose()
        torch.set_num_threads(int(threads))  # Trap: torch takes every core
        torch.sparse.check_sparse_tensor_invariants.disable()  # said, so that torch does not ask in every log
        upstream.utils.download_url_to_file = _no_download  # Traps 3 and 4: it would switch off TLS checks for the process
        self.network = load_network(path, name)
        self.device = _device(torch, device)
        # Trap 3: given a name or path, Cellpose may load another model. It gets none, and then our own network.
        self.model = upstream.models.CellposeModel(gpu=False, pretrained_model=None, device=self.device, mkldnn=False)
        self._install()
        self.batch_tiles = int(batch_tiles)

    def _install(self):
        self.model.net = _padded(self.network.net).to(self.device)
        self.model.nchan = 2
        self.model.diam_mean = self.model.diam_labels = self.network.diam_mean
        self.model.device = self.device

    @property
    def description(self):
        """What to write next to the masks."""
        return {
            "features": self.network.features,
            "diam_mean_px": self.network.diam_mean,
            "device": self.device.type,
            **self.network.meta,
        }

    def segment(self, image, diameter, second=None, cellprob_threshold=0.0, flow_threshold=0.4):
        """Masks of one frame.

        Parameters
        ----------
        image : (Y, X) float32, bright cells on a movie-wide scale of 0..1; it is left as it is.
        diameter : of a cell, px.
        second : (Y, X) float32 of a nuclear channel, for models with two input channels.

        Returns
        -------
        (Y, X) integer array, 0 = background.
        """
        image = self._input(image, second)
        tile = tile_px(image.shape[:2], self.network.diam_mean / diameter, self.network.meta["tile_px"])
        settings = {
            "channels": None,
            "channel_axis": -1,  # Trap 2: said, not guessed from the sizes of the axes
            "normalize": dict(_AS_IT_IS),
            "diameter": float(diameter),
            "cellprob_threshold": float(cellprob_threshold),
            "flow_threshold": float(flow_threshold),
            "min_size": -1,  # sizes are the business of `relabel`, for all engines alike
            "bsize": tile,
        }
        masks = self._with_less_memory(lambda batch: self.model.eval([image.copy()], batch_size=batch, **settings), tile)
        if len(masks) != 1 or masks[0].shape != image.shape[:2]:
            raise RuntimeError(f"Cellpose gave masks of shape {np.shape(masks)} for one frame of {image.shape[:2]}.")
        return masks[0]

    def _input(self, image, second):
        """(Y, X, 2) float32, a copy (trap 1), scaled as the model was trained.

        Always two planes: Cellpose loses the axis of a single one when it rescales. The network takes what it needs.
        """
        if second is not None and self.network.n_channels < 2:
            raise ModelError("segment.second_channel is set, but the model has one input channel. Set it to null.")
        stack = np.stack([image, np.zeros_like(image) if second is None else second], axis=-1).astype(np.float32)
        return SCALES[self.network.meta["scale"]](stack)

    def _with_less_memory(self, run, tile):
        """Run with smaller and smaller batches while memory does not suffice; on a GPU then once on the CPU."""
        import torch

        batch = max(1, self.batch_tiles * _TILE_PX**2 // tile**2)
        while True:
            try:
                return run(batch)[0]
            except (RuntimeError, MemoryError) as error:
                if not _out_of_memory(error):
                    raise
                if batch > 1:
                    batch //= 2
                    self.batch_tiles = max(1, self.batch_tiles // 2)
                    log.warning("Out of memory: going on with %d tiles in one pass.", batch)
                elif self.device.type != "cpu":
                    log.warning("Out of memory on %s even with one tile: going on with the CPU.", self.device)
                    self.device = torch.device("cpu")
                    self._install()
                else:
                    raise MemoryError(
                        "The network needs more memory than the machine has, even with one tile in one pass "
                        "(segment.batch_tiles). Give the job more memory."
                    ) from error


def asinh_scale(image):
    """0 -> 0, 1 -> 1, straight near 0 and logarithmic above, for dim cells beside very bright ones."""
    return np.arcsinh(image * np.float32(_ASINH_GAIN)) / np.float32(math.asinh(_ASINH_GAIN))


def centred_scale(image):
    """The image's median as 0, for cells both brighter and darker than the ground: the padding of tiles is then ground too."""
    return image - np.median(image, axis=(0, 1))


# How a network wants the scale 0..1 of the movie prepared; the file of its weights names one.
SCALES = {"linear": lambda image: image, "asinh": asinh_scale, "centred": centred_scale}


def tile_px(shape, rescale, largest=_TILE_PX):
    """Side of the tiles in px that costs the fewest pixels: one tile where the frame fits, else the best of the sizes.

    Cellpose pads a frame by 16 px and to a multiple of 16 *before* it cuts tiles, so that 256 px at tiles of 224
    become four tiles, 2.7 times the pixels of one of 272.
    """
    sides = [16 * math.ceil(int(n * rescale) / 16) + 16 for n in shape]
    if max(sides) <= largest:
        return max(max(sides), 16)

    def cost(tile):
        return math.prod(min(n, tile) * (1 if n <= tile else math.ceil(1.2 * n / tile)) for n in sides)

    return min(range(_TILE_PX, max(largest, _TILE_PX) + 1, 16), key=lambda tile: (cost(tile), tile))


def _padded(net):
    """The network as Cellpose's run_net expects it: two planes in, a style vector of 256 numbers out."""
    import torch

    class Padded(torch.nn.Module):
        nout, mkldnn = 3, False

        def __init__(self, inner):
            super().__init__()
            self.n_channels = inner.nchan
            self.inner = inner.to(memory_format=torch.channels_last)  # a third faster on a CPU, equal within 1e-4

        @property
        def device(self):
            return next(self.inner.parameters()).device

        def forward(self, x):
            y, style = self.inner(x[:, : self.n_channels].contiguous(memory_format=torch.channels_last))[:2]
            return y, torch.nn.functional.pad(style, (0, 256 - style.shape[1]))

    return Padded(net).eval()


def _device(torch, wanted):
    if wanted == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda:0")
    if torch.backends.mps.is_available():
        return torch.device("mps:0")
    raise ModelError("segment.device is gpu, but torch sees none here. Set it to cpu, or install torch for this GPU.")


def _out_of_memory(error):
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


def _no_download(url, *_, **__):
    raise ModelError(f"Cellpose wanted to download {url}. Nothing is downloaded during a run: put the file in place.")
