"""Plain words for what was found: one sentence per claim, and never more than the marks allow.

    genuine     "... acts on ..."            undirected  "... go together ..."
    putative    "... may act on ..."         latent      "... share a hidden cause ..."
"""

from cytocause.report.names import counted, listed, number_word, short, spoken

WHAT_MARKS_MEAN = {
    "genuine": "a hidden common cause cannot explain it",
    "putative": "a hidden common cause could explain it as well",
    "undirected": "the data do not say which acts on which",
    "latent": "a hidden common cause, neither acts on the other",
}
KIND_LABELS = {
    "genuine": "genuine causal",
    "putative": "putative causal",
    "undirected": "undirected",
    "latent": "latent common cause",
}


def capital(text):
    """The text with its first letter as a capital, the rest as it is."""
    return text[:1].upper() + text[1:]


def claim(arrow, *, conditions, states, lag):
    """What the arrow says, in one or two sentences.

    Parameters
    ----------
    arrow : Arrow
    conditions : names of conditions (set from outside the cells)
    states : names of events (a value that turns from 0 to 1)
    lag : lag as text, "same time", or "" where it has none
    """
    x, y = spoken(arrow.source, conditions), spoken(arrow.target, conditions)
    more = {"+": True, "-": False}.get(arrow.sign)
    if arrow.source in conditions:
        return _condition_claim(arrow, x, y, more, states)
    at_once = lag in ("", "same time")
    when, later = ("", "") if at_once else (f", {_before(lag)}", f" {lag} later")
    if arrow.kind == "latent":
        return (
            f"{capital(x)} and {y} share a hidden common cause{when and f' ({x} first{when})'}: "
            f"{_together(arrow, x, y, more, states)}, but the graph rules out that either acts on the other."
        )
    if arrow.kind == "undirected":
        return (
            f"{capital(x)} and {y} go together{when and f' ({x} first{when})'}: {_together(arrow, x, y, more, states)}. "
            "The data do not say which acts on which, or whether something hidden moves both."
        )
    if arrow.target in states:
        effect = {True: f"makes {y} more likely", False: f"makes {y} less likely", None: f"changes how likely {y} is"}[more]
        maybe = {True: f"may make {y} more likely", False: f"may make {y} less likely", None: f"may change how likely {y} is"}[
            more
        ]
        subject = _rising(x) if arrow.source not in states else capital(x)
    else:
        effect = {True: f"raises {y}", False: f"lowers {y}", None: f"changes {y}"}[more]
        maybe = {True: f"may raise {y}", False: f"may lower {y}", None: f"may change {y}"}[more]
        subject = _rising(x) if arrow.source not in states else capital(x)
    if more is None:
        subject = capital(x)
    if arrow.kind == "genuine":
        return (
            f"{subject} {effect}{later}. By the graph's tests a hidden common cause of the two cannot explain this; "
            "it still rests on the assumptions under \"How to read this\"."
        )
    return (
        f"{subject} {maybe}{later}. The order in time is known, the mechanism is not: "
        f"a hidden common cause of {x} and {y} would look the same."
    )


def _rising(x):
    """ "More immune cells in contact", "Higher speed", "Larger area", "Longer distance to immune cells"."""
    if " cells " in x and not x.startswith(("distance", "relative")):
        return f"More {x}"
    if x.startswith("distance"):
        return f"Longer {x}"
    return f"{'Larger' if x in ('area', 'diameter', 'size', 'perimeter') else 'Higher'} {x}"


def _before(lag):
    return f"{lag} earlier"


def _together(arrow, x, y, more, states):
    if more is None:
        return "they depend on each other without a single direction"
    for event, other in ((arrow.source, y), (arrow.target, x)):
        if event in states:
            other_is_event = {arrow.source, arrow.target} <= set(states)
            if other_is_event:
                return f"cells with one are {'more' if more else 'less'} often cells with the other"
            return f"from {spoken(event)} on, {other} tends to be {'high' if more else 'low'}"
    return f"where {x} is high, {y} tends to be {'high' if more else 'low'}"


def _condition_claim(arrow, x, y, more, states):
    if arrow.kind in ("latent", "undirected"):
        return (
            f"{capital(x)} and {y} go together{'' if more is None else f' ({y} is ' + ('higher' if more else 'lower') + ' with it)'}, "
            "but the graph leaves open why: the chips may differ in something else."
        )
    if arrow.target in states:
        effect = {True: f"{capital(y)} is more likely with {x}", False: f"{capital(y)} is less likely with {x}"}
    else:
        effect = {True: f"{capital(y)} is higher with {x}", False: f"{capital(y)} is lower with {x}"}
    text = effect.get(more, f"{capital(y)} differs with {x}")
    if arrow.kind == "genuine":
        return f"{text}; the graph counts {x} as a cause."
    return f"{text}; the graph counts {x} as a possible cause."


def verdict(test, unit, alpha=0.05):
    """What the permutation over chips says.

    Parameters
    ----------
    test : dict of permutation_p
    unit : "chip" or "sample"
    """
    units = counted(test["units"], unit)
    if test["p"] is None:
        return f"It cannot be tested: among {units} no two could have changed places."
    p = f"p {'=' if test['exact'] else '≈'} {short(test['p'], 2)}"
    floor = f"{units} could have been assigned in {test['arrangements']:,} ways, so the smallest attainable p is {short(test['smallest_p'], 2)}"
    if test["smallest_p"] > alpha:
        reached = abs(test["p"] - test["smallest_p"]) < 1e-9
        here = "and it is reached here: the chips could not differ more clearly" if reached else f"here {p}"
        return (
            f"{capital(number_word(test['units']))} {unit}s cannot decide this: {floor} ({here.replace('chip', unit)}). "
            f"The graph counts every cell as a witness; the {unit} is what was treated."
        )
    if test["p"] <= alpha:
        return f"The {unit}s bear it out: {p} when they change places ({floor})."
    return f"The {unit}s alone do not bear it out: {p} when they change places ({floor})."


def undecidable(name, units, unit, smallest):
    """ "Eight chips cannot decide a CAF effect (smallest attainable p 0.056)." """
    return (
        f"{capital(number_word(units))} {unit}{'s' if units != 1 else ''} cannot decide a {name} effect "
        f"(smallest attainable p {short(smallest, 2)})."
    )


def counts_of_kinds(kinds):
    """ "3 genuine causal, 2 undirected" of a list of kinds."""
    return listed(f"{kinds.count(kind)} {label}" for kind, label in KIND_LABELS.items() if kind in kinds)
