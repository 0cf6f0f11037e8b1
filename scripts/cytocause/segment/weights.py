"""Weights of a Cellpose 3 network: read, recognised by their shapes, loaded strictly.

Two kinds of file are read: Cellpose's own (a flat state dict) and this project's, which wraps one and says how the
image must be prepared:

    {"state_dict": {name: float16 tensor}, "meta": {"scale": "asinh", "tile_px": 544}}

Cellpose loads with `strict=False`: a missing key keeps its random start, silently. Here every key must be there with
its shape, and none besides.
"""

from dataclasses import dataclass, field

from .models import ModelError

_DOWN = "downsample.down.res_down_{}.conv.conv_0.2.weight"
_DIAMETERS = {"diam_mean", "diam_labels"}  # absent from Cellpose's oldest files (cyto, nuclei): 30 px, 17 px
META = {"scale": "linear", "tile_px": 224}
KNOWN_SCALES = ("linear", "asinh", "centred")  # of cellpose3.SCALES


@dataclass
class Network:
    """A network ready to run, and what is known of it."""

    net: object
    features: list  # [input channels, channels at each scale ...]
    diam_mean: float  # px, the diameter to which frames are rescaled
    meta: dict = field(default_factory=dict)

    @property
    def n_channels(self):
        """Number of input channels."""
        return self.features[0]


def load_network(path, name=None):
    """The network in `path`.

    Parameters
    ----------
    path : file of weights.
    name : name of the model, which settles the diameter of Cellpose's oldest files.

    Raises
    ------
    ModelError
        when the file is no file of weights, is of another Cellpose, or lacks or adds a key.
    """
    from cellpose.resnet_torch import CPnet

    state, meta = _read(path)
    features = _features(state, path)
    net = CPnet(list(features), 3, 3, mkldnn=False, diam_mean=17.0 if name == "nuclei" else 30.0)
    expected = net.state_dict()
    absent = _DIAMETERS - set(state)
    if absent == _DIAMETERS:
        state.update({key: expected[key] for key in _DIAMETERS})
    missing, extra = sorted(set(expected) - set(state)), sorted(set(state) - set(expected))
    if missing or extra:
        raise ModelError(
            f"The weights in {path} do not fit a Cellpose 3 network: {len(missing)} parameters are missing "
            f"({', '.join(missing[:3]) or 'none'}) and {len(extra)} are unknown ({', '.join(extra[:3]) or 'none'}). "
            "A network with holes would segment with random weights. Give the complete file."
        )
    wrong = [key for key in expected if state[key].shape != expected[key].shape]
    if wrong:
        raise ModelError(
            f"The weights in {path} do not fit a Cellpose 3 network: {wrong[0]} has shape "
            f"{tuple(state[wrong[0]].shape)}, {tuple(expected[wrong[0]].shape)} was expected. Give an unaltered file."
        )
    # Trap 8: strict, whatever Cellpose does.
    net.load_state_dict({key: value.to(expected[key].dtype) for key, value in state.items()}, strict=True)
    broken = [key for key, value in net.state_dict().items() if not bool(value.isfinite().all())]
    if broken:
        raise ModelError(f"The weights in {path} hold NaN or infinite numbers in {broken[0]}. Give an unaltered file.")
    net.eval()
    return Network(net, features, float(net.diam_mean.item()), meta)


def as_saved(tensor):
    """A tensor as it is written: floats in half precision."""
    return tensor.half() if tensor.is_floating_point() else tensor


def save_network(net, path, **meta):
    """Write a network as float16 (half the size; the masks keep their AP@0.5) with what its input must look like."""
    import torch

    state = {key: as_saved(value) for key, value in net.state_dict().items()}
    torch.save({"state_dict": state, "meta": {**META, **meta}}, path)


def _read(path):
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different class for each way a file can be broken
        raise ModelError(
            f"{path} is not a file of network weights ({type(error).__name__}). Expected is what torch.save wrote: "
            "a Cellpose 3 model or one made by the target train_model."
        ) from error
    state, meta = (content.get("state_dict"), content.get("meta", {})) if _wrapped(content) else (content, {})
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ModelError(f"{path} holds no state dict of a network. Give a Cellpose 3 model file.")
    unknown = set(meta) - set(META)
    if unknown:
        raise ModelError(f"{path} was made by a newer version of cytocause (it says {sorted(unknown)}). Update.")
    meta = {**META, **meta}
    if meta["scale"] not in KNOWN_SCALES:
        raise ModelError(
            f"{path} wants the grey scale '{meta['scale']}', and this version of cytocause knows {', '.join(KNOWN_SCALES)}. Update."
        )
    return dict(state), meta


def _wrapped(content):
    return isinstance(content, dict) and "state_dict" in content


def _features(state, path):
    """Channels at each scale, read from the shapes of the first convolutions."""
    if "W2" in state or any(key.startswith("encoder.") for key in state):
        raise ModelError(
            f"{path} is a model of Cellpose 4 (Cellpose-SAM) or a transformer, and this engine runs Cellpose 3's "
            "residual network. Give a Cellpose 3 model (cyto3, nuclei ...) or the shipped toc-nuclei."
        )
    features = []
    while _DOWN.format(len(features)) in state and state[_DOWN.format(len(features))].ndim == 4:
        features.append(state[_DOWN.format(len(features))].shape)
    if len(features) < 2:
        raise ModelError(f"{path} holds no Cellpose 3 network: {_DOWN.format(0)} is missing. Give a Cellpose 3 model.")
    return [int(features[0][1]), *(int(shape[0]) for shape in features)]
