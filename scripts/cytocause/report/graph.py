"""The causal graph as a picture: conditions at the left, features in the middle, events at the right.

    +----------+        +---------+
    | drug     |------->| contact |---- 30 min ---->+-------+
    +----------+   \\    +---------+                 | death |
    +----------+    \\------------------------------->+-------+
    | CAF      |- - -

    filled head     genuine cause             hollow head   a hidden common cause is not ruled out
    dashed, two heads   hidden common cause   no head       undecided
    colour  red more, blue less, grey neither         width   strength (logarithm)
            ochre: of one definition (one mask, one position, or how an event was called)

Everything is placed by fixed rules (no random layout), so the same graph is the same picture.
"""

from math import atan2, cos, hypot, pi, sin

from cytocause.report import svg
from cytocause.report.marks import lag_text
from cytocause.report.names import halves, spoken, unit_of

BOX_WIDTH, BOX_HEIGHT, GAP = 168, 50, 46
SIGN_CLASS = {"+": "more", "-": "less"}


def columns(nodes, arrows, conditions, states):
    """Names of the nodes in columns, each ordered so that arrows cross little.

    Returns
    -------
    list of lists: conditions, features in one or two columns, events; empty columns are left out
    """
    left = [n for n in nodes if n in conditions]
    right = [n for n in nodes if n in states and n not in conditions]
    middle = [n for n in nodes if n not in left and n not in right]
    if len(middle) > 4:  # two columns: the ones that conditions point at come first
        hit = {n: sum(a.strength for a in arrows if a.target == n and a.source in conditions) for n in middle}
        fed = {n: sum(a.strength for a in arrows if a.source == n and a.target in states) for n in middle}
        order = sorted(middle, key=lambda n: (fed[n] - hit[n], nodes.index(n)))
        half = (len(order) + 1) // 2
        kept = [left, order[:half], order[half:], right]
    else:
        kept = [left, middle, right]
    kept = [list(column) for column in kept if column]
    for _ in range(4):
        for c, column in enumerate(kept):
            height = {n: (i + 0.5) / len(other) for d, other in enumerate(kept) if d != c for i, n in enumerate(other)}
            column.sort(key=lambda n: (_pull(n, arrows, height), nodes.index(n)))
    return kept


def _pull(name, arrows, height):
    near = [height[o] for a in arrows for n, o in ((a.source, a.target), (a.target, a.source)) if n == name and o in height]
    return sum(near) / len(near) if near else 0.5


def places(kept, width, n_arrows=0, top=26):
    """Centre (x, y) of every node, and the height of the picture: more arrows get more room."""
    tallest = max(len(column) for column in kept)
    height = max(top * 2 + tallest * (BOX_HEIGHT + GAP + min(70, 3 * n_arrows)), 240)
    at = {}
    for c, column in enumerate(kept):
        x = width / 2 if len(kept) == 1 else BOX_WIDTH / 2 + 6 + c * (width - BOX_WIDTH - 12) / (len(kept) - 1)
        step = (height - 2 * top) / len(column)
        for i, name in enumerate(column):
            at[name] = (x, top + step * (i + 0.5))
    return at, height


def _border(centre, towards):
    """Point on a box's border on the way from its centre towards a point."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    if dx == dy == 0:
        return centre
    t = min(
        (BOX_WIDTH / 2 + 3) / abs(dx) if dx else 1e9,
        (BOX_HEIGHT / 2 + 3) / abs(dy) if dy else 1e9,
    )
    return centre[0] + dx * t, centre[1] + dy * t


def _inside(point, box, margin=4):
    return abs(point[0] - box[0]) < BOX_WIDTH / 2 + margin and abs(point[1] - box[1]) < BOX_HEIGHT / 2 + margin


def _curve(start, end, bend):
    """Control point of a quadratic curve from start to end that bends sideways by `bend` px."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy) or 1.0
    return (start[0] + end[0]) / 2 - dy / length * bend, (start[1] + end[1]) / 2 + dx / length * bend


