"""The page: one file, nothing from outside, right for full, empty and failed experiments, and in a browser."""

import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from cytocause.report.page import build, failed_names, failed_parts, films, make_experiment, sections, unit_name
from cytocause.report.scores import score
from tests.report import experiment


@pytest.fixture(scope="module")
def page():
    return build(experiment.data())


def outside(html):
    """Everything in the page that would ask for something outside it."""
    wanted = re.findall(r"""(?:src|href|poster|data|action|srcset)\s*=\s*["']([^"']*)["']""", html)
    wanted += re.findall(r"url\(([^)]*)\)", html) + re.findall(r"@import[^;]*", html)
    return [u for u in wanted if not u.startswith(("#", "data:"))]


def test_the_page_holds_everything_it_shows(page):
    assert outside(page) == []
    assert "http://" not in page and "https://" not in page
    assert "<script" not in page and "<iframe" not in page and "<link rel=\"stylesheet\"" not in page


def test_the_page_says_what_eight_chips_cannot_decide(page):
    assert "Eight chips cannot decide a CAF_presence effect (smallest attainable p 0.056)." in page
    assert "72 cells gave" in page and "as if they were independent" in page
    assert "Eight chips cannot decide a treatment effect (smallest attainable p 0.056)." in page


def test_every_edge_has_a_card_with_dots_numbers_and_a_sentence():
    context = sections(experiment.data())
    assert len(context["cards"]) == 10 and context["cards_left_out"] == 0
    death = next(c for c in context["cards"] if c["target_column"] == "death" and c["source_column"] == "n_immune_r1")
    assert death["lag"] == "20, 30 min (2, 3 frames)" and len(death["charts"]) == 2
    assert death["charts"][0]["svg"].count("<circle") == 8
    assert "onsets of death" in death["charts"][1]["caption"]
    assert death["verdict"].startswith("Positive in")
    condition = next(c for c in context["cards"] if c["source_column"] == "CAF_presence" and c["target_column"] == "death")
    assert condition["undecided"] and condition["charts"][0]["svg"].count("<circle") == 8
    assert condition["table"]["head"] == ["CAF_presence", "dates", "chips", "cells", "rows", "deaths", "deaths per 100 cell hours"]
    assert [row[:4] for row in condition["table"]["rows"]] == [["0", 1, 4, "36"], ["1", 1, 4, "36"]]


def test_the_card_of_a_condition_counts_every_level_that_the_experiment_has():
    data = experiment.data()
    for condition in data["design"]["conditions"]:
        for k, value in enumerate(condition["values"]):
            value["units"].update(donor=k + 1, position=5 + k, region=20)
    card = next(c for c in sections(data)["cards"] if c["source_column"] == "CAF_presence")
    assert card["table"]["head"][:8] == ["CAF_presence", "dates", "donors", "chips", "positions", "regions", "cells", "rows"]
    assert [row[1:6] for row in card["table"]["rows"]] == [[1, 1, 4, 5, 20], [1, 2, 4, 6, 20]]
    data["design"] = None
    card = next(c for c in sections(data)["cards"] if c["source_column"] == "CAF_presence")
    assert card["table"]["head"][:4] == ["CAF_presence", "chips", "cells", "rows"]


def test_films_are_embedded_within_the_budget():
    data = experiment.data()
    every = sections(data)["films"]
    assert [sum(f["film"] is not None for f in g["entries"]) for g in every] == [2, 2, 2, 2]
    size = next(iter(data["films"].values()))[0]
    data["cfg"]["film_budget_mb"] = 1.5 * size / 1e6
    assert sum(f["film"] is not None for g in sections(data)["films"] for f in g["entries"]) == 1
    data["cfg"].update(film_budget_mb=12, films=["chip4"])
    assert {f["sample"] for g in sections(data)["films"] for f in g["entries"] if f["film"]} == {"chip4"}


def test_a_graph_without_edges():
    page = build(experiment.data(edges=[]))
    assert "No edge between two different variables was found" in page and 'id="edges"' not in page


def without_rows(data):
    data["table"] = data["table"].iloc[:0]
    data["design"] = {**data["design"], "conditions": [], "cells": [], "trajectories": 0, "rows": 0, "events": {}}
    data["graph"] = {"nodes": [], "edges": []}
    data["edges"] = data["edges"].iloc[:0]
    return data


