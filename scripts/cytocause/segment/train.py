"""Train the small network from frames with known labels.

    frame, labels ─ flows ─┐
                           ├─ crop: rotate, flip, rescale ─ light: limits, blur, noise ─▶ network ─▶ loss
    random, seeded ────────┘

Geometry, flows and loss are Cellpose's own (Stringer 2021); the optimiser is AdamW in a few cycles, because a network this
small gains more from a decaying rate than from more epochs. A seed gives the same weights on the same machine and
number of threads.
"""

import logging
import math

import numpy as np
from scipy.ndimage import gaussian_filter

from .cellpose3 import asinh_scale, centred_scale
from .upstream import cellpose
from .weights import as_saved

log = logging.getLogger("cytocause.segment.train")

LARGEST_TILE_PX = 544  # one tile for a frame of 512 px: 296,000 px instead of 451,000 in nine tiles of 224


def make_network(features, diameter_px, seed):
    """A new network with `features` channels at each scale and one input channel, its start drawn from `seed`."""
    import torch
    from cellpose.resnet_torch import CPnet

    torch.manual_seed(seed)
    return CPnet([1, *features], 3, 3, mkldnn=False, diam_mean=float(diameter_px))


def train_network(frames, settings, threads=1, report_every=50):
    """Train on frames and return (network, losses).

    Parameters
    ----------
    frames : list of (image, labels, diameter): (Y, X) grey values, (Y, X) integers, px of a typical cell.
    settings : the config's section `segment.train` with one `seed`, and the `scale` of the grey values (`cellpose3.SCALES`).
    threads : of torch.

    Returns
    -------
    (CPnet in evaluation mode, list of the mean loss of each `report_every` steps)
    """
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    net = make_network(settings["features"], settings["diameter_px"], settings["seed"])
    sampler = Sampler(frames, settings)
    log.info("%d frames with %d cells", len(sampler.images), sampler.n_cells)
    losses = []
    for cycle in range(settings["cycles"]):
        if cycle:
            net.load_state_dict({key: as_saved(value).to(value.dtype) for key, value in net.state_dict().items()})
        losses += train_cycle(net, sampler, settings, cycle, report_every)
    net.diam_labels.data[:] = float(np.mean(sampler.diameters))
    return net.eval(), losses


def train_cycle(net, sampler, settings, cycle, report_every=50):
    """One cycle of the learning rate, from its peak to a hundredth of it, in place: the losses.

    A cycle starts from the network as it would be saved, with a new optimiser and draws of its own (Loshchilov and Hutter 2017,
    warm restarts), so that a network in a file can be trained on and gives the same bytes as if it had never been written.
    """
    import torch

    net.to(memory_format=torch.channels_last).train()
    if cycle:
        sampler.seed(settings["seed"] + 1000 * cycle)
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"])
    losses, recent = [], []
    for step in range(settings["steps"]):
        for group in optimiser.param_groups:
            group["lr"] = one_cycle(step, settings["steps"], settings["learning_rate"])
        images, targets = sampler.batch(settings["batch"])
        x = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings["bfloat16"]):
            y = net(x)[0]
        loss = _loss(y.float(), torch.from_numpy(targets))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        recent.append(loss.item())
        if len(recent) == report_every or step == settings["steps"] - 1:
            losses.append(round(float(np.mean(recent)), 4))
            recent = []
            log.info("cycle %d, training step %d/%d, loss %.3f", cycle + 1, step + 1, settings["steps"], losses[-1])
    return losses


