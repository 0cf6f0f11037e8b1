"""The ways in which Cellpose goes wrong in silence (numbers as in cellpose3.py), each shown and each answered."""

import ssl

import numpy as np
import pytest

from cytocause.segment.cellpose3 import Cellpose3, asinh_scale, tile_px
from cytocause.segment.models import ModelError
from cytocause.segment.stream import segment_frames

SETTINGS = {"polarity": "bright", "min_contrast_sd": 6.0, "min_area_fraction": 0.1, "max_area_fraction": 0.4}


@pytest.fixture(scope="module")
def tiny(tiny_weights):
    return Cellpose3(tiny_weights)


def discs(side=96, seed=0):
    y, x = np.mgrid[:side, :side]
    image = np.random.default_rng(seed).normal(0, 0.02, (side, side))
    for cy, cx in ((20, 24), (22, 70), (60, 48), (75, 80)):
        image += np.hypot(y - cy, x - cx) < 8
    return image.astype(np.float32)


def test_1_a_float32_frame_keeps_its_grey_values(tiny):
    image = discs()
    before = image.copy()
    tiny.segment(image, 17.0)
    assert (image == before).all()


def test_2_each_frame_gives_its_own_mask_of_its_own_shape(shipped):
    movie = np.stack([discs(seed=s) for s in range(3)])
    stacked = shipped.model.eval(movie.copy(), channels=None, diameter=17.0)[0]
    assert stacked.shape != movie.shape  # the trap: three frames read as one image of many channels
    masks = [shipped.segment(frame, 17.0) for frame in movie]
    assert [m.shape for m in masks] == [(96, 96)] * 3 and [int(m.max()) for m in masks] == [4, 4, 4]


@pytest.mark.parametrize("shape", [(40, 96), (96, 40), (17, 200)])
def test_2_a_narrow_frame_is_not_taken_for_channels(tiny, shape):
    assert tiny.segment(np.random.default_rng(0).random(shape, dtype=np.float32), 17.0).shape == shape


def test_3_the_network_that_runs_is_the_one_in_the_file(tiny, tiny_weights):
    import torch

    wanted = torch.load(tiny_weights, weights_only=True)["state_dict"]
    running = tiny.model.net.inner.state_dict()
    assert all(torch.equal(running[key], wanted[key].to(running[key].dtype)) for key in wanted)
    assert tiny.model.diam_mean == 17.0


def test_4_nothing_is_downloaded_and_tls_stays_checked(tiny, monkeypatch, tmp_path):
    from cellpose import models

    before = ssl._create_default_https_context
    monkeypatch.setattr(models, "MODEL_DIR", tmp_path)
    with pytest.raises(ModelError, match="wanted to download .*cyto3. Nothing is downloaded"):
        models.CellposeModel(pretrained_model="no-such-model", model_type="no-such-model")
    assert ssl._create_default_https_context is before is not ssl._create_unverified_context


def test_5_cellposes_defaults_stay_as_they_are(tiny):
    from cellpose import models

    before = dict(models.normalize_default)
    tiny.segment(discs(), 17.0)
    assert models.normalize_default == before


def test_5_defaults_that_someone_else_spoilt_do_not_reach_the_masks(shipped, monkeypatch):
    from cellpose import models

    expected = shipped.segment(discs(), 17.0)
    for key, value in {"normalize": True, "invert": True, "percentile": [40, 60], "tile_norm_blocksize": 16}.items():
        monkeypatch.setitem(models.normalize_default, key, value)
    assert (shipped.segment(discs(), 17.0) == expected).all() and expected.max() == 4


def test_6_a_saturated_blob_does_not_hide_the_cells(shipped):
    class Engine:
        def masks(self, image, second=None):
            return shipped.segment(image, 17.0)

    frame = 200 + 300 * discs(side=192)
    y, x = np.mgrid[:192, :192]
    blob = np.hypot(y - 150, x - 40) < 24  # 5 % of the frame
    frame[blob] = 65535
    own = np.percentile(frame, (1, 99))
    counts = {}
    for name, (low, high) in {"of the movie": (200, 500), "of the frame": own}.items():
        labels = next(segment_frames([(frame, None)], Engine(), ({"low": low, "high": high}, None), 17.0, SETTINGS))
        counts[name] = len(set(labels[~blob]) - {0, *labels[blob]})
    assert counts["of the movie"] == 4 and counts["of the frame"] == 0


@pytest.mark.parametrize("level", [0.0, 0.05, 0.3])
def test_7_noise_and_constant_frames_hold_no_cell_and_are_not_shown_to_the_network(level):
    class Never:
        def masks(self, image, second=None):
            raise AssertionError("an empty frame reached the network")

    frame = 100 + 100 * np.random.default_rng(0).normal(0, level, (128, 128))
    labels = next(segment_frames([(frame, None)], Never(), ({"low": 0, "high": 200}, None), 17.0, SETTINGS))
    assert labels.max() == 0 and labels.dtype == np.int32


