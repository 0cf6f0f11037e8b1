"""The microscope: what each setting does to the picture, and settings that no picture can have."""

import numpy as np
import pytest
import yaml

from cytocause.simulate import SimulatedChip, ranges
from cytocause.simulate.difficulty import as_ranges, ladder, of_training, with_difficulty
from cytocause.simulate.imaging import ImagingError, settled
from cytocause.simulate.pixels import LARGEST_SIGMA_PX, Looks, _ladder, _ladder_steps
from cytocause.simulate.stains import LEAK, cycle_light, stained
from tests.simulate import worlds

SMALL = {"n_frames": 4, "height": 96, "width": 112}


def section(imaging=None, brightfield=None, **changes):
    cfg = worlds.section(**{**SMALL, **changes})
    cfg["imaging"] = {**cfg["imaging"], **(imaging or {})}
    cfg["imaging"]["brightfield"] = {**cfg["imaging"]["brightfield"], **(brightfield or {})}
    return cfg


def chip(imaging=None, brightfield=None, **changes):
    return SimulatedChip(worlds.model(), section(imaging, brightfield, **changes), "chip_01", worlds.DRUG)


def movie(chip):
    return np.stack(list(chip.image_frames()))


@pytest.fixture(scope="module")
def plain():
    return movie(chip())


def test_a_dropped_frame_is_missing_in_movie_times_and_tracks_and_the_numbers_keep_the_gap():
    whole, gaps = chip(n_frames=30), chip({"dropped": 0.3}, n_frames=30)
    kept = gaps.frames
    assert kept[0] == 0 and 12 < len(kept) < 29 and set(kept) < set(range(30))
    np.testing.assert_array_equal(gaps.time_min(), np.array(kept) * 10.0)
    images, masks = movie(gaps), np.stack(list(gaps.label_frames()))
    assert len(images) == len(masks) == len(kept)
    np.testing.assert_array_equal(images, movie(whole)[kept])
    assert set(gaps.tracks()["frame"]) == set(kept)
    rows = gaps.tracks()
    np.testing.assert_array_equal(rows["time_min"], rows["frame"] * 10.0)
    for page, frame in enumerate(kept):
        here = rows[(rows["frame"] == frame) & (rows["population"] == "tumour")]
        assert sorted(here["label"]) == [k for k in np.unique(masks[page, 0]) if k]


def test_prepare_reads_the_frame_numbers_back_from_the_times():
    from cytocause.prepare.metadata import settle_times

    gaps = chip({"dropped": 0.3}, n_frames=30)
    frames, times, interval = settle_times(list(range(len(gaps.frames))), interval=None, measured=gaps.time_min().tolist())
    assert frames == gaps.frames and interval == 10.0 and times == gaps.time_min().tolist()


def test_masks_tracks_and_pixels_move_with_the_stage_and_the_variables_do_not():
    still, moving = (chip({"drift_um_h": drift}, height=160, width=160) for drift in (0.0, 8.0))
    assert not still.shifts.any()
    np.testing.assert_allclose(np.hypot(*moving.shifts.T) * moving.pixel_um, 8.0 * np.arange(4) * 10 / 60)
    key = ["population", "track_id", "frame"]
    a, b = (c.tracks().set_index(key)[["y_um", "x_um"]] for c in (still, moving))
    inside = a[(a > 15).all(axis=1) & (a < 110).all(axis=1)].index
    assert len(inside) > 20
    frame = inside.get_level_values("frame")
    np.testing.assert_allclose((b.loc[inside] - a.loc[inside]).to_numpy(), moving.shifts[frame] * moving.pixel_um, atol=0.25)
    assert still.variables().equals(moving.variables())


def test_jitter_has_the_spread_it_was_given():
    shifts = chip({"jitter_um": 0.9}, n_frames=200, tumour_density_mm2=0, immune_density_mm2=0).shifts
    assert shifts.std() * 0.8 == pytest.approx(0.9, rel=0.15) and abs(shifts.mean()) < 0.2


def test_bleaching_dims_cells_and_not_the_background():
    images = movie(chip({"bleaching_per_h": 1.0, "halo": 0.0}, n_frames=7))
    masks = np.stack(list(chip(n_frames=7).label_frames()))[:, 0] > 0
    light = [image[0][mask].mean() - np.median(image[0][~mask]) for image, mask in zip(images, masks)]
    assert light[6] / light[0] == pytest.approx(np.exp(-1), rel=0.2)
    assert np.median(images[6, 0]) == pytest.approx(np.median(images[0, 0]), rel=0.03)