def _point(start, control, end, t):
    return tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * c + t**2 * b for a, c, b in zip(start, control, end))


def _route(a, b, boxes, taken):
    """Start, control and end of an arrow between two boxes that goes round the others, as far as a few tries allow."""
    best = None
    base = 70 if abs(a[0] - b[0]) < 5 else 0
    for bend in (base or 12, -(base or 12), 40, -40, 80, -80, 120, -120, 165, -165):
        control = _curve(a, b, bend)
        start, end = _border(a, control), _border(b, control)
        control = _curve(start, end, bend)
        line = [_point(start, control, end, k / 16) for k in range(1, 16)]
        cost = sum(40 for p in line for box in boxes if _inside(p, box)) + abs(bend) * 0.12
        cost += sum(6 for p in line for q in taken if abs(p[0] - q[0]) + abs(p[1] - q[1]) < 14)
        if best is None or cost < best[0]:
            best = (cost, start, control, end, line)
    return best[1:]


def _head(tip, angle, size, css, filled):
    corners = [tip] + [
        (tip[0] - size * cos(angle + turn), tip[1] - size * sin(angle + turn)) for turn in (pi / 7.5, -pi / 7.5)
    ]
    points = " ".join(f"{svg.num(x)},{svg.num(y)}" for x, y in corners)
    return f'<polygon points="{points}" class="head {css}{"" if filled else " hollow"}"/>'


def draw(nodes, arrows, own_past, *, conditions, states, exogenous=(), memory=None, units=None, width=1000):
    """The picture.

    Parameters
    ----------
    nodes : names of the variables, in the table's order
    arrows : list of Arrow
    own_past : dict variable -> lags (steps) of links to its own past
    conditions, states, exogenous : names of these kinds
    memory : function from lags (steps) to words, for the note under a variable
    """
    if not nodes:
        return svg.svg(width, 60, [svg.text(width / 2, 34, "no variables", "note", "middle")], "empty graph", "graph")
    outside = [*conditions, *exogenous]
    kept = columns(nodes, arrows, outside, states)
    at, _ = places(kept, width, len(arrows))
    lines, labels, taken, rects = [], [], [], []
    low, high = (pick(y for _, y in at.values()) + side * (BOX_HEIGHT / 2 + 12) for pick, side in ((min, -1), (max, 1)))
    for i, arrow in enumerate(arrows):
        if arrow.source not in at or arrow.target not in at:
            continue
        a, b = at[arrow.source], at[arrow.target]
        start, control, end, points = _route(a, b, [p for n, p in at.items() if n not in (arrow.source, arrow.target)], taken)
        taken.extend(points)
        low, high = min(low, *(y - 12 for _, y in points)), max(high, *(y + 12 for _, y in points))
        lines.append(_arrow(i, arrow, start, control, end))
        words = lag_text(arrow.edges, with_frames=False)
        if words:
            labels.append(_label(words, arrow, start, control, end, rects, at.values()))
    boxes = [_box(name, at[name], own_past.get(name), memory, conditions, states, exogenous, units) for name in at]
    # Arrows within the first or last column swing out beyond it: the picture grows with them.
    west = min(0, *(x - 6 for x, _ in taken), *(x - half for x, _, half in rects)) if taken else 0
    east = max(width, *(x + 6 for x, _ in taken), *(x + half for x, _, half in rects)) if taken else width
    body = f'<g transform="translate({svg.num(-west)} {svg.num(-low)})">{"".join([*lines, *boxes, *labels])}</g>'
    return svg.svg(east - west, high - low, [body], _read_aloud(arrows, conditions), "graph")


def _css(arrow):
    return "definition" if arrow.definitional else SIGN_CLASS.get(arrow.sign, "neither")