def test_7_one_empty_frame_among_full_ones(shipped):
    class Engine:
        def masks(self, image, second=None):
            return shipped.segment(image, 17.0)

    empty = np.random.default_rng(1).normal(0, 0.02, (96, 96))
    frames = ((frame, None) for frame in (discs(), empty, discs()))
    counts = [
        int(labels.max())
        for labels in segment_frames(frames, Engine(), ({"low": 0, "high": 1}, None), 17.0, SETTINGS)
    ]
    assert counts == [4, 0, 4]


# Trap 8, strict loading: test_segment_models.py


def test_threads_are_those_asked_for(tiny_weights):
    import torch

    Cellpose3(tiny_weights, threads=2)
    assert torch.get_num_threads() == 2
    Cellpose3(tiny_weights, threads=1)
    assert torch.get_num_threads() == 1


def test_a_smaller_network_pads_its_style_to_what_cellpose_expects(tiny):
    import torch

    with torch.no_grad():
        y, style = tiny.model.net(torch.zeros(2, 2, 64, 64))
    assert style.shape == (2, 256) and y.shape == (2, 3, 64, 64)
    assert float(style[:, 8:].abs().sum()) == 0.0


def test_a_second_channel_is_used_by_a_model_of_two_and_refused_by_a_model_of_one(tmp_path, tiny):
    import torch
    from cellpose.resnet_torch import CPnet

    image, nuclei = discs(), discs(seed=5)
    with pytest.raises(ModelError, match="one input channel"):
        tiny.segment(image, 17.0, second=nuclei)
    torch.manual_seed(0)
    CPnet([2, 4, 8], 3, 3, diam_mean=17.0).save_model(tmp_path / "two")
    two = Cellpose3(tmp_path / "two")
    seen = []
    forward = two.model.net.forward
    two.model.net.forward = lambda x: seen.append(x.clone()) or forward(x)
    two.segment(image, 17.0, second=nuclei)
    two.segment(image, 17.0)
    assert float(seen[0][:, 1].abs().sum()) > 0 and float(seen[1][:, 1].abs().sum()) == 0
    assert torch.equal(seen[0][:, 0], seen[1][:, 0])


def test_out_of_memory_halves_the_batch_and_then_says_so(tiny_weights):
    model = Cellpose3(tiny_weights, batch_tiles=8)
    asked = []
    run = model.model.eval

    def eval_with_room_for(limit):
        def run_or_fail(x, batch_size, **settings):
            asked.append(batch_size)
            if batch_size > limit:
                raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
            return run(x, batch_size=batch_size, **settings)

        return run_or_fail

    model.model.eval = eval_with_room_for(2)
    assert model.segment(np.zeros((300, 700), np.float32), 17.0).shape == (300, 700)
    assert asked[-1] == 2 and asked == sorted(asked, reverse=True)
    model.model.eval = eval_with_room_for(0)
    with pytest.raises(MemoryError, match="even with one tile"):
        model.segment(np.zeros((300, 700), np.float32), 17.0)


def test_another_error_is_not_taken_for_lack_of_memory(tiny_weights):
    model = Cellpose3(tiny_weights)

    def fail(*_, **__):
        raise RuntimeError("shapes do not match")

    model.model.eval = fail
    with pytest.raises(RuntimeError, match="shapes do not match"):
        model.segment(discs(), 17.0)


def test_a_frame_of_256_px_is_one_tile_and_a_large_one_costs_least():
    assert tile_px((256, 256), 17 / 18, 544) == 272
    assert tile_px((512, 512), 1.0, 544) == 528
    assert tile_px((256, 256), 1.0, 224) == 224
    assert 224 <= tile_px((1080, 1080), 1.0, 544) <= 544
    assert tile_px((8, 8), 0.1, 544) == 16


def test_tiles_change_next_to_nothing(shipped):
    image = np.tile(discs(), (3, 3))
    whole = shipped.segment(image, 17.0)
    shipped.network.meta["tile_px"], kept = 224, shipped.network.meta["tile_px"]
    try:
        tiled = shipped.segment(image, 17.0)
    finally:
        shipped.network.meta["tile_px"] = kept
    assert whole.max() == tiled.max() == 36
    assert ((whole > 0) != (tiled > 0)).mean() < 0.002


def test_the_scale_for_dim_cells_keeps_nought_and_one():
    x = np.array([-0.1, 0.0, 1 / 30, 1.0], np.float32)
    y = asinh_scale(x)
    assert y[1] == 0 and y[3] == pytest.approx(1.0, abs=1e-6)
    assert y[3] / y[2] == pytest.approx(9.2, abs=0.3) and y[0] < 0
