"""Parameters of an inference, their defaults and what they may be.

The workflow's defaults are in workflow/schemas/infer.schema.yaml; a test holds the two together. Source: spec section 7.
"""

import math
from dataclasses import dataclass, fields

LATENT = ("no", "orientation", "yes")
CONSISTENT = ("no", "orientation", "skeleton")
COMPLEXITY = ("nml", "bic")
N_EFF = ("pairwise", "conditions")  # effective sizes by pair of variables: for all pairs, for those with a condition


@dataclass(frozen=True)
class Settings:
    """One inference. Informations in nats, ratios without unit, layers and strides in time steps; -1 or None: automatic."""

    n_layers: int | None = None
    delta_t: int | None = None
    max_nodes: int = 50
    mov_avg: int = 0
    keep_max_data: bool = False
    n_eff: float | str = -1
    n_shuffles: int = 0
    conf_threshold: float = 0.01
    ort_proba_ratio: float = 1.0
    ort_consensus_ratio: float | None = None
    latent: str = "orientation"
    propagation: bool = False
    orientation: bool = True
    cplx: str = "nml"
    negative_info: bool = False
    consistent: str = "no"
    max_iteration: int = 100
    consensus_threshold: float = 0.8
    test_mar: bool = True
    black_box: tuple = ()
    read_from: tuple = ()
    max_bins: int = 50
    legacy: bool = False
    frame_interval_min: float | None = None
    frames_per_step: float = 1.0

    @property
    def consensus_ratio(self):
        return self.ort_proba_ratio if self.ort_consensus_ratio is None else self.ort_consensus_ratio


_RANGES = {
    "n_layers": (1, 1000),
    "delta_t": (1, 1_000_000),
    "max_nodes": (2, 100_000),
    "mov_avg": (0, 1_000_000),
    "n_shuffles": (0, 1_000_000),
    "conf_threshold": (0, 1),
    "ort_proba_ratio": (0, 1),
    "ort_consensus_ratio": (0, 1),
    "max_iteration": (1, 1_000_000),
    "consensus_threshold": (0.5, 1),
    "max_bins": (2, 1000),
    "frame_interval_min": (0, 1_000_000),
    "frames_per_step": (0, 1_000_000),
}
_CHOICES = {"latent": LATENT, "consistent": CONSISTENT, "cplx": COMPLEXITY}
_WHOLE = ("n_layers", "delta_t", "max_nodes", "mov_avg", "n_shuffles", "max_iteration", "max_bins")
_FLAGS = ("keep_max_data", "propagation", "orientation", "negative_info", "test_mar", "legacy")
# read by infer() itself, so that a whole section of a config may be handed over
PASSED_ON = ("seed", "threads", "n_threads", "mode", "sample_weights")


def read_settings(config):
    """Settings from a dict of parameter names; unknown names and values out of range are refused with what is allowed."""
    config = dict(config or {})
    known = {field.name: field.default for field in fields(Settings)}
    values = {}
    for name, value in config.items():
        if name in PASSED_ON:
            continue
        if name not in known:
            raise ValueError(f"Unknown inference parameter {name!r}; known are {', '.join(sorted(known))}.")
        values[name] = _checked(name, value, known[name])
    rule = values.get("n_eff")
    if rule in N_EFF and values.get("legacy"):
        raise ValueError(f"n_eff is {rule}, which the reference does not have; leave out legacy or n_eff.")
    if rule not in (None, -1) and config.get("sample_weights") is not None:
        raise ValueError(f"n_eff is {rule} and the rows have weights; give one of the two.")
    return Settings(**values)


def _checked(name, value, default):
    if value is None:
        if default is None or name in ("n_eff", "black_box", "read_from", "mov_avg"):
            return default
        raise ValueError(f"Inference parameter {name} is empty; its default is {default!r}.")
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise ValueError(f"Inference parameter {name} is {value!r}; expected one of {', '.join(_CHOICES[name])}.")
        return value
    if name in _FLAGS:
        if not isinstance(value, (bool,)):
            raise ValueError(f"Inference parameter {name} is {value!r}; expected true or false.")
        return value
    if name in ("black_box", "read_from"):
        return _pairs_of_variables(name, value)
    if name == "n_eff" and isinstance(value, str):
        if value not in N_EFF:
            raise ValueError(f"Inference parameter n_eff is {value!r}; expected a number, or one of {', '.join(N_EFF)}.")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"Inference parameter {name} is {value!r}; expected a number.")  # noqa: TRY004 - one kind of error for every wrong setting
    if not math.isfinite(value):
        raise ValueError(f"Inference parameter {name} is {value}; expected a finite number.")
    if name == "n_eff":
        if value != -1 and value < 1:
            raise ValueError(f"Inference parameter n_eff is {value}; expected -1 (automatic) or at least 1.")
        return float(value) if value != -1 else -1
    if name in _WHOLE:
        if value != int(value):
            raise ValueError(f"Inference parameter {name} is {value}; expected a whole number.")
        value = int(value)
    low, high = _RANGES[name]
    if not low <= value <= high:
        raise ValueError(f"Inference parameter {name} is {value}; expected {low} to {high}.")
    return value


def read_seed(value):
    """A seed as an int that the random numbers can be keyed with; ValueError for any other."""
    try:
        whole = int(value)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or isinstance(value, bool) or whole != value or not 0 <= whole < 2**64:
        raise ValueError(f"seed is {value!r}; expected a whole number from 0 to {2**64 - 1} (2^64 - 1).")
    return whole


def _pairs_of_variables(key, rows):
    """Forbidden edges, or features of events, as a tuple of (variable, variable, lag or None): v(t - lag) - w(t)."""
    out = []
    for row in rows:
        row = list(row.values()) if isinstance(row, dict) else list(row)
        if len(row) not in (2, 3):
            raise ValueError(f"{key} row {row!r} has {len(row)} entries; expected variable, variable and, in time, lag.")
        lag = row[2] if len(row) == 3 else None
        if lag is not None:
            number = isinstance(lag, (int, float)) and not isinstance(lag, bool)
            if not number or math.isinf(lag) or (not math.isnan(lag) and (lag < 0 or lag != int(lag))):
                raise ValueError(f"{key} row {row!r} has the lag {lag!r}; expected a whole number of time steps, 0 or more.")
        out.append((str(row[0]), str(row[1]), None if lag is None or math.isnan(lag) else int(lag)))
    return tuple(out)
