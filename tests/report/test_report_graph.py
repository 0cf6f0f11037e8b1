"""The graph's picture holds all of its lines and labels."""

import re

from cytocause.report.graph import draw
from cytocause.report.marks import arrows
from tests.report.experiment import edge

FEATURES = ["area_um2", "eccentricity", "speed_um_min"]


def extent(picture):
    """Width of the picture, and the smallest and largest x of its curves' middles and of its labels."""
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', picture).group(1))
    shift = float(re.search(r"translate\((-?[\d.]+)", picture).group(1))
    xs = []
    for x0, xc, x1 in re.findall(r'd="M(-?[\d.]+) -?[\d.]+Q(-?[\d.]+) -?[\d.]+ (-?[\d.]+)', picture):
        xs.append(0.25 * float(x0) + 0.5 * float(xc) + 0.25 * float(x1) + shift)
    for x, w in re.findall(r'<rect x="(-?[\d.]+)" y="-?[\d.]+" width="([\d.]+)" height="16"', picture):
        xs += [float(x) + shift, float(x) + float(w) + shift]
    return width, min(xs), max(xs)


def picture(edges, states):
    found, own = arrows(edges)
    return draw([*FEATURES, "division"], found, own, conditions=[], states=states)


def test_arrows_within_the_first_column_are_not_cut_off():
    edges = [edge(a, b, lag) for lag in (1, 2, 3) for a in FEATURES for b in FEATURES if a != b]
    width, west, east = extent(picture([*edges, edge("area_um2", "division", 1)], ["division"]))
    assert 0 <= west and east <= width


def test_a_picture_without_such_arrows_keeps_its_width():
    width, west, east = extent(picture([edge("area_um2", "division", 1)], ["division"]))
    assert width == 1000 and 0 <= west and east <= width


def test_a_pair_of_one_definition_has_a_colour_of_its_own():
    masks = picture([edge("area_um2", "eccentricity", 1)], ["division"])
    assert "definition" in masks and "definition" not in picture([edge("area_um2", "speed_um_min", 1)], ["division"])
    called = [{**edge("area_um2", "division", 3), "lag_min": lag} for lag in (30.0, 40.0)]
    assert "definition" in picture(called[:1], ["division"]) and "definition" not in picture(called, ["division"])