def test_hot_pixels_are_bad_in_every_frame_and_the_others_are_untouched(plain):
    images = movie(chip({"hot_pixels_per_mp": 3000.0}))
    extra = images.astype(int) - plain
    hot = extra[0] > 0
    assert 10 < hot.sum() < 120
    assert (extra[:, hot] >= 300).all() and not extra[:, ~hot].any()


def test_a_cell_without_dye_is_dark_and_so_are_its_daughters():
    parents = {"tumour": {k: 0 for k in range(1, 400)} | {900: 5}}
    looks = Looks(3, "chip_01", 0.2, parents, unstained=0.25)
    light = np.array([looks("tumour", k)["brightness"] for k in range(1, 400)])
    dark = np.flatnonzero(light < 0.15) + 1
    assert 0.18 < dark.size / 399 < 0.32
    parents["tumour"][900] = int(dark[0])
    assert looks("tumour", 900)["brightness"] < 0.15
    assert (light[light > 0.15].max() / light[light > 0.15].min()) < 30


def test_brightness_ends_at_thirty_to_one():
    looks = Looks(3, "chip_01", 1.5)
    light = np.array([looks("tumour", k)["brightness"] for k in range(1, 600)])
    assert light.max() / light.min() == pytest.approx(30.0)


def test_crosstalk_shows_the_other_population():
    none, much = (movie(chip({"crosstalk": share, "halo": 0.0})) for share in (0.0, 0.5))
    masks = next(chip().label_frames())
    only = (masks[1] > 0) & (masks[0] == 0)
    gained = much[0, 0].astype(int) - none[0, 0]
    assert gained[only].mean() > 100 and abs(np.median(gained[(masks == 0).all(axis=0)])) < 10


def test_the_blur_grows_with_the_distance_from_the_plane_and_ends():
    steps = _ladder(0.9)
    assert steps[0] == 0.9 and steps[-1] == LARGEST_SIGMA_PX and steps == sorted(steps)
    blur = np.array([0.0, 0.2, 1.2, 2.5, 3.9, 50.0])
    chosen = _ladder_steps(blur, 0.9)
    assert chosen[0] == 0 and chosen[-1] == len(steps) - 1 and (np.diff(chosen) >= 0).all()


def test_a_cell_far_from_the_plane_is_wider_and_no_brighter_in_all():
    def light(depth):
        c = chip({"blur_per_depth": 0.5, "halo": 0.0, "crosstalk": 0.0, "read_noise": 0.0, "signal_photons": 5000.0, "uneven_light": 0.0})
        c.history.tumour = [{**rows, "depth_um": np.full(rows["track_id"].size, depth)} for rows in c.history.tumour]
        return next(c.image_frames())[0].astype(float)

    near, far = light(0.0), light(6.0)
    assert far.max() < 0.9 * near.max()
    assert (far - np.median(far)).sum() == pytest.approx((near - np.median(near)).sum(), rel=0.15)


def test_four_dyes_show_what_they_stain():
    channels = [
        {"name": "all", "shows": ["tumour", "immune"]},
        {"name": "body", "shows": ["tumour"], "stain": "cytoplasmic"},
        {"name": "dead", "shows": ["tumour"], "stain": "death"},
        {"name": "s_to_m", "shows": ["tumour"], "stain": "fucci_g2", "brightness": 2.0},
    ]
    c = chip({"channels": channels, "crosstalk": 0.0, "halo": 0.0}, n_frames=40)
    assert c.channel_names() == ["all", "body", "dead", "s_to_m"]
    frame = 39
    image = list(c.image_frames())[frame].astype(float)
    masks = list(c.label_frames())[frame]
    rows = c.variables()
    here = rows[rows["frame"] == frame].set_index("track_id")["phase"]
    dying = np.isin(masks[0], here[here == "dying"].index) & (masks[0] > 0)
    living = np.isin(masks[0], here[here != "dying"].index) & (masks[0] > 0)
    empty = (masks == 0).all(axis=0)
    assert dying.any()
    assert image[0][masks[1] > 0].mean() > image[0][empty].mean() + 200
    assert image[2][dying].mean() > image[2][living].mean() + 200
    nuclei = (masks[0] > 0).sum()
    assert (image[1] > np.median(image[1]) + 150).sum() > 1.3 * nuclei  # cytoplasm reaches beyond the nucleus
    mitotic = np.isin(masks[0], here[here == "mitosis"].index) & (masks[0] > 0)
    if mitotic.any():
        assert image[3][mitotic].mean() > image[3][living & ~mitotic].mean() + 200


