"""What a model is trained on: whose cells of a frame, of which diameter, on which grey scale."""

import numpy as np
import pytest

from cytocause.segment.recipe import RECIPES, pick, scored, target
from cytocause.segment.train import typical_diameter


def squares(sizes, side=60):
    """Labels with a square of each of these sides, in a row."""
    labels, x = np.zeros((side, side), np.int32), 0
    for number, size in enumerate(sizes, 1):
        labels[2 : 2 + size, x : x + size] = number
        x += size + 1
    return labels


def test_the_typical_diameter_is_that_of_the_large_cells_however_many_small_ones_there_are():
    assert typical_diameter(squares([14, 3, 3, 3, 3, 3, 3])) == pytest.approx(14 * np.sqrt(4 / np.pi))
    assert typical_diameter(squares([12])) == typical_diameter(squares([12, 12])) == pytest.approx(12 * np.sqrt(4 / np.pi))
    assert typical_diameter(np.zeros((5, 5), np.int32)) == 17.0


@pytest.fixture
def frame():
    """Labels of a tumour cell and of three immune cells."""
    return np.stack([squares([14]), squares([0, 4, 4, 4])])


def test_two_channels_show_a_population_each(frame):
    image = np.stack([np.full((60, 60), 1.0), np.full((60, 60), 2.0)])
    recipe = RECIPES["toc-nuclei"]
    picked = [pick(recipe, index, image, frame) for index in range(20)]
    immune = [index for index, (pixels, _, _) in enumerate(picked) if pixels[0, 0] == 2]
    assert immune == [9, 19]
    assert (picked[9][1] == frame[1]).all() and (picked[8][1] == frame[0]).all()
    assert list(scored(recipe, [(image, frame)])) == ["tumour"]


def test_one_image_shows_both_and_each_is_asked_for_by_its_own_diameter(frame):
    found = scored(RECIPES["toc-brightfield"], [(np.ones((1, 60, 60)), frame)] * 6)
    assert {name: len(part) for name, part in found.items()} == {"tumour": 6, "immune": 2}
    for part, labels in zip(found.values(), frame):
        assert all((of == labels).all() and diameter == typical_diameter(labels) for _, of, diameter in part)
    assert found["tumour"][0][2] > 3 * found["immune"][0][2]


def test_without_immune_cells_an_image_of_both_is_about_tumour_cells(frame):
    image, alone, recipe = np.ones((1, 60, 60)), np.stack([frame[0], 0 * frame[1]]), RECIPES["toc-brightfield"]
    assert list(scored(recipe, [(image, alone)] * 4)) == ["tumour"]
    assert all((pick(recipe, index, image, alone)[1] == frame[0]).all() for index in range(8))


def test_a_frame_is_float32_and_its_own_copy(frame):
    image = np.ones((1, 60, 60), np.float32)
    pixels = target(image, frame, 0)[0]
    pixels[:] = 5
    assert pixels.dtype == np.float32 and (image == 1).all()
