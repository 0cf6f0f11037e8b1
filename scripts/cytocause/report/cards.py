"""One card per arrow: its claim, one dot per chip, the cause around the effect's onset, and the numbers behind them."""

import numpy as np

from cytocause.report import charts
from cytocause.report.evidence import (
    around_onset,
    event_rate,
    is_state,
    lagged_correlation,
    mean_per_unit,
    onsets,
)
from cytocause.report.marks import lag_text, number
from cytocause.report.names import counted, events_of, listed, short, spoken, with_unit
from cytocause.report.permutation import permutation_p
from cytocause.report.sentences import KIND_LABELS, capital, claim, verdict

LEVELS = ("date", "donor", "chip", "position", "region")


class Experiment:
    """What the cards need to know about the table.

    rows : {"chip" | "sample": Rows}, the same rows with chips or samples as units
    conditions : list of {name, kind, reference, values} and, where the design is known, units: for each value {level: number of units or None}
    of_unit : {"chip" | "sample": {unit name: {condition: value}}}, a value None where it varies inside the unit
    states : names of event variables
    step_min, step_frames : length of a time step, None when unknown
    date_of : {"chip" | "sample": {unit name: date}} where the sheet has dates
    units : {variable: unit} as far as the table says it
    unit_word : "chip", or "sample" where the sheet has no chips
    """

    def __init__(self, rows, conditions, of_unit, step_min, unit_word, window_steps=6, permutations=20000, seed=0, units=None, date_of=None):
        self.rows, self.conditions, self.of_unit = rows, conditions, of_unit
        self.names = [c["name"] for c in conditions]
        self.states = [name for name in rows["chip"].values if name not in self.names and is_state(rows["chip"], name)]
        self.step_min, self.unit_word = step_min, unit_word
        self.window_steps, self.permutations, self.seed = window_steps, permutations, seed
        self.units = units or {}
        self.date_of = date_of or {"chip": {}, "sample": {}}

    def titled(self, name):
        """A variable as words with its unit."""
        return with_unit(name, self.names, self.units)

    def condition(self, name):
        """The config's entry of a condition."""
        return next(c for c in self.conditions if c["name"] == name)

    def level_of(self, kind, name):
        """Units that a condition is compared between: chips, or samples where it varies inside a chip."""
        if any(values.get(name) is None for values in self.of_unit["chip"].values()):
            return "sample"
        return kind

    def groups(self, kind, without=()):
        """Combination of conditions of each unit, as a tuple of "name value" words."""
        names = [c["name"] for c in self.conditions if c["kind"] != "continuous" and c["name"] not in without]
        return [
            tuple(f"{n} {shown(self.of_unit[kind][u].get(n))}" for n in names) for u in self.rows[kind].units.tolist()
        ]


def shown(value):
    """A condition's value as in the sheet."""
    if value is None:
        return "mixed"
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def card(arrow, index, experiment, contributors=True):
    """The context of one card.

    Returns
    -------
    dict: id, title, kind, kind_label, sign, lag, claim, charts (list of {svg, caption}), facts (list of sentences),
    table {head, rows} or None, verdict (str or "")
    """
    lag = lag_text(arrow.edges)
    context = {
        "id": f"edge-{index + 1}",
        "source": spoken(arrow.source, experiment.names),
        "target": spoken(arrow.target, experiment.names),
        "source_column": arrow.source,
        "target_column": arrow.target,
        "kind": arrow.kind,
        "kind_label": KIND_LABELS[arrow.kind],
        "sign": {"+": "more", "-": "less"}.get(arrow.sign, "neither"),
        "lag": lag,
        "claim": claim(arrow, conditions=experiment.names, states=experiment.states, lag=lag),
        "charts": [],
        "facts": [],
        "table": None,
        "verdict": "",
        "undecided": False,
    }
    values = experiment.rows["chip"].values
    if arrow.source not in values or arrow.target not in values or len(experiment.rows["chip"]) == 0:
        context["facts"].append("The table at hand has no values of this pair, so there is nothing to draw.")
    elif arrow.source in experiment.names:
        _condition_card(context, arrow, experiment)
    else:
        _feature_card(context, arrow, experiment)
    context["facts"].append(_strength(arrow, experiment))
    return context


def outcome(rows, name, experiment):
    """Chip-level value of a variable and what to call it: the event's rate, or the mean."""
    if name in experiment.states:
        per = "100 cell hours" if experiment.step_min else "100 cell steps"
        return event_rate(rows, name, experiment.step_min), f"{events_of(spoken(name))} per {per}"
    return mean_per_unit(rows, name), f"mean {experiment.titled(name)}"