def test_an_experiment_whose_samples_all_failed():
    data = without_rows(experiment.data())
    names = [s["sample"] for s in data["cfg"]["samples"]]
    data["failed"] = pd.DataFrame(
        {"sample": names, "failed_at": "prepare", "reason": "The movie is <cut> off.", "todo": "Copy it again."}
    )
    for key in ("qc", "counts", "segment", "tracks"):
        data[key] = {}
    data["events"] = {key: table.iloc[:0] for key, table in data["events"].items()}
    page = build(data)
    assert "There is no table to learn from: 8 of 8 samples failed." in page
    assert page.count("The movie is &lt;cut&gt; off.") == 8
    assert "<video" not in page and "no variables" in page
    assert outside(page) == []


def test_a_sample_of_which_only_the_other_population_failed_is_still_shown():
    data = experiment.data()
    followed, other = data["cfg"]["populations"][:2]
    data["design"]["population"] = followed
    row = {"sample": "chip1", "failed_at": "segment", "reason": "No cell was found.", "todo": "Look."}
    data["failed"] = pd.DataFrame([{**row, "population": other}])
    assert failed_names(data) == [] and failed_parts(data) == {("chip1", other)}
    shown = {(e["sample"], e["population"]) for group in films(data, [("", ["chip1"])]) for e in group["entries"]}
    assert ("chip1", other) not in shown and shown == {key for key in data["stills"] if key == ("chip1", followed)}
    assert "sample failed" not in re.sub(r"<[^>]+>", "", build(data))
    data["failed"] = pd.DataFrame([{**row, "population": followed}])
    assert failed_names(data) == ["chip1"]


def test_doses_stay_in_their_order_where_the_reference_is_not_the_lowest():
    data = experiment.data()
    data["cfg"]["conditions"][0] |= {"kind": "ordered", "reference": 1}
    for k, s in enumerate(data["cfg"]["samples"]):
        s["conditions"]["treatment"] = (1, 0, 10, 2)[k % 4]
    data["design"]["conditions"] = []
    made = make_experiment(data, [])
    assert made.condition("treatment")["values"] == [0, 1, 2, 10]


def test_one_sample_no_condition_no_event_no_time():
    data = experiment.data()
    data["cfg"]["samples"] = [{"sample": "chip1", "conditions": {}, "levels": {}}]
    data["cfg"]["conditions"] = []
    data["table"] = data["table"][data["table"]["sample"] == "chip1"].assign(death=0, division=0)
    data["design"] = {"chip_level": "sample", "time_step_min": None, "events": {"death": 0, "division": 0}}
    data["graph"]["edges"] = [{**experiment.edge("area_um2", "eccentricity", 1), "lag_min": None, "lag_frames": None}]
    data["meta"] = {"chip1": {"n_frames": 40, "unit": "px", "pixel_size_um": None, "frame_interval_min": None}}
    page = build(data)
    assert "The pixel size is unknown for all samples: their lengths are in pixels" in page
    assert "in time steps of unknown length" in page
    assert "1 step" in page and "One sample:" in page
    assert "The experiment has no conditions." in page


def test_many_samples_and_edges_are_capped():
    data = experiment.data(n_per_cell=8)
    data["cfg"].update(max_samples=5, max_cards=3)
    context = sections(data)
    assert len(context["quality"]["lines"]) == 5 and context["quality"]["left_out"] == 27
    assert len(context["cards"]) == 3 and context["cards_left_out"] == 7
    assert sum(len(g["entries"]) for g in context["films"]) == 10


def test_empty_cells_and_confounding_are_among_the_open_questions():
    data = experiment.data()
    data["design"]["empty_cells"] = [{"treatment": 1, "CAF_presence": 1}]
    data["design"]["confounded"] = [{"condition": "treatment", "level": "date", "detail": "Every date has one value of treatment only."}]
    texts = sections(data)["open_questions"]
    assert "No chip has treatment 1, CAF_presence 1, so the conditions' joint effect there is unknown." in texts
    assert "Every date has one value of treatment only." in texts


def test_a_condition_that_varies_inside_a_chip_is_compared_between_samples():
    data = experiment.data()
    for s in data["cfg"]["samples"]:
        s["levels"] = {"chip": f"c{s['conditions']['treatment']}"}
    card = next(c for c in sections(data)["cards"] if c["source_column"] == "CAF_presence")
    assert card["table"]["head"][:5] == ["CAF_presence", "dates", "chips", "samples", "cells"]
    assert card["charts"][0]["svg"].count("<circle") == 8


def test_chips_of_several_dates_are_also_compared_within_their_date():
    data = experiment.data()
    for i, s in enumerate(data["cfg"]["samples"]):
        s["levels"]["date"] = f"d{i % 2}"
    card = next(c for c in sections(data)["cards"] if c["source_column"] == "CAF_presence")
    assert any("within their date only: p" in fact and "smallest attainable 0.12" in fact for fact in card["facts"])


