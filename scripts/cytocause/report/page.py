"""Everything on one page: tables and files' contents in, one HTML text out. No network, no second file.

    data (dict, see `build`) -> sections (dicts of plain values and SVG) -> template.py
"""

import base64
import io

import numpy as np

from cytocause.report import charts, graph
from cytocause.report.cards import Experiment, card, shown, test_condition
from cytocause.report.evidence import Rows, onsets
from cytocause.report.marks import arrows, lag_text
from cytocause.report.names import counted, events_of, listed, number_word, short, spoken
from cytocause.report.scores import score
from cytocause.report.sentences import (
    KIND_LABELS,
    WHAT_MARKS_MEAN,
    capital,
    counts_of_kinds,
    undecidable,
)
from cytocause.report.template import PAGE

WITNESSES_PER_CELL = 5  # more independent rows than this per cell are hard to believe, and the page says so
SHORT_KINDS = {"genuine": "genuine", "putative": "putative", "undirected": "direction open", "latent": "hidden cause"}
STILL_SIDE, STILL_QUALITY = 512, 82  # px and JPEG quality of still pictures on the page


def build(data):
    """The whole page.

    Parameters
    ----------
    data : dict
        cfg        section report with samples, populations, conditions, config
        table, variables, failed, edges : DataFrames; design, graph, run : dicts
        meta, qc   {sample: dict}, {sample: DataFrame}
        counts, segment, events, tracks, stills, films   {(sample, population): DataFrame | dict | bytes}; `films` holds
                   (size in bytes, function that reads them); missing keys are fine
        status     list of dicts; scorecard: dict or None; versions: {name: version}; written: str, time of writing
    """
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(PAGE)
    return template.render(**sections(data))


def sections(data):
    """Contexts of all sections, for the template."""
    cfg, design = data["cfg"], data["design"] or {}
    drawn, own_past = arrows(data["graph"].get("edges") or [])
    experiment = make_experiment(data, drawn)
    found, by_design = told_apart(drawn, experiment)
    nodes = [] if len(experiment.rows["chip"]) == 0 else [n["name"] for n in data["graph"].get("nodes") or []] or list(experiment.rows["chip"].values)
    roles = {n["name"]: n.get("role") for n in data["graph"].get("nodes") or []}
    exogenous = [n for n in nodes if roles.get(n) == "exogenous"]
    cards = [
        {**card(arrow, i, experiment), "place": place_of(arrow, experiment)}
        for i, arrow in enumerate(found[: cfg["max_cards"]])
    ]
    combos = combinations(cfg["samples"], cfg["conditions"])
    return {
        "title": cfg["title"] or "From movie to causal graph",
        "tiles": tiles(data, experiment, found),
        "summary": summary(data, experiment, found),
        "open_questions": open_questions(data, experiment, by_design),
        "graph_svg": graph.draw(
            nodes,
            found,
            own_past,
            conditions=experiment.names,
            states=experiment.states,
            exogenous=exogenous,
            units=experiment.units,
            memory=lambda steps: memory_text(steps, experiment.step_min),
        ),
        "any_edges": bool(found),
        "marks": [{"kind": k, "label": KIND_LABELS[k], "meaning": WHAT_MARKS_MEAN[k]} for k in KIND_LABELS],
        "cards": cards,
        "card_groups": card_groups(cards, experiment),
        "cards_left_out": max(0, len(found) - len(cards)),
        "edge_table": edge_table(data["edges"]),
        "design": design_section(design, experiment),
        "tests": condition_tests(experiment),
        "films": films(data, combos),
        "raster": raster(data, combos),
        "traces": traces(data, experiment),
        "quality": quality(data),
        "failed": records(data["failed"]),
        "score": score(data["scorecard"]),
        "ran": ran(data),
        "written": data["written"],
        "version": data["versions"].get("cytocause", ""),
    }


def told_apart(drawn, experiment):
    """Arrows in the order of the page (from conditions, into events, between features), and those between two conditions.

    Conditions are set by hand: that two of them depend on each other is how the experiment was laid out, and no finding.
    """
    found = [a for a in drawn if not {a.source, a.target} <= set(experiment.names)]
    by_design = [a for a in drawn if {a.source, a.target} <= set(experiment.names)]
    return sorted(found, key=lambda a: place_of(a, experiment)), by_design