def test_condition(condition, target, experiment, within_dates=False):
    """permutation_p of a condition on a variable over its units, with what went in.

    within_dates : units change places only with units of the same date; None is returned where there is one date or none

    Returns
    -------
    dict of permutation_p and: kind ("chip" | "sample"), values (n_units,), codes (n_units,), strata, title
    """
    kind = experiment.level_of("chip", condition["name"])
    rows = experiment.rows[kind]
    values, title = outcome(rows, target, experiment)
    levels = [experiment.of_unit[kind][u].get(condition["name"]) for u in rows.units.tolist()]
    if condition["kind"] == "continuous":
        codes = np.array([np.nan if v is None else float(v) for v in levels])
    else:
        order = {shown(v): i for i, v in enumerate(condition["values"])}
        codes = np.array([float(order.get(shown(v), np.nan)) for v in levels])
    strata = experiment.groups(kind, without=(condition["name"],))
    if within_dates:
        dates = [experiment.date_of[kind].get(u) for u in rows.units.tolist()]
        if len(set(dates)) < 2 or None in dates:
            return None
        strata = [(*stratum, date) for stratum, date in zip(strata, dates)]
    known = np.where(np.isfinite(codes), values, np.nan)
    test = permutation_p(
        known, np.nan_to_num(codes), strata, limit=experiment.permutations, seed=experiment.seed
    )
    return {**test, "kind": kind, "values": values, "codes": codes, "strata": strata, "title": title}


def _levels(condition, compared):
    """Levels that the experiment has, in their order: of the design, and the one that the condition is compared between."""
    known = [level for level in LEVELS if any(units.get(level) is not None for units in condition.get("units") or [])]
    return [level for level in (*LEVELS, "sample") if level in known or level == compared]


def _condition_card(context, arrow, experiment):
    condition = experiment.condition(arrow.source)
    test = test_condition(condition, arrow.target, experiment)
    blocked = test_condition(condition, arrow.target, experiment, within_dates=True)
    rows, word = experiment.rows[test["kind"]], experiment.unit_word if test["kind"] == "chip" else "sample"
    colours = {stratum: i for i, stratum in enumerate(sorted(set(test["strata"])))}
    units = rows.units.tolist()
    levels = _levels(condition, word)
    groups, table = [], []
    for i, value in enumerate(condition["values"]):
        here = [u for u in range(len(units)) if shown(experiment.of_unit[test["kind"]][units[u]].get(arrow.source)) == shown(value)]
        groups.append(
            (
                f"{arrow.source}\n{shown(value)}",
                [
                    (test["values"][u], colours[test["strata"][u]], f"{units[u]}: {short(test['values'][u])}, {', '.join(test['strata'][u])}")
                    for u in here
                ],
            )
        )
        mask = np.isin(rows.unit, here)
        known = test["values"][here][np.isfinite(test["values"][here])]
        counts = {**(condition["units"][i] if condition.get("units") else {}), word: len(here)}
        row = [shown(value), *("–" if counts.get(level) is None else counts[level] for level in levels)]
        row += [f"{len(np.unique(rows.trajectory[mask])):,}", f"{int(mask.sum()):,}"]
        if arrow.target in experiment.states:
            row.append(int(np.isin(onsets(rows, arrow.target), np.flatnonzero(mask)).sum()))
        row.append(short(float(known.mean())) if len(known) else "–")
        table.append(row)
    head = [arrow.source, *(f"{level}s" for level in levels), "cells", "rows"]
    head += [events_of(spoken(arrow.target))] if arrow.target in experiment.states else []
    context["table"] = {"head": [*head, test["title"]], "rows": table}
    legend = "" if len(colours) < 2 else " Colours: " + "; ".join(f"[[c{i}]] {', '.join(s)}" for s, i in colours.items()) + "."
    context["charts"].append(
        {"svg": charts.dots(groups, test["title"]), "caption": f"One dot per {word}; the bar is their mean.{legend}"}
    )
    context["verdict"] = verdict(test, word)
    if blocked is not None:
        p = "cannot be tested" if blocked["p"] is None else f"p {short(blocked['p'], 2)}"
        context["facts"].append(
            f"With chips changing places within their date only: {p} (smallest attainable {short(blocked['smallest_p'], 2)})."
        )
    context["undecided"] = test["p"] is None or test["smallest_p"] > 0.05
    if test["effect"] is not None:
        unlike = arrow.sign in ("+", "-") and test["effect"] * (1 if arrow.sign == "+" else -1) < 0
        if unlike:
            context["facts"].append(_unlike(f"means over {word}s", arrow))


