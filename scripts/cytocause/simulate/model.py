"""The causal model: what acts on what, when, how strongly, as a plain object.

    treatment ----(+)----> death          variables   contextual, exogenous, chip, cell, hazard (see parse)
    treatment ----(-)----> mitosis        edges       source, target, lag_min, sign, strength, form
    contact --30 min (+)-> death

An edge adds `sign * strength * form(source, lag_min ago)` to the logarithm of its target (to the elongation itself for
`elongation`). Every variable has its place in the step, so an edge without lag must point forward in STEP_ORDER:

    fitness -> cycle_age -> growth -> shield -> size -> speed -> elongation -> density -> contact -> contact_time -> mitosis, death

and what is known only after the cells have moved (MOVED) can act within the step on the hazards alone.
"""

from dataclasses import dataclass, field, replace

from cytocause.io import InputDefect

STEP_ORDER = (
    "fitness", "cycle_age", "growth", "shield", "size", "speed", "elongation", "density", "contact", "contact_time",
    "mitosis", "death",
)  # fmt: skip
HAZARDS = ("mitosis", "death")
MOVED = ("speed", "density", "contact", "contact_time")
NEEDED = ("size", "speed", "elongation", "contact", "mitosis", "death")  # a model without one of them is none
TARGETS = ("growth", "size", "speed", "elongation", "contact", "mitosis", "death")  # what an edge may act on
CONSTANT = ("contextual", "chip")  # kinds with one value for a whole chip
FORMS = ("linear", "saturating", "threshold", "u_shaped")
POPULATIONS = ("tumour", "immune", "caf")
EVENTS = {"mitosis": "division_event", "death": "death_event"}  # what is seen of a hazard


class ModelError(InputDefect):
    """A causal model that cannot be run; the message names file, line and reason."""


@dataclass(frozen=True)
class Variable:
    """One variable. `observed` is its column in the cell and event tables (its own name where it is hidden), `proxies` others of its formula."""

    name: str
    kind: str
    observed: str
    unit: str
    meaning: str
    proxies: tuple
    values: dict
    hidden: bool = False
    schedule: tuple = ()
    lines: dict = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Edge:
    """source at (t - lag) acts on target at t. `half` is the half-saturation or the threshold, `centre` the bottom of a U."""

    source: str
    target: str
    lag_min: float
    sign: int
    strength: float
    form: str
    half: float
    centre: float = 0.0
    line: int = field(default=0, compare=False)

    @property
    def name(self):
        """How a model without this edge is called: full_minus_<name>."""
        return f"{self.source}_{self.target}"


@dataclass(frozen=True)
class CausalModel:
    """A checked model. Times in min, lengths in um, rates per hour. `tissue` holds what moves all cells alike."""

    name: str
    description: str
    variables: dict
    populations: dict
    edges: tuple
    tissue: dict = field(default_factory=dict)
    source: str = field(default="", compare=False)
    population_lines: dict = field(default_factory=dict, compare=False)  # population -> field -> line of the file

    def of_kind(self, kind):
        """Names of the variables of a kind, in the order of the file."""
        return [v.name for v in self.variables.values() if v.kind == kind]

    def contextual(self):
        """Names of the conditions, in the order of the file."""
        return self.of_kind("contextual")

    def without(self, *pairs):
        """The same model with the edges (source, target) in `pairs` switched off."""
        drop = set(pairs)
        kept = tuple(e for e in self.edges if (e.source, e.target) not in drop)
        return replace(self, edges=kept)

    def named(self, name):
        """The model that `name` (as in the sample sheet) stands for: itself, or <model>_minus_<edge> with that edge switched off.

        Raises
        ------
        ModelError
            When there is no such edge; the sentence lists those there are.
        """
        base, minus, edge = str(name).partition("_minus_")
        if not minus or "/" in name or "\\" in name or name.endswith((".yaml", ".yml")):
            return self  # a path names its own file
        pairs = {(e.source, e.target) for e in self.edges if e.name == edge}
        if not pairs:
            known = ", ".join(dict.fromkeys(e.name for e in self.edges)) or "none"
            raise ModelError(f"{self.source or base}: the model has no edge '{edge}' to take away; its edges are {known}")
        return replace(self.without(*pairs), name=f"{self.name}_minus_{edge}")

    def where(self, variable=None, key=None):
        """"<file>, line <n>" of a variable or of one of its fields, for errors."""
        lines = self.variables[variable].lines if variable else {}
        return self._line(lines.get(key, lines.get("name")))

    def where_population(self, population, key=None):
        """"<file>, line <n>" of a population or of one of its fields, for errors."""
        lines = self.population_lines.get(population, {})
        return self._line(lines.get(key, lines.get("name")))

    def where_edge(self, edge):
        """"<file>, line <n>" of an edge, for errors."""
        return self._line(edge.line)

    def _line(self, line):
        return f"{self.source or self.name}, line {line}" if line else self.source or self.name

    def nodes(self, noise="auto"):
        """Variables as nodes of the true graph; see links.nodes."""
        from .links import nodes

        return nodes(self, noise)

    def causal_links(self, frame_interval_min, noise="auto"):
        """Links of the true graph on the simulator's own step; see links.causal_links."""
        from .links import causal_links

        return causal_links(self, frame_interval_min, noise)


def lag_frames(model, frame_interval_min):
    """Lags of the model's edges in frames.

    Returns
    -------
    list of int, in the order of model.edges

    Raises
    ------
    ModelError
        When a lag is no whole number of frame intervals.
    """
    frames = []
    for edge in model.edges:
        lag = edge.lag_min / frame_interval_min
        if abs(lag - round(lag)) > 1e-6:
            raise ModelError(
                f"{model.where_edge(edge)}: the edge {edge.source} -> {edge.target} has a lag of {edge.lag_min:g} min, which is "
                f"no whole number of frames at {frame_interval_min:g} min a frame; use a multiple of the interval"
            )
        frames.append(round(lag))
    return frames


def division_delay(model, frame_interval_min):
    """Frames from entry into mitosis to the daughters' first frame, on average."""
    return max(2, round(model.variables["mitosis"].values["duration_min"] / frame_interval_min))