def place_of(arrow, experiment):
    """0 from a condition, 1 into (or with) an event, 2 between features."""
    if {arrow.source, arrow.target} & set(experiment.names):
        return 0
    return 1 if {arrow.source, arrow.target} & set(experiment.states) else 2


def card_groups(cards, experiment):
    """Cards under their headings, in the order of the page; headings without a card are left out."""
    titles = ("From the conditions", "Around the events", "Between features")
    groups = [
        {"title": title, "half": place == 2, "cards": [c for c in cards if c["place"] == place]}
        for place, title in enumerate(titles)
    ]
    return [group for group in groups if group["cards"]]


# --- the experiment ------------------------------------------------------------------------------------------------


def unit_name(sample, levels, chip_level):
    """Name of the chip a sample lies on, with what it needs to be unique (levels above it), or the sample's own name."""
    if chip_level != "chip" or levels.get("chip") in (None, ""):
        return sample
    return " ".join(str(levels[k]) for k in ("date", "donor", "chip") if levels.get(k) not in (None, ""))


def make_experiment(data, found):
    """The Experiment behind the cards: rows of the table by chip and by sample, conditions, events, names and units."""
    cfg, design, table = data["cfg"], data["design"] or {}, data["table"]
    chip_level = design.get("chip_level", "chip" if any("chip" in s["levels"] for s in cfg["samples"]) else "sample")
    chip_of = {s["sample"]: unit_name(s["sample"], s["levels"], chip_level) for s in cfg["samples"]}
    sample = table["sample"] if "sample" in table.columns else table["trajectory"].astype(str).str.rsplit(":", n=1).str[0]
    variables = [v for v in data["variables"]["name"].tolist() if v in table.columns] if len(data["variables"].columns) else []
    values = {name: as_numbers(table[name]) for name in variables}
    by_chip = Rows(table["trajectory"], table["time_step"], sample.map(lambda s: chip_of.get(str(s), s)), values)
    rows = {"chip": by_chip, "sample": by_chip.regrouped(sample)}
    of_unit = {"chip": {}, "sample": {}}
    for s in cfg["samples"]:
        of_unit["sample"][s["sample"]] = dict(s["conditions"])
        chip = of_unit["chip"].setdefault(chip_of[s["sample"]], dict(s["conditions"]))
        for name, value in s["conditions"].items():
            if name in chip and chip[name] != value:
                chip[name] = None
    for kind, table_rows in rows.items():
        for unit in table_rows.units.tolist():
            of_unit[kind].setdefault(unit, {})
    date_of = {"chip": {}, "sample": {}}
    for s in cfg["samples"]:
        if s["levels"].get("date") not in (None, ""):
            date_of["sample"][s["sample"]] = str(s["levels"]["date"])
            date_of["chip"].setdefault(chip_of[s["sample"]], str(s["levels"]["date"]))
    conditions = []
    by_design = {c["name"]: c for c in design.get("conditions", [])}
    for c in cfg["conditions"]:
        seen = [s["conditions"].get(c["name"]) for s in cfg["samples"]]
        values_of = [v["value"] for v in by_design.get(c["name"], {}).get("values", [])] or sorted(
            {v for v in seen if v is not None}, key=lambda v: (v != c.get("reference"), str(v))
        )
        if c["kind"] == "ordered" and not c.get("levels") and not any(isinstance(v, str) for v in values_of):
            values_of = sorted(values_of)  # the reference need not be the lowest dose
        counted_units = {str(v["value"]): v["units"] for v in by_design.get(c["name"], {}).get("values", [])}
        conditions.append(
            {
                "name": c["name"],
                "kind": c["kind"],
                "reference": c.get("reference"),
                "values": values_of,
                "units": [counted_units.get(str(value), {}) for value in values_of],
            }
        )
    step_min = design.get("time_step_min")
    longest = max((lag for a in found for lag in a.lag_steps), default=0)
    window = cfg["trigger_window_min"] / step_min if cfg["trigger_window_min"] and step_min else 2 * longest
    return Experiment(
        rows,
        conditions,
        of_unit,
        step_min,
        "chip" if chip_level == "chip" else "sample",
        window_steps=int(max(6, min(60, round(window)))),
        permutations=cfg["permutations"],
        units=units_of(data["variables"]),
        date_of=date_of,
    )