def test_the_fucci_pair_hands_over_at_s_phase_and_ends_at_division():
    cycle = np.array([0.0, 0.3, 0.5, 0.9, 0.97])
    mitotic = np.array([False, False, False, False, True])
    g1, g2 = (cycle_light(cycle, mitotic, name) for name in ("fucci_g1", "fucci_g2"))
    np.testing.assert_allclose(g1, [LEAK, 1, LEAK, LEAK, LEAK])
    assert g2[0] == g2[1] == LEAK and LEAK < g2[2] < 1 and g2[3] == g2[4] == 1


def test_the_nuclear_stain_leaves_a_scene_as_it_is():
    c = chip()
    scenes, _, rows = c.scenes(0)
    assert stained(scenes["tumour"], rows["tumour"], "nuclear") is scenes["tumour"]


def test_brightfield_shows_both_populations_in_one_channel_with_masks_of_whole_cells():
    c = chip({"mode": "brightfield_chip"}, n_frames=3)
    images, masks = movie(c), np.stack(list(c.label_frames()))
    assert images.shape == (3, 1, 96, 112) and masks.shape == (3, 2, 96, 112) and c.channel_names() == ["brightfield"]
    for channel, radius in ((0, 9.0), (1, 2.6)):
        count = np.bincount(masks[0, channel].ravel())[1:]
        found = np.sqrt(np.median(count[count > 8]) / np.pi) * c.pixel_um
        assert found == pytest.approx(radius, rel=0.2)
    np.testing.assert_array_equal(movie(chip({"mode": "brightfield_chip"}, n_frames=3)), images)


def test_fibres_move_slowly_and_the_medium_is_grey():
    empty = {"tumour_density_mm2": 0, "immune_density_mm2": 0, "n_frames": 20}
    quiet = {"fibre_contrast": 0.8, "bubbles_per_mm2": 0.0, "haze_per_mm2": 0.0, "medium_photons": 20000.0}
    images = movie(chip({"mode": "brightfield_chip", "debris": 0.0, "gain": 1.0}, quiet, **empty)).astype(float)[:, 0]
    change = [np.abs(images[k] - images[0]).mean() for k in (1, 6, 19)]
    assert change[0] < change[1] < change[2] and change[2] < 2 * images[0].std()
    assert images.std() > 200


def sides_of(cfg):
    """{name: {"train": whether training may draw the value, "test": whether scores may}} of a section simulate."""
    mode, values = cfg["imaging"]["mode"], as_ranges(cfg)
    assert set(values) == set(ranges.COMBED[mode])
    return {name: {s: any(a <= value <= b for a, b in ranges.teeth(mode, name, s)) for s in ranges.SIDES} for name, value in values.items()}


@pytest.mark.parametrize("mode", ranges.MODES)
@pytest.mark.parametrize("level", ranges.LEVELS)
def test_every_difficulty_lies_in_the_test_teeth_and_not_in_those_of_training(mode, level):
    cfg = with_difficulty({**worlds.section(seed=100, difficulty=level), "imaging": {**worlds.section()["imaging"], "mode": mode}})
    assert all(sides == {"train": False, "test": True} for sides in sides_of(cfg).values()), sides_of(cfg)
    for name, value in as_ranges(cfg).items():
        assert any(a <= value <= b for a, b in ranges.allowed(mode, name, "test", level)), (name, value)
    assert of_training(cfg) == []


@pytest.mark.parametrize("mode", ranges.MODES)
def test_what_the_workflow_scores_unless_told_otherwise_is_of_no_training_range(mode):
    cfg = worlds.defaults()
    cfg["imaging"] = {**cfg["imaging"], "mode": mode}
    assert not any(sides["train"] for sides in sides_of(cfg).values()), sides_of(cfg)
    assert cfg["seed"] not in ranges.TRAIN_SEEDS and of_training(cfg) == []
    power = yaml.safe_load((worlds.ROOT / "workflow/schemas/score.schema.yaml").read_text())["properties"]["power"]["properties"]
    assert not set(power["seeds"]["default"]) & set(ranges.TRAIN_SEEDS)
    for path in [worlds.ROOT / "config/config.yaml", *worlds.ROOT.glob("config/examples/*/*.yaml")]:
        written = yaml.safe_load(path.read_text()).get("simulate") or {}
        mixed = {**cfg, **written, "imaging": {**cfg["imaging"], **written.get("imaging", {})}}
        assert of_training(mixed) == [], path