def _feature_card(context, arrow, experiment):
    rows, word = experiment.rows["chip"], experiment.unit_word
    strongest = arrow.edges[0]
    lag = int(number(strongest.get("lag_steps")) or 0)
    correlation, n_pairs, n_cells = lagged_correlation(rows, arrow.source, arrow.target, lag)
    combos = experiment.groups("chip")
    groups, table = [], []
    for i, combo in enumerate(sorted(set(combos))):
        here = np.array([u for u in range(len(combos)) if combos[u] == combo])
        groups.append(
            ("\n".join(combo) or "all", [(correlation[u], i, f"{rows.units[u]}: {short(correlation[u], 2)}") for u in here])
        )
        known = correlation[here][np.isfinite(correlation[here])]
        median = short(float(np.median(known)), 2) if len(known) else "–"
        table.append([", ".join(combo) or "all", len(here), f"{int(n_cells[here].sum()):,}", f"{int(n_pairs[here].sum()):,}", median])
    context["table"] = {
        "head": ["condition", f"{word}s", "cells", "pairs of rows", "median correlation"],
        "rows": table,
    }
    at = lag_text([strongest]) or "same time"
    when = "at the same time" if at == "same time" else f"at a lag of {at}"
    context["charts"].append(
        {
            "svg": charts.dots(groups, "rank correlation", zero=True, means=False, limits=(-1, 1)),
            "caption": f"Rank correlation of {context['source']} and {context['target']} {when}, within each {word}.",
        }
    )
    known = correlation[np.isfinite(correlation)]
    if len(known):
        positive, negative = int((known > 0).sum()), int((known < 0).sum())
        side, n = ("positive", positive) if positive >= negative else ("negative", negative)
        of = counted(len(known), word)
        context["verdict"] = f"{capital(side)} in {n} of {of} (median {short(float(np.median(known)), 2)})."
        sign = arrow.sign
        if sign in ("+", "-") and np.median(known) * (1 if sign == "+" else -1) < 0:
            context["facts"].append(_unlike(f"correlations within {word}s", arrow))
    else:
        context["verdict"] = f"No {word} has enough pairs of rows for a correlation of its own."
    if arrow.target in experiment.states:
        average = around_onset(rows, arrow.source, arrow.target, experiment.window_steps)
        if average is not None:
            lags = [number(e.get("lag_min")) if experiment.step_min else number(e.get("lag_steps")) for e in arrow.edges]
            spread = (
                f"95 % of the mean over {counted(average['n_units'], word)}"
                if average["band"] == "chips"
                else f"95 % of the mean over onsets (only {counted(average['n_units'], word)} with any)"
            )
            context["charts"].append(
                {
                    "svg": charts.onset_average(
                        average,
                        experiment.step_min,
                        experiment.titled(arrow.source),
                        spoken(arrow.target),
                        [lag for lag in lags if lag],
                    ),
                    "caption": f"Mean of {context['source']} around {average['n_onsets']} onsets of {context['target']}; band: {spread}; "
                    "dashed: cells far from any onset; thin line: the edge's lag.",
                }
            )


def _unlike(plain, arrow):
    """What to make of plain numbers (in the plural) that go the other way than the graph's sign."""
    given = _given(arrow)
    if given:
        return f"The plain {plain} go the other way than the graph's sign: the edge is about what is left once {given} is accounted for."
    return f"The plain {plain} and the graph's sign, which counts rows of all chips together, disagree: do not rely on the sign."


def _given(arrow):
    names = arrow.edges[0].get("contributors") or []
    if isinstance(names, str):
        names = [name for name in names.replace(";", ",").split(",") if name.strip()]
    return listed(spoken_node(name) for name in names)


def spoken_node(name):
    """ "speed 2 steps earlier" of an unfolded node speed_um_min_lag2."""
    if isinstance(name, dict):
        name = f"{name.get('name')}_lag{name.get('lag', 0)}"
    stem, _, lag = str(name).strip().rpartition("_lag")
    if not stem or not lag.isdigit():
        return spoken(str(name).strip())
    return spoken(stem) if lag == "0" else f"{spoken(stem)} {counted(int(lag), 'step')} earlier"


def _strength(arrow, experiment):
    best = arrow.edges[0]
    parts = [f"Strength {short(arrow.strength)} nats"]
    if number(best.get("n")):
        parts.append(f"over {counted(int(number(best['n'])), 'row')}")
    if arrow.correlation is not None:
        parts.append(f"partial rank correlation {short(arrow.correlation, 2)}")
    confidence = number(best.get("confidence"))
    if confidence is not None and confidence >= 0:
        parts.append(f"confidence ratio {short(confidence, 2)} (small is strong)")
    text = ", ".join(parts)
    given = _given(arrow)
    return f"{text}; accounted for: {given}." if given else f"{text}; nothing else had to be accounted for."
