"""The ablation chain as a picture: F1 of the graph as one hand-over after another is made true, and what each step gains.

    F1 |          .--o     o--o  skeleton          masks      ──●──     +0.05
       |   o--o--o   |                             tracks     ●          0.00
       +---------------                            ...
        found masks ... variables

A file of its own (SVG with its colours inside), for no page of the workflow has the chain: it is made only when asked for.
"""

from cytocause.report import svg
from cytocause.report.names import short

WIDTH, HEIGHT, SPLIT, LINE = 900, 320, 470, 17
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLE = (
    "<style>svg{background:#fff}text{font:12px system-ui,sans-serif;fill:#1d2731}.tick,.note{fill:#5c6b7a}.group{font-weight:600}"
    ".grid{stroke:#e8edf2}.zero{stroke:#9aa6b2}.reach{stroke-width:2.2;opacity:.55}"
    + "".join(f".c{i}{{fill:{colour}}}.s{i}{{stroke:{colour};stroke-width:2}}" for i, colour in enumerate(COLOURS))
    + "</style>"
)


def picture(chain):
    """SVG text of the chain (dict of levels, steps and note, as in results/score/ablation.json)."""
    keys = [key for key, value in chain["steps"][-1].items() if isinstance(value, dict)]
    steps = chain["steps"]
    notes = chain["note"].split("; ")
    height = max(HEIGHT, 60 + sum(8 + LINE * len(keys) for _ in steps)) + LINE * (len(notes) - 1)
    parts = [STYLE, *_levels(chain["levels"], keys), *_gains(steps, keys)]
    parts += [svg.text(8, height - 8 - LINE * k, note, "note") for k, note in enumerate(reversed(notes))]
    drawn = svg.svg(WIDTH, height, parts, "F1 of the graph along the ablation chain", "chart")
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def _name(key):
    return key.split(".")[1].removesuffix("_f1").replace("_", " ")


def _levels(levels, keys):
    names = [values["level"] for values in levels]
    x, y = svg.scale(0, max(1, len(names) - 1), 60, SPLIT - 110), svg.scale(0.0, 1.0, HEIGHT - 60, 30)
    parts = svg.y_axis(y, 0.0, 1.0, 52, SPLIT - 100, "F1 of the graph")
    for k, name in enumerate(names):
        parts.append(svg.text(x(k), HEIGHT - 42, "as found" if k == 0 else f"+ true {name}", "tick", "middle", f'transform="rotate(-18 {svg.num(x(k))} {HEIGHT - 42})"'))
    ends = []
    for i, key in enumerate(keys):
        points = [(x(k), y(values[key])) for k, values in enumerate(levels) if values.get(key) is not None]
        parts.append(svg.path(points, f"s{i % len(COLOURS)}"))
        parts += [f'<circle cx="{svg.num(a)}" cy="{svg.num(b)}" r="4" class="c{i % len(COLOURS)}"/>' for a, b in points]
        if points:
            ends.append((points[-1][1], i, key))
    below = 0.0
    for height, i, key in sorted(ends):
        below = max(height, below + 14)
        parts.append(svg.text(SPLIT - 98, below + 4, _name(key), f"c{i % len(COLOURS)}"))
    return parts


def _gains(steps, keys):
    known = [v for step in steps for key in keys for v in (step[key]["gain"], step[key]["low"], step[key]["high"]) if v is not None]
    reach = min(1.0, max([0.05, *map(abs, known)]))
    x = svg.scale(-reach, reach, SPLIT + 140, WIDTH - 60)
    bottom = 34 + sum(8 + LINE * len(keys) for _ in steps)
    parts = [svg.text(SPLIT + 20, 18, "gain in F1 of each step", "note"), svg.line(x(0), 26, x(0), bottom, "zero")]
    height = 30.0
    for step in steps:
        whole = step is steps[-1]
        parts.append(svg.line(SPLIT + 20, height, WIDTH, height, "grid"))
        parts.append(svg.text(SPLIT + 20, height + LINE, "whole chain" if whole else f"true {step['to']}", "group"))
        for i, key in enumerate(keys):
            middle, found = height + LINE * (i + 0.5) + 4, step[key]
            if found["gain"] is None:
                parts.append(svg.text(x(0) + 6, middle + 4, "no value", "note"))
                continue

            def at(value):
                return x(min(reach, max(-reach, value)))

            if found["low"] is not None:
                parts.append(svg.line(at(found["low"]), middle, at(found["high"]), middle, f"reach s{i % len(COLOURS)}"))
            parts.append(f'<circle cx="{svg.num(at(found["gain"]))}" cy="{svg.num(middle)}" r="4" class="c{i % len(COLOURS)}"/>')
            sign = "+" if found["gain"] > 0 else ""
            parts.append(svg.text(WIDTH - 4, middle + 4, f"{sign}{short(found['gain'], 2)}", "tick", "end"))
        height += 8 + LINE * len(keys)
    return parts