def test_a_movie_made_of_what_models_are_trained_on_says_so():
    cfg = worlds.section(seed=7)
    cfg["imaging"] = {**cfg["imaging"], "signal_photons": 320}
    trained = of_training(cfg)
    assert trained[0] == "seed 7" and "photons 320" in trained
    said = SimulatedChip(worlds.model(), {**cfg, "n_frames": 3}, "a", worlds.PLAIN).provenance()
    assert said["test_range"] is False and said["training_values"] == trained
    said = SimulatedChip(worlds.model(), {**worlds.defaults(), "n_frames": 3}, "a", worlds.PLAIN).provenance()
    assert said["test_range"] is True and said["training_values"] == []


def test_every_step_of_the_ladder_is_harder():
    steps = [ladder(level) for level in ranges.LEVELS]
    for part in (lambda s: {k: v for k, v in s.items() if k != "imaging"}, lambda s: s["imaging"], lambda s: s["imaging"]["brightfield"]):
        for key, values in {key: [part(s)[key] for s in steps] for key in part(steps[0])}.items():
            if key in ("brightfield", "imaging", "pixel_size_um", "background_photons"):
                continue
            easier_down = key in ("signal_photons", "medium_photons", "contrast")
            assert values == sorted(values, reverse=easier_down) and values[0] != values[3], key


def test_a_movie_of_a_difficulty_may_not_use_a_seed_of_training():
    for seed in (0, 1, 99):
        with pytest.raises(ranges.RangeError, match=f"the seed {seed} belongs to training and tuning"):
            settled(section(difficulty="medium", seed=seed))
    cfg = settled(section(difficulty="medium", seed=100))
    assert cfg["imaging"]["brightness_sd"] == ladder("medium")["imaging"]["brightness_sd"] and cfg["height"] == 96


@pytest.mark.parametrize(
    ("imaging", "brightfield", "changes", "words"),
    [
        ({"mode": "brightfield_chip", "channels": [{"name": "a", "shows": ["tumour"]}]}, {}, {}, "simulate.imaging.channels names 1 dyes, but mode brightfield_chip shows one image without a dye"),
        ({"channels": [{"name": "a", "shows": ["tumour"]}, {"name": "a", "shows": ["immune"]}]}, {}, {}, "simulate.imaging.channels names 'a' twice"),
        ({"channels": [{"name": "a", "shows": ["caf"]}]}, {}, {}, "simulate.imaging.channels shows 'caf' in 'a', but the model 'tumour_on_chip' has no such cells"),
        ({"psf_sigma_um": 5.0}, {}, {}, "simulate.imaging.psf_sigma_um is 5 um, a blur of 6.2 px at 0.8 um a pixel; nothing beyond 4 px is drawn; give at most 3.2 um"),
        ({"signal_photons": 30000.0}, {}, {}, "simulate.imaging.signal_photons gives an average pixel 90284 counts with simulate.imaging.gain 3"),
        ({"mode": "brightfield_chip"}, {"medium_photons": 30000.0}, {}, "simulate.imaging.brightfield.medium_photons gives an average pixel 90200 counts"),
        ({"drift_um_h": 300.0}, {}, {}, "simulate.imaging.drift_um_h moves the stage by 150 um in 0.5 h, more than half of the 77 um that a frame shows"),
        ({"jitter_um": 20.0}, {}, {}, "simulate.imaging.jitter_um is 20 um, more than a tenth of the 77 um that a frame shows"),
        ({"mode": "brightfield_chip"}, {}, {"pixel_size_um": 3.0}, "simulate.imaging.brightfield.immune_radius_um is 2.6 um, 0.87 px at 3 um a pixel"),
    ],
)  # fmt: skip
def test_settings_that_no_image_can_have_are_refused(imaging, brightfield, changes, words):
    with pytest.raises(ImagingError) as caught:
        settled(section(imaging, brightfield, **changes), worlds.model())
    assert words in str(caught.value)
