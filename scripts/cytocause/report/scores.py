"""The scorecard on the page: a figure with one line a score, hand-over by hand-over, and the table behind it.

    Masks      seen at all, F1            ├──●─┤          0.96   0.94 to 0.97
               drawn right, AP at 0.75  ├───●──┤          0.81   0.77 to 0.86
    Tracks     links, LNK                      ├●┤        0.99   ...

The dot is the pooled figure (hollow at the edge where it lies beyond, as a negative R2 does), the bar its 95 % interval over
chips, small dots are populations. Shares only (0 is worst, 1 is perfect); errors with a unit are in the table.
"""

from cytocause.report import svg
from cytocause.report.names import short

GROUPS = (  # hand-over, (key, label in the figure, label in the table)
    (
        "Masks",
        ("segment.detection_f1", "cells seen, F1", "Masks: cells seen at all, F1"),
        ("segment.ap50", "AP at IoU 0.5", "Masks: average precision at IoU 0.5"),
        ("segment.ap75", "AP at IoU 0.75", "Masks: average precision at IoU 0.75"),
        ("segment.seg", "outlines, SEG", "Masks: overlap of outlines (SEG)"),
    ),
    (
        "Tracks",
        ("track.lnk", "links, LNK", "Tracks: linking score (LNK)"),
        ("track.chota", "lineages, CHOTA", "Tracks: lineages kept together (CHOTA)"),
        ("track.division_f1", "divisions, F1", "Divisions: F1"),
        ("track.complete_lineages", "complete lineages", "Tracks: lineages without any error"),
    ),
    (
        "Fates",
        ("fate.division_f1", "division events, F1", "Division events: F1"),
        ("fate.death_f1", "deaths, F1", "Deaths: F1"),
        ("fate.phase_accuracy", "phases", "Phases: rows named rightly"),
    ),
    ("Features",),
    (
        "Graph",
        ("infer.summary_f1", "what acts on what, F1", "Graph: what acts on what, whatever the lag, F1"),
        ("infer.skeleton_f1", "pairs joined, F1", "Graph: which pairs are joined, F1"),
        ("infer.direct_f1", "direct pairs, F1", "Graph: pairs of the model's own links, F1"),
        ("infer.lag_f1", "lags, F1", "Graph: lags, F1"),
        ("infer.arrowhead_f1", "arrowheads, F1", "Graph: arrowheads, F1"),
        ("infer.tail_f1", "tails, F1", "Graph: tails, F1"),
        ("infer.condition_f1", "edges of conditions, F1", "Graph: edges of conditions, F1"),
    ),
)
WITH_UNIT = (
    ("fate.division_onset_error_min", "Divisions: median onset error, min"),
    ("fate.division_onset_bias_min", "Divisions: bias of the onset, min"),
    ("fate.death_onset_error_min", "Deaths: median onset error, min"),
    ("fate.death_onset_bias_min", "Deaths: bias of the onset, min"),
)
FALSE_EDGES = (  # numbers, so in the table only
    ("infer.false_directed_edges", "Graph: false edges of what acts on what"),
    ("infer.false_edges_condition_to_x", "of them from or to a condition"),
    ("infer.false_edges_contact_to_fate", "of them from contact to a fate"),
    ("infer.false_edges_lag_0", "of them without a lag"),
    ("infer.false_edges_same_cell", "of them the rest, within one cell"),
)
LIMITS = (
    ("measure.features_without_truth", "Features: number without a true value"),
    ("score.test_range", "Simulated with nothing that models are trained on"),
)
LABEL, WIDTH, LINE, NUMBERS = 250, 860, 21, 170


def score(card):
    """The scorecard's figures, pooled and by population, and their picture; None without a card.

    Returns
    -------
    dict: rows (list of {label, key, value, interval, precision, recall, populations, note}), populations, samples (number),
    chips (number or None), figure (SVG), false (number of false edges of conditions, or None)
    """
    if not card:
        return None
    populations = sorted(card.get("populations") or {})
    features = sorted(key.removeprefix("measure.").removesuffix("_r2") for key in card if key.startswith("measure.") and key.endswith("_r2"))
    rows = []
    for group, *lines in GROUPS:
        rows += [_row(card, key, label, populations) for key, _, label in lines if key in card]
        rows += [_row(card, key, label, populations) for key, label in {"Fates": WITH_UNIT, "Graph": FALSE_EDGES}.get(group, ()) if key in card]
        if group == "Features":
            for name in features:
                rows.append(_row(card, f"measure.{name}_r2", f"{name}: R²", populations))
                rows.append(_row(card, f"measure.{name}_bias", f"{name}: bias, in its unit", populations))
    rows += [_row(card, key, label, populations) for key, label in LIMITS if key in card]
    return {
        "rows": rows,
        "populations": populations,
        "samples": len(card.get("samples") or {}),
        "chips": (card.get("bootstrap") or {}).get("chips"),
        "figure": picture(card, populations, features),
        "false": card.get("infer.false_condition_edges"),
    }