def units_of(variables):
    """{variable: unit} of the table of variables, where it has that column."""
    if not {"name", "unit"} <= set(variables.columns):
        return {}
    return {name: str(unit) for name, unit in zip(variables["name"], variables["unit"]) if isinstance(unit, str) and unit}


def as_numbers(column):
    """A column as floats; text is coded by sorted order."""
    if column.dtype.kind in "biuf":
        return column.to_numpy(dtype=float)
    known = sorted(column.dropna().astype(str).unique())
    return column.map(lambda v: np.nan if v is None or v != v else known.index(str(v))).to_numpy(dtype=float)  # noqa: PLR0124


def combinations(samples, conditions):
    """Samples by combination of their conditions: list of (title, [sample names]), in the sheet's order."""
    groups = {}
    for s in samples:
        title = ", ".join(f"{c['name']} {shown(s['conditions'].get(c['name']))}" for c in conditions) or "all samples"
        groups.setdefault(title, []).append(s["sample"])
    return list(groups.items())


def memory_text(steps, step_min):
    """Lags of a link to the own past, for the note in a node."""
    return f"{', '.join(f'{s * step_min:g}' for s in steps)} min" if step_min else f"{', '.join(map(str, steps))} steps"


# --- words at the top ----------------------------------------------------------------------------------------------


def failed_parts(data):
    """Set of (sample, population) that failed; a row that names no population stands for all of them."""
    table, every = data["failed"], data["cfg"]["populations"]
    if "sample" not in table.columns:
        return set()
    named = table["population"] if "population" in table.columns else [""] * len(table)
    return {(str(s), q) for s, p in zip(table["sample"], named) for q in ([str(p)] if isinstance(p, str) and p else every)}


def failed_names(data):
    """Samples whose followed cells are lost; where only another population failed, the table still has the sample."""
    followed = (data["design"] or {}).get("population")
    return sorted({sample for sample, population in failed_parts(data) if followed in (None, population)})


def tiles(data, experiment, found):
    """The numbers at the top: (number, what it counts)."""
    rows = experiment.rows["chip"]
    out = [(len(rows.units), f"{experiment.unit_word}s compared"), (len(rows.names), "cells followed")]
    for state in experiment.states:
        n = len(onsets(rows, state))
        out.append((n, f"{spoken(state) if n == 1 else events_of(spoken(state))} in the table"))
    out.append((len(found), "edges between variables"))
    if failed_names(data):
        out.append((len(failed_names(data)), "samples failed"))
    return [{"number": f"{n:,}", "what": what if n != 1 else what.replace("samples", "sample")} for n, what in out]


def summary(data, experiment, found):
    """Sentences: what was looked at, what was found."""
    rows, word = experiment.rows["chip"], experiment.unit_word
    texts = []
    if len(rows) == 0:
        n = len(data["cfg"]["samples"])
        failed = len(failed_names(data))
        why = f"{failed} of {counted(n, 'sample')} failed" if failed else "no cell was followed long enough"
        return [f"There is no table to learn from: {why}. The reasons are listed under Failed samples."]
    given = listed(c["name"] for c in experiment.conditions)
    length = f" in steps of {experiment.step_min:g} min" if experiment.step_min else " in time steps of unknown length"
    texts.append(
        f"{capital(number_word(len(rows.units)))} {word}{'s' if len(rows.units) != 1 else ''}"
        f"{f', with {given} varied between them' if given else ''}: {counted(len(rows.names), 'cell')} followed over "
        f"{counted(len(rows), 'time point')}{length}."
    )
    if len(rows.units) == 1:
        texts.append(f"One {word} bears no comparison: nothing below says what another {word} would show.")
    px = sorted(s for s, meta in data["meta"].items() if meta.get("unit") == "px")
    if px:
        which = "all samples" if len(px) == len(data["meta"]) else listed(px[:6]) + (" and others" if len(px) > 6 else "")
        texts.append(f"The pixel size is unknown for {which}: their lengths are in pixels, and no size or speed below is in micrometres.")
    if not found:
        texts.append("No edge between two different variables was found: the data do not show that any of them depends on another.")
        return texts
    kinds = [a.kind for a in found]
    texts.append(
        f"The graph joins {counted(len(found), 'pair', 'pairs')} of different variables by an edge "
        f"({counts_of_kinds(kinds)})."
        if len({frozenset((a.source, a.target)) for a in found}) == len(found)
        else f"The graph has {counted(len(found), 'edge')} between different variables ({counts_of_kinds(kinds)})."
    )
    for c in experiment.conditions:
        hits = [a for a in found if a.source == c["name"]]
        if hits:
            signs = {"+": " (more)", "-": " (less)"}
            what = listed(f"{spoken(a.target, experiment.names)}{signs.get(a.sign, '')}" for a in hits)
            texts.append(f"The condition {c['name']} is joined to {what}.")
        else:
            texts.append(f"No edge starts at {c['name']}: the graph shows no effect of it.")
    for state in experiment.states:
        hits = [a for a in found if state in (a.source, a.target) and not {a.source, a.target} & set(experiment.names)]
        if hits:
            what = listed(at_event(a, state) for a in hits)
            texts.append(f"{capital(spoken(state))} is joined to {what}.")
    return texts