def _arrow(i, arrow, start, control, end):
    css = _css(arrow)
    size = 9 + 1.3 * arrow.width
    parts = []
    tail_at, tip_at = start, end
    angle = atan2(end[1] - control[1], end[0] - control[0])
    if arrow.kind in ("genuine", "putative", "latent"):
        tip_at = (end[0] - 0.8 * size * cos(angle), end[1] - 0.8 * size * sin(angle))
        parts.append(_head(end, angle, size, css, arrow.kind == "genuine"))
    if arrow.kind == "latent":
        back = atan2(start[1] - control[1], start[0] - control[0])
        tail_at = (start[0] - 0.8 * size * cos(back), start[1] - 0.8 * size * sin(back))
        parts.append(_head(start, back, size, css, False))
    d = f"M{' '.join(map(svg.num, tail_at))}Q{' '.join(map(svg.num, control))} {' '.join(map(svg.num, tip_at))}"
    line = f'<path d="{d}" class="arrow {css} {arrow.kind}" stroke-width="{svg.num(arrow.width)}"/>'
    return f'<a href="#edge-{i + 1}"><g class="edge"><title>{svg.esc(arrow.source)} – {svg.esc(arrow.target)}</title>{line}{"".join(parts)}</g></a>'


def _label(words, arrow, start, control, end, rects, boxes):
    """The lag beside its line, where it hides the least."""
    half, high = 3.3 * len(words) + 3, 9

    def cost(t):
        x, y = _point(start, control, end, t)
        hit = sum(abs(x - u) < half + w and abs(y - v) < high * 2 for u, v, w in rects)
        hit += sum(abs(x - u) < half + BOX_WIDTH / 2 and abs(y - v) < high + BOX_HEIGHT / 2 for u, v in boxes)
        return hit + abs(t - 0.5)

    t = min((0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82), key=cost)
    x, y = _point(start, control, end, t)
    rects.append((x, y, half))
    plate = f'<rect x="{svg.num(x - half + 2)}" y="{svg.num(y - 8)}" width="{svg.num(2 * half - 4)}" height="16" rx="4" class="plate"/>'
    return plate + svg.text(x, y + 4, words, f"lag-label {_css(arrow)}", "middle")


def _box(name, centre, past, memory, conditions, states, exogenous, units):
    x, y = centre
    kind = "condition" if name in conditions else "exogenous" if name in exogenous else "state" if name in states else "feature"
    lines = halves(spoken(name, conditions))
    unit = unit_of(name, conditions, units)
    small = [unit] if unit else []
    if past and memory:
        small.append(f"↻ {memory(past)}")
    longest = max(len(words) for words in lines)
    size = 14 if longest <= 17 and len(lines) == 1 else 12 if longest <= 21 else 11 if longest <= 25 else 9
    box = f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="{22 if kind == "state" else 8}" class="node {kind}"'
    parts = [
        f"<title>{svg.esc(name)}</title>",
        f'<rect x="{svg.num(x - BOX_WIDTH / 2)}" y="{svg.num(y - BOX_HEIGHT / 2)}" {box}/>',
    ]
    first = y + size * 0.36 - (7 if small else 0) - (len(lines) - 1) * size * 0.58
    for i, words in enumerate(lines):
        parts.append(svg.text(x, first + i * size * 1.14, words, "node-name", "middle", f'style="font-size:{size}px"'))
    if small:
        parts.append(svg.text(x, y + (19 if len(lines) > 1 else 15), " · ".join(small), "node-note", "middle"))
    return f"<g>{''.join(parts)}</g>"


def _read_aloud(arrows, conditions):
    if not arrows:
        return "causal graph without edges"
    joint = {"genuine": "to", "putative": "perhaps to", "undirected": "with", "latent": "shares a hidden cause with"}
    return "causal graph: " + "; ".join(
        f"{spoken(a.source, conditions)} {joint[a.kind]} {spoken(a.target, conditions)}" for a in arrows
    )