def test_an_event_by_another_name_is_counted_from_the_table():
    data = experiment.data()
    data["table"] = data["table"].rename(columns={"death": "apoptosis"})
    data["variables"] = data["variables"].replace("death", "apoptosis")
    data["graph"]["edges"] = [experiment.edge("CAF_presence", "apoptosis", sign="-")]
    context = sections(data)
    assert any(t["what"] == "apoptosis events in the table" and t["number"] == "37" for t in context["tiles"])
    assert context["cards"][0]["table"]["head"][-1] == "apoptosis events per 100 cell hours"


def test_chips_of_two_dates_are_different_chips():
    assert unit_name("s", {"date": "d1", "chip": 3}, "chip") == "d1 3"
    assert unit_name("s", {"chip": 3}, "sample") == "s"


def test_score_rows_that_do_not_exist_say_so():
    data = experiment.data()
    data["scorecard"] = {
        "segment.ap50": 0.94,
        "segment.ap50_precision": 0.97,
        "segment.ap50_recall": 0.96,
        "track.lnk": 0.99,
        "fate.death_f1": None,
        "intervals": {"segment.ap50": [0.92, 0.96]},
        "bootstrap": {"chips": 2},
        "notes": {"fate.death_f1": "no true death and no found one"},
        "populations": {"tumour": {"segment.ap50": 0.95, "track.lnk": 0.99}},
        "samples": {"chip1": {}},
        "infer.false_condition_edges": 1,
    }
    page = build(data)
    figure = page[page.index('aria-label="scores at every hand-over') :]
    figure = figure[: figure.index("</svg>")]
    assert "no true death and no found one" in figure and figure.count('class="pooled"') == 2 and figure.count('class="reach"') == 1
    assert "0.920 to 0.960" in figure and "0.920 to 0.960" in page.replace(figure, "")
    assert "no true death and no found one" in page and "0.940" in page and "False edges of conditions in this experiment: 1." in page


def test_the_picture_of_scores_stays_between_nought_and_one_and_says_the_number():
    card = {"measure.area_um2_r2": -3.5, "measure.area_um2_bias": 2.0, "populations": {}, "intervals": {"measure.area_um2_r2": [-9.0, 0.2]}}
    context = score(card)
    assert [row["key"] for row in context["rows"]] == ["measure.area_um2_r2", "measure.area_um2_bias"]
    assert 'class="pooled beyond"' in context["figure"] and "-3.5" in context["figure"]
    assert all(0 <= float(x) <= 860 for x in re.findall(r'(?:x1|x2|cx)="([-\d.]+)"', context["figure"]))
    assert score(None) is None


def test_the_same_data_give_the_same_page_but_for_the_footer():
    one, two = experiment.data(), experiment.data()
    two["written"] = "another day"
    assert build(one).replace(one["written"], "") == build(two).replace(two["written"], "")
    assert build(one).count(one["written"]) == 1


def test_names_from_outside_cannot_break_the_page():
    data = experiment.data()
    data["cfg"]["title"] = "<script>alert(1)</script>"
    evil = "<b>&\"chip'"
    data["cfg"]["samples"][0]["levels"]["chip"] = evil
    page = build(data)
    assert "<script>alert" not in page and evil not in page and "&lt;b&gt;" in page


def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        reason = "Chromium is not installed (Debian package chromium), so the page is not opened in a browser."
        pytest.fail(reason) if os.environ.get("CYTOCAUSE_REQUIRE_ALL") == "1" else pytest.skip(reason)
    return program


@pytest.mark.timeout(180)
def test_a_browser_shows_the_page_without_asking_the_network(page, tmp_path):
    program = chromium()
    file, log = tmp_path / "report.html", tmp_path / "net.json"
    file.write_text(page, encoding="utf-8")
    command = [
        program,
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"),
        *("--disable-background-networking", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}"),
        *(f"--log-net-log={log}", "--net-log-capture-mode=Everything", "--virtual-time-budget=4000", "--dump-dom"),
        file.as_uri(),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=150)
    dom = done.stdout
    assert "cannot decide a CAF_presence effect (smallest attainable p 0.056)" in dom
    assert dom.count("<video") == 8 and dom.count("<article") == 10
    assert len(re.findall(r'<svg class="graph"', dom)) == 1
    assert outside(dom) == []
    asked = set(re.findall(r'"url":"https?://([^/"]*)', log.read_text(errors="ignore")))
    assert all(host.endswith((".google.com", ".googleapis.com", ".gstatic.com")) for host in asked), asked  # the browser's own
    assert "Refused to" not in done.stderr


def test_pictures_are_small(page):
    assert len(page) < 3e6
    assert np.isfinite(len(page))