def at_event(arrow, state):
    """ "area (more, 30 min, genuine)" of an arrow into, out of, or beside an event."""
    other = arrow.source if arrow.target == state else arrow.target
    after = "it follows" if arrow.source == state and arrow.kind in ("genuine", "putative") else ""
    sign = {"+": "more", "-": "less"}.get(arrow.sign, "")
    said = filter(None, [after, sign, lag_text(arrow.edges, False), SHORT_KINDS[arrow.kind]])
    return f"{spoken(other)} ({', '.join(said)})"


def open_questions(data, experiment, by_design=()):
    """Sentences: what these data cannot decide."""
    design, texts = data["design"] or {}, []
    rows = experiment.rows["chip"]
    if len(rows) == 0:
        return texts
    for c in design.get("conditions", []):
        if c.get("undecidable"):
            unit = c.get("permuted_unit", "chip")
            units = sum((v["units"].get(unit) or 0) for v in c["values"])
            texts.append(undecidable(c["name"], units, unit, c["smallest_p"]))
    for cell in design.get("empty_cells", []):
        what = ", ".join(f"{k} {shown(v)}" for k, v in cell.items())
        texts.append(f"No {experiment.unit_word} has {what}, so the conditions' joint effect there is unknown.")
    texts.extend(entry["detail"] for entry in design.get("confounded", []))
    told = {frozenset((c.get("condition"), c.get("with"))) for c in design.get("confounded", [])}
    for a in by_design:
        if frozenset((a.source, a.target)) not in told:
            texts.append(
                f"{a.source} and {a.target} depend on each other over the rows: that is how the experiment was laid out "
                "(unequal numbers of cells or chips), so the graph may take one for the other."
            )
    cells = len(np.unique(rows.trajectory))
    witnesses = (data["graph"].get("parameters") or {}).get("n_eff") or len(rows)
    if witnesses >= WITNESSES_PER_CELL * cells:
        texts.append(
            f"{counted(cells, 'cell', 'cells')} gave {len(rows):,} time points, and the graph counts {int(witnesses):,} of them as if they were "
            "independent: a cell that changes slowly is heard many times. Trust an edge by its dots, not by its strength alone "
            "(infer.n_eff sets a smaller number)."
        )
    for state in experiment.states:
        n = len(onsets(rows, state))
        if n < 20:
            texts.append(
                f"Only {counted(n, spoken(state), events_of(spoken(state)))} in the table: what precedes {spoken(state)} is known "
                "roughly at best."
            )
    return texts


# --- sections ------------------------------------------------------------------------------------------------------


def records(table):
    """A DataFrame as head and rows of text."""
    return {
        "head": [str(c) for c in table.columns],
        "rows": [[text_of(v) for v in row] for row in table.itertuples(index=False, name=None)],
    }