def _row(card, key, label, populations):
    stem, value = key.removesuffix("_f1"), card[key]
    return {
        "label": label,
        "key": key,
        "value": ("no", "yes")[value] if isinstance(value, bool) else short(value, 3),
        "interval": interval(card, key),
        "precision": short(card.get(f"{stem}_precision"), 3) if f"{stem}_precision" in card else "",
        "recall": short(card.get(f"{stem}_recall"), 3) if f"{stem}_recall" in card else "",
        "populations": [short(card["populations"][p].get(key), 3) if key in card["populations"][p] else "" for p in populations],
        "note": (card.get("notes") or {}).get(key, ""),
    }


def interval(card, key):
    """ "0.94 to 0.97" of a figure's interval over chips; "" where there is none."""
    bounds = (card.get("intervals") or {}).get(key)
    return f"{short(bounds[0], 3)} to {short(bounds[1], 3)}" if bounds else ""


def picture(card, populations, features):
    """The figure as SVG: shares from 0 to 1, one line a score, grouped by hand-over; a score without a value says why."""
    lines = []
    for group, *known in GROUPS:
        here = [(key, label) for key, label, _ in known if key in card]
        if group == "Features":
            here = [(f"measure.{name}_r2", f"{name}, R²") for name in features]
        lines += [(group if k == 0 else "", key, label) for k, (key, label) in enumerate(here)]
    right = WIDTH - NUMBERS
    x = svg.scale(0.0, 1.0, LABEL, right)
    bottom = 14 + sum(LINE + (7 if group else 0) for group, _, _ in lines)
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(svg.line(x(tick), 8, x(tick), bottom, "grid"))
        parts.append(svg.text(x(tick), bottom + 15, svg.tick_text(tick), "tick", "middle"))
    y = 4.0
    for group, key, label in lines:
        if group:
            y += 7
            parts.append(svg.line(0, y, WIDTH, y, "grid"))
            parts.append(svg.text(0, y + LINE - 6, group, "group"))
        y += LINE
        parts += _line(card, key, label, populations, x, y - LINE / 2 + 1)
    return svg.svg(WIDTH, bottom + 22, parts, "scores at every hand-over, with 95 % intervals over chips", "chart wide")


def _line(card, key, label, populations, x, y):
    value, note = card[key], (card.get("notes") or {}).get(key, "")
    parts = [svg.text(LABEL - 12, y + 4, label, "tick", "end")]
    if value is None:
        return [*parts, svg.text(x(0) + 8, y + 4, note or "no value", "note")]

    def at(number):
        return x(min(1.0, max(0.0, number)))

    bounds = (card.get("intervals") or {}).get(key)
    if bounds:
        parts.append(svg.line(at(bounds[0]), y, at(bounds[1]), y, "reach"))
    for i, population in enumerate(populations):
        own = card["populations"][population].get(key)
        if own is not None and len(populations) > 1:
            hover = svg.esc(f"{population}: {short(own, 3)}")
            parts.append(f'<circle cx="{svg.num(at(own))}" cy="{svg.num(y)}" r="3.2" class="dot c{i}"><title>{hover}</title></circle>')
    hover, css = svg.esc(f"{label}: {short(value, 3)}"), "pooled" if 0 <= value <= 1 else "pooled beyond"
    parts.append(f'<circle cx="{svg.num(at(value))}" cy="{svg.num(y)}" r="5" class="{css}"><title>{hover}</title></circle>')
    parts.append(svg.text(WIDTH - NUMBERS + 46, y + 4, short(value, 3), "tick", "end"))
    return [*parts, svg.text(WIDTH, y + 4, interval(card, key), "note", "end")]