def one_cycle(step, steps, peak):
    """Learning rate: up along a line for a tenth of the steps, then down along a cosine to a hundredth of the peak."""
    warm = max(1, steps // 10)
    if step < warm:
        return peak * (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def _loss(y, target):
    """Cellpose's loss: half the squared error of five times the flows, and the cross entropy of cell or not."""
    import torch.nn.functional as F

    flows = F.mse_loss(y[:, :2], 5.0 * target[:, 1:]) / 2
    return flows + F.binary_cross_entropy_with_logits(y[:, 2], (target[:, 0] > 0.5).float())


class Sampler:
    """Random crops of the frames, with the light and the geometry varied."""

    def __init__(self, frames, settings):
        import torch

        dynamics = cellpose().dynamics
        self.settings, self.scale = settings, settings["scale"]
        self.seed(settings["seed"])
        self.images, self.targets, self.diameters, self.n_cells = [], [], [], 0
        logging.getLogger("cellpose").setLevel(logging.WARNING)  # it reports every frame
        for image, labels, diameter in frames:
            low, high = np.percentile(image, (0.5, 99.8))  # as prepare does
            scaled = ((image - low) / max(high - low, 1e-6)).astype(np.float32)
            self.images.append((centred_scale(scaled) if self.scale == "centred" else scaled)[None])
            flows = dynamics.labels_to_flows([labels.astype(np.int32)], device=torch.device("cpu"))[0]
            self.targets.append(flows[1:])
            self.n_cells += int(labels.max())
            self.diameters.append(float(diameter))
        self.chance = self._filled() / self._filled().sum()

    def seed(self, seed):
        """Start the draws anew."""
        self.rng = np.random.default_rng(seed)
        np.random.seed(seed)  # Cellpose's augmentation draws from numpy's global generator

    def _filled(self):
        """The part of a crop that each frame fills once it is rescaled: large cells leave few pixels, and padding teaches nothing."""
        sides = [np.array(image.shape[1:]) * self.settings["diameter_px"] / d for image, d in zip(self.images, self.diameters)]
        return np.array([np.minimum(1.0, side / self.settings["crop_px"]).prod() for side in sides])

    def batch(self, n):
        """(n, 1, side, side) float32 images and (n, 3, side, side) float32 targets: cell or not, flow y, flow x."""
        random_rotate_and_resize = cellpose().transforms.random_rotate_and_resize
        chosen = self.rng.choice(len(self.images), size=n, p=self.chance)
        spread = np.exp(self.rng.uniform(math.log(0.7), math.log(1.4), n))
        rescale = [self.diameters[i] / (self.settings["diameter_px"] * s) for i, s in zip(chosen, spread)]
        side = self.settings["crop_px"]
        images, targets, _ = random_rotate_and_resize(
            [self.images[i] for i in chosen],
            Y=[self.targets[i] for i in chosen],
            rescale=rescale,
            scale_range=0.0,
            xy=(side, side),
        )
        for k in range(n):
            images[k, 0] = self._light(images[k, 0])
            if self.rng.random() < 0.03:  # noise alone holds no cell
                images[k, 0], targets[k] = self._noise(images[k, 0].shape, self.rng.uniform(0.01, 0.3)), 0.0
        # asinh comes after the light, as at work; a frame is centred before it, because a crop is not the frame.
        return (asinh_scale(images) if self.scale == "asinh" else images), targets

    def _light(self, image):
        """Another exposure of the same crop: limits as another movie would set them, out of focus, more noise."""
        rng = self.rng
        image = image * math.exp(rng.uniform(math.log(0.5), math.log(1.8))) + rng.normal(0, 0.02)
        if rng.random() < 0.3:
            image = gaussian_filter(image, rng.uniform(0.4, 2.0))
        if rng.random() < 0.5:
            image = image + self._noise(image.shape, rng.uniform(0.0, 0.06))
        return image.astype(np.float32)

    def _noise(self, shape, sd):
        return self.rng.normal(0, sd, shape).astype(np.float32)


def typical_diameter(labels):
    """Diameter (px) of a disc as large as the cell that the median pixel of the foreground belongs to; 17 where there is none.

    Many small cells in the same channel (immune cells beside tumour cells) and slivers at the border do not pull it down, as
    they do the median of the cells: a model is asked for with the diameter of the large ones.
    """
    area = np.sort(np.bincount(labels.ravel())[1:])
    reached = np.cumsum(area)
    return float(np.sqrt(area[np.searchsorted(reached, reached[-1] / 2)] * 4 / math.pi)) if area.any() else 17.0


def median_diameter(labels):
    """Median diameter (px) of discs as large as the objects; 17 where there is none."""
    area = np.bincount(labels.ravel())[1:]
    area = area[area > 0]
    return float(np.median(np.sqrt(area * 4 / math.pi))) if area.size else 17.0