def text_of(value):
    """A cell of a table as text; nothing for None and NaN."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (float, np.floating)):
        return short(value)
    return str(value)


def edge_table(edges):
    """The DataFrame of edges.tsv as head and rows of text."""
    return records(edges)


def design_section(design, experiment):
    """design.json as what the template shows: conditions by level, cells of the design, holes, confounding, what was left out."""
    word = experiment.unit_word
    conditions = []
    for c in design.get("conditions", []):
        levels = [k for k in ("date", "donor", "chip", "position", "region", "sample", "cell") if any(v["units"].get(k) is not None for v in c["values"])]
        conditions.append(
            {
                "name": c["name"],
                "head": [c["name"], *({"cell": "cells"}.get(k, f"{k}s") for k in levels), "rows", "divisions", "deaths"],
                "rows": [
                    [
                        shown(v["value"]) + (" (reference)" if v["value"] == c.get("reference") else ""),
                        *(f"{v['units'].get(k):,}" if v["units"].get(k) is not None else "–" for k in levels),
                        f"{v['rows']:,}",
                        f"{v['division']:,}",
                        f"{v['death']:,}",
                    ]
                    for v in c["values"]
                ],
                "arrangements": "one way" if c["arrangements"] == 1 else f"{c['arrangements']:,} ways",
                "smallest_p": short(c["smallest_p"], 2),
                "undecidable": bool(c.get("undecidable")),
                "unit": c.get("permuted_unit", word),
                "within": [
                    f"Within {level}s alone: {'one way' if w['arrangements'] == 1 else str(w['arrangements']) + ' ways'}, "
                    f"smallest attainable p {short(w['smallest_p'], 2)}."
                    for level, w in sorted((c.get("within") or {}).items())
                ],
            }
        )
    cells = [
        {
            "title": ", ".join(f"{k} {shown(v)}" for k, v in cell["conditions"].items()),
            "chips": cell["chips"],
            "trajectories": f"{cell['trajectories']:,}",
            "events": f"{cell['division']:,} divisions, {cell['death']:,} deaths",
            "empty": cell["chips"] == 0,
        }
        for cell in design.get("cells", [])
    ]
    return {
        "conditions": conditions,
        "cells": cells,
        "word": word,
        "confounded": [entry["detail"] for entry in design.get("confounded", [])],
        "left_out": [f"{counted(int(n), 'trajectory', 'trajectories')}: {why}" for why, n in left_out(design)],
        "warnings": list(design.get("warnings", [])),
    }


def left_out(design):
    """(reason in words, count) of the trajectories and samples that are not in the table; counts of 0 are left out."""
    words = {
        "short": "too short",
        "max_rows": "left out by a fair draw, to keep the table within max_rows",
        "failed": "sample failed",
        "control": "control sample",
    }
    for key, value in sorted((design.get("left_out") or {}).items()):
        if isinstance(value, (int, float)) and value:
            yield words.get(key, key), value


def condition_tests(experiment):
    """Every condition against every variable, over chips: the table behind "cannot decide"."""
    rows = experiment.rows["chip"]
    if len(rows) == 0:
        return None
    out = []
    for c in experiment.conditions:
        for name in rows.values:
            if name in experiment.names:
                continue
            test = test_condition(c, name, experiment)
            levels = [shown(v) for v in c["values"]]
            means = []
            if c["kind"] != "continuous":
                for i in range(len(levels)):
                    known = test["values"][(test["codes"] == i) & np.isfinite(test["values"])]
                    means.append(f"{short(float(known.mean()))}" if len(known) else "–")
            out.append(
                {
                    "condition": c["name"],
                    "outcome": test["title"],
                    "means": " / ".join(means),
                    "levels": " / ".join(levels),
                    "p": short(test["p"], 2),
                    "smallest": short(test["smallest_p"], 2),
                    "small": test["p"] is not None and test["p"] <= 0.05,
                }
            )
    return out


def films(data, combos):
    """Pictures and films: list of {title, items: [{sample, population, film | still, note}]}."""
    cfg = data["cfg"]
    chosen = cfg["films"] or [names[0] for _, names in combos]
    budget = cfg["film_budget_mb"] * 1e6
    out, left, shown_samples, failed = [], budget, 0, failed_parts(data)
    for title, names in combos:
        items = []
        for sample in names:
            if shown_samples >= cfg["max_samples"]:
                break
            seen = [population for population in cfg["populations"] if (sample, population) not in failed]
            if not seen:
                continue  # its films are one dark frame
            shown_samples += 1
            for population in seen:
                key = (sample, population)
                if key not in data["stills"]:
                    continue
                size, read = data["films"].get(key, (0, None))
                item = {"sample": sample, "population": population, "film": None, "still": jpeg_uri(data["stills"][key])}
                if sample in chosen and read is not None and size <= left:
                    left -= size
                    item["film"] = uri(read(), "video/mp4")
                items.append(item)
        if items:
            out.append({"title": title, "entries": items})
    return out


def uri(content, kind):
    """Bytes of a MIME type as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def jpeg_uri(png):
    """A picture as a small JPEG in a data URI."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail((STILL_SIDE, STILL_SIDE))
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=STILL_QUALITY, optimize=True)
    return uri(out.getvalue(), "image/jpeg")


def raster(data, combos):
    """One event raster per population."""
    cfg, out = data["cfg"], []
    for population in cfg["populations"]:
        groups, totals, left = [], {}, cfg["max_samples"]
        end = max((float(t) for meta in data["meta"].values() for t in (meta.get("time_min") or [])[-1:] if t), default=0.0)
        for title, names in combos:
            lanes = []
            for sample in names:
                table = data["events"].get((sample, population))
                if table is None or left <= 0:
                    continue
                left -= 1
                times = {
                    kind: np.sort(table.loc[table["event"] == kind, "time_min"].to_numpy(dtype=float))
                    for kind in ("division", "death", "censored")
                }
                for kind, values in times.items():
                    totals[kind] = totals.get(kind, 0) + len(values)
                    end = max(end, float(values.max()) if len(values) else 0.0)
                lanes.append((sample, times))
            if lanes:
                groups.append((title, lanes))
        if groups and end > 0:
            out.append(
                {
                    "population": population,
                    "svg": charts.raster(groups, end),
                    "totals": listed(
                        counted(totals.get(k, 0), w)
                        for k, w in (("division", "division"), ("death", "death"), ("censored", "end of observation"))
                    ).replace("end of observations", "ends of observation"),
                }
            )
    return out


def traces(data, experiment):
    """Time course of every variable that is neither a condition nor an event: chips thin, conditions bold."""
    rows, cfg = experiment.rows["chip"], data["cfg"]
    if len(rows) == 0:
        return {"charts": [], "legend": []}
    steps = np.arange(int(rows.step.min()), int(rows.step.max()) + 1)
    times = (steps * experiment.step_min / 60, "hours") if experiment.step_min else (steps.astype(float), "time steps")
    combos = experiment.groups("chip")
    names = sorted(set(combos))
    out = []
    for name in rows.values:
        if name in experiment.names or name in experiment.states:
            continue
        lines, by_group = [], {}
        for u, combo in enumerate(combos):
            mean = mean_by_step(rows, name, rows.unit == u, steps)
            lines.append((names.index(combo), "chip", mean))
            by_group.setdefault(combo, []).append(mean)
        for combo, means in by_group.items():
            table = np.array(means)
            n = np.isfinite(table).sum(axis=0)
            group = np.divide(np.nansum(table, axis=0), n, out=np.full(len(steps), np.nan), where=n > 0)
            lines.append((names.index(combo), "group", group))
        lines += single_cells(rows, name, steps, cfg["max_cells_per_trace"])
        out.append({"name": name, "svg": charts.traces(times, lines, experiment.titled(name))})
    return {"charts": out, "legend": [", ".join(combo) or "all" for combo in names]}


def mean_by_step(rows, name, mask, steps):
    """(n_steps,) mean of a variable over some rows, time step by time step."""
    value = rows.values[name]
    good = mask & np.isfinite(value)
    at = rows.step[good] - steps[0]
    n = np.bincount(at, minlength=len(steps))
    total = np.bincount(at, weights=value[good], minlength=len(steps))
    return np.divide(total, n, out=np.full(len(steps), np.nan), where=n > 0)


def single_cells(rows, name, steps, n_cells):
    """Faint lines of a few cells, the ones observed longest."""
    if n_cells == 0:
        return []
    lengths = np.bincount(rows.trajectory)
    lines = []
    for trajectory in np.argsort(-lengths, kind="stable")[:n_cells]:
        line = np.full(len(steps), np.nan)
        here = rows.trajectory == trajectory
        line[rows.step[here] - steps[0]] = rows.values[name][here]
        lines.append((0, "cell", line))
    return lines


def quality(data):
    """One line per sample: frames, interval, pixel size, focus, drift, objects per frame, flags."""
    cfg, out = data["cfg"], []
    warnings = {}
    for status in data["status"]:
        for text in status.get("warnings") or []:
            warnings.setdefault(status.get("sample"), []).append(f"{status.get('stage')}: {text}")
    for entry in cfg["samples"][: cfg["max_samples"]]:
        sample = entry["sample"]
        meta, table = data["meta"].get(sample, {}), data["qc"].get(sample)
        line = {
            "sample": sample,
            "frames": f"{int(meta.get('n_frames') or 0):,}",
            "interval": f"{meta['frame_interval_min']:g} min" if meta.get("frame_interval_min") else "–",
            "pixel": f"{meta['pixel_size_um']:g} um" if meta.get("pixel_size_um") else "unknown",
            "focus": "",
            "drift": "",
            "flags": "none",
            "populations": [],
            "warnings": warnings.get(sample, []),
        }
        if table is not None and len(table):
            flags = table["flags" if "flags" in table.columns else "flag"].fillna("").astype(str).tolist() if {"flags", "flag"} & set(table.columns) else []
            focus = [c for c in table.columns if c.startswith("focus")]
            if focus:
                line["focus"] = charts.sparkline(table[focus[0]], ["blur" in f for f in flags])
            drift = [c for c in table.columns if c.startswith(("drift_y", "drift_x"))]
            if len(drift) == 2:
                line["drift"] = charts.sparkline(np.hypot(table[drift[0]], table[drift[1]]), ["shift" in f for f in flags])
            line["flags"] = count_flags(flags)
        for population in cfg["populations"]:
            counts, tracks = data["counts"].get((sample, population)), data["tracks"].get((sample, population))
            flagged = counts["flag"].fillna("").astype(str).tolist() if counts is not None and "flag" in counts.columns else []
            line["populations"].append(
                {
                    "name": population,
                    "spark": charts.sparkline(counts["n_objects"], flagged) if counts is not None and len(counts) else "",
                    "range": f"{int(counts['n_objects'].min())}–{int(counts['n_objects'].max())}" if counts is not None and len(counts) else "–",
                    "tracks": f"{tracks:,}" if tracks is not None else "–",
                    "flags": count_flags(flagged),
                }
            )
        out.append(line)
    return {"lines": out, "left_out": max(0, len(cfg["samples"]) - len(out)), "populations": cfg["populations"]}


def count_flags(flags):
    """ "2 blurred, 1 shifted" of a column of flags."""
    seen = {}
    for text in flags:
        for word in text.replace(";", ",").split(","):
            if word.strip():
                seen[word.strip()] = seen.get(word.strip(), 0) + 1
    return ", ".join(f"{n} {word.replace('_', ' ')}" for word, n in sorted(seen.items())) or "none"


def ran(data):
    """What ran: versions, engines, parameters of the inference, and the whole config as YAML."""
    import yaml

    engines = {}
    for (_, population), record in data["segment"].items():
        facts = {k: record.get(k) for k in ("engine", "model", "sha256") if record.get(k)}
        text = ", ".join(f"{k} {str(v)[:16] if k == 'sha256' else v}" for k, v in facts.items())
        engines.setdefault(population, {}).setdefault(text or "not recorded", 0)
        engines[population][text or "not recorded"] += 1
    run = data["run"] or {}
    notes = [str(text) for text in run.get("warnings") or []]
    parameters = run.get("parameters") or run.get("params") or {}
    return {
        "versions": sorted(data["versions"].items()),
        "engines": [(p, [f"{text} ({counted(n, 'sample')})" for text, n in kinds.items()]) for p, kinds in sorted(engines.items())],
        "parameters": [(k, text_of(v) if not isinstance(v, (dict, list)) else str(v)) for k, v in sorted(parameters.items())],
        "warnings": notes,
        "config": yaml.safe_dump(data["cfg"].get("config") or {}, sort_keys=True, allow_unicode=True),
        "variables": records(data["variables"]),
    }
