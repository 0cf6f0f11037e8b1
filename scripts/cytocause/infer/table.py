"""The table that enters: trajectories on a regular grid of time steps, one array per variable.

    trajectory  time  speed  drug            rows sorted by (trajectory, time); a step that is absent is kept as a
    c1            0    0.1   yes             row of missing values, so that "lag 2" is always two steps
    c1            1    0.4   yes
    c1            3    0.2   yes    <- gap: step 2 is added, missing

Kinds: continuous | discrete. Roles: dynamic | contextual (constant along a trajectory, never has a parent) |
exogenous (varies in time, never has a parent) | consequence (static tables: never a cause). Source: spec section 1.1.
"""

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import pandas as pd

KINDS = ("continuous", "discrete")
ROLES = ("dynamic", "contextual", "exogenous", "consequence")
COLUMNS = ("name", "kind", "role", "levels", "n_layers", "delta_t", "mov_avg")
FEW_VALUES = 5  # numeric columns with fewer distinct values are discrete unless declared
MANY_LEVELS = 50  # rows per level below which a discrete variable pays too much to be connected
MOST_GAP_ROWS = 10  # times the rows of the table that gaps may add
USUAL_TRAJECTORY = "trajectory"  # the default name, of a column that need not be there
EXACT = 2.0**53  # whole numbers beyond are not told apart as floating point


class NothingToInfer(ValueError):
    """The table is sound but leaves nothing to infer from: no rows, no variables, too short trajectories."""


@dataclass
class Variable:
    """One variable: codes (rows,) int32 rank of the value or -1, and what the codes stand for."""

    name: str
    kind: str
    role: str
    codes: np.ndarray | None  # None once the layers are made
    numbers: np.ndarray | None  # float64, in the order of the codes; None where they are text
    distinct: list | np.ndarray | pd.Index  # in the order of the codes
    declared: bool
    ordered: bool  # its codes have an order, so that a sign has a meaning
    n_layers: int | None = None
    delta_t: int | None = None
    mov_avg: int | None = None
    unit: str = ""

    @property
    def values(self):
        """(rows,) float64 with NaN where missing; the codes where they stand for text. Made anew at each call."""
        if self.numbers is None:
            return np.where(self.codes >= 0, self.codes, np.nan)
        return np.append(self.numbers, np.nan)[self.codes]

    def forget_rows(self):
        """Leave what is known of the whole column only."""
        self.codes = self.numbers = self.distinct = None


@dataclass
class Data:
    """Variables on a common grid. starts (trajectories+1,) int64: first row of each trajectory; real (rows,) bool."""

    variables: list
    starts: np.ndarray
    real: np.ndarray
    weights: np.ndarray
    step: float
    temporal: bool
    warnings: list = field(default_factory=list)


def read_variables(variables):
    """The table of variables as a dict name -> dict of settings; None gives an empty one."""
    if variables is None:
        return {}
    if not isinstance(variables, pd.DataFrame):
        variables = pd.DataFrame(list(variables) if not isinstance(variables, dict) else variables)
    if "name" not in variables.columns:
        raise ValueError(f"The table of variables has no column 'name'; it has {', '.join(map(str, variables.columns))}.")
    out = {}
    for row_number, row in enumerate(variables.to_dict("records")):
        settings = {key: value for key, value in row.items() if not _blank(value)}
        name = str(settings.pop("name", ""))
        if not name:
            raise ValueError(f"Row {row_number} of the table of variables has no name.")
        if name in out:
            raise ValueError(f"The table of variables names {name!r} twice (row {row_number}).")
        for key, allowed in (("kind", KINDS), ("role", ROLES)):
            if key in settings and settings[key] not in allowed:
                raise ValueError(
                    f"Variable {name!r} has {key} {settings[key]!r}; expected one of {', '.join(allowed)}."
                )
        for key, least in (("n_layers", 1), ("delta_t", 1), ("mov_avg", 0)):
            if key in settings:
                number = settings[key]
                try:
                    whole = int(number)
                except (TypeError, ValueError):
                    whole = None
                if whole is None or whole != float(number) or whole < least:
                    raise ValueError(f"Variable {name!r} has {key} {number!r}; expected a whole number >= {least}.")
                settings[key] = whole
        out[name] = settings
    return out


def _blank(value):
    if isinstance(value, (list, tuple, np.ndarray)):
        return len(value) == 0
    return value is None or value is pd.NA or value != value or value == ""  # noqa: PLR0124 - NaN


def read_data(table, variables, *, trajectory, time, sample_weights=None, static_roles=False):
    """Check the table and lay it out: Data.

    table: DataFrame, one row per (trajectory, time), or anything that has columns, a length, and gives a Series by name;
    variables: as for infer(), which also selects and orders columns (None: every column but trajectory and time). time=None: a static table.
    trajectory: the default name may be absent, then a new one starts where time goes back; any other must be there.
    Raises ValueError naming column and row.
    """
    settings = read_variables(variables)
    warnings = []
    if isinstance(table, pd.DataFrame):
        table = table.copy(deep=False)
        table.index = pd.RangeIndex(len(table))
        table.columns = [str(name) for name in table.columns]
    duplicated = table.columns[table.columns.duplicated()]
    if len(duplicated):
        raise ValueError(f"The table has two columns named {duplicated[0]!r}; rename one.")
    if trajectory not in (None, USUAL_TRAJECTORY) and trajectory not in table.columns:
        raise ValueError(
            f"The table has no column {trajectory!r} for the trajectory; its columns are {', '.join(map(str, table.columns))}."
        )
    keys = [name for name in (trajectory, time) if name is not None and name in table.columns]
    if time is not None and time not in table.columns:
        raise ValueError(
            f"The table has no column {time!r} for time; name it with time=..., or give time=None for a static table."
        )
    names = list(settings) if settings else [name for name in table.columns if name not in keys]
    for name in names:
        if name not in table.columns:
            raise ValueError(f"Variable {name!r} is not a column of the table; its columns are {', '.join(table.columns)}.")
        if "," in name:
            raise ValueError(f"Column {name!r} has a comma in its name, which separates names in the results; rename it.")
    if len(table) == 0:
        raise NothingToInfer("The table has no rows; nothing can be inferred.")
    temporal = time is not None
    rows, starts, real, step = _grid(table, trajectory, time, warnings)
    weights = np.empty(0)
    if sample_weights is not None:
        given = np.asarray(sample_weights, np.float64)
        if given.shape != (len(table),) or not np.isfinite(given).all() or (given < 0).any():
            raise ValueError(f"sample_weights must be {len(table)} finite numbers >= 0, one per row of the table.")
        weights = np.where(rows >= 0, given[rows], 0.0)
    out = []
    for name in names:
        row = settings.get(name, {})
        variable = _variable(name, table[name], row, rows, temporal, warnings, trajectory, time)
        if variable is None:
            continue
        if temporal and variable.role == "contextual":
            _check_contextual(variable, starts, real, table, rows, trajectory)
        out.append(variable)
    if not out:
        raise NothingToInfer("No variable is left: every column is empty.")
    _same_columns(out, warnings)
    return Data(out, starts, real, weights, step, temporal, warnings)


def _grid(table, trajectory, time, warnings):
    """Row of the table at each place of the grid (-1: added), first places, which are real, and the time step."""
    n = len(table)
    if time is None:
        return np.arange(n), np.array([0, n]), np.ones(n, bool), 1.0
    stamps = pd.to_numeric(table[time], errors="coerce").to_numpy(np.float64)
    if not np.isfinite(stamps).all():
        row = int(np.flatnonzero(~np.isfinite(stamps))[0])
        raise ValueError(f"Column {time!r} is not a finite number at row {row} ({plain(table[time].iloc[row])!r}).")
    if trajectory is not None and trajectory in table.columns:
        if table[trajectory].isna().any():
            row = int(np.flatnonzero(table[trajectory].isna())[0])
            raise ValueError(f"Column {trajectory!r} is empty at row {row}; every row belongs to a trajectory.")
        ids = pd.factorize(table[trajectory])[0]
        if (np.diff(stamps)[np.diff(ids) == 0] < 0).any():
            row = int(np.flatnonzero((np.diff(ids) == 0) & (np.diff(stamps) < 0))[0]) + 1
            warnings.append(f"Time goes back inside a trajectory (first at row {row}); rows were sorted by time.")
    else:
        # without an identity a new trajectory starts where time goes back
        ids = np.concatenate(([0], np.cumsum(np.diff(stamps) < 0)))
    order = np.lexsort((stamps, ids))
    sorted_ids, sorted_stamps = ids[order], stamps[order]
    inside = np.diff(sorted_ids) == 0
    steps = np.diff(sorted_stamps)[inside]
    if (steps <= 0).any():
        at = np.flatnonzero(inside & (np.diff(sorted_stamps) <= 0))[0]
        name = table[trajectory].iloc[order[at]] if trajectory in table.columns else sorted_ids[at]
        raise ValueError(
            f"Trajectory {name} has time {sorted_stamps[at]:g} twice, at rows {min(order[at : at + 2])} and "
            f"{max(order[at : at + 2])}; keep one row per trajectory and time."
        )
    step = _time_step(steps, time)
    firsts = np.concatenate(([0], np.flatnonzero(~inside) + 1))
    lasts = np.concatenate((np.flatnonzero(~inside), [n - 1]))
    offset = np.round((sorted_stamps - np.repeat(sorted_stamps[firsts], lasts - firsts + 1)) / step).astype(np.int64)
    lengths = offset[lasts] + 1
    starts = np.concatenate(([0], np.cumsum(lengths)))
    added = int(starts[-1] - n)
    if added > MOST_GAP_ROWS * n:
        raise ValueError(
            f"Times in {time!r} leave {added} steps of {step:g} without a row in a table of {n} rows; "
            "check that they are on one scale."
        )
    if added:
        warnings.append(f"{added} time steps of {step:g} have no row; they are kept as missing.")
    rows = np.full(starts[-1], -1, np.int64)
    rows[np.repeat(starts[:-1], lasts - firsts + 1) + offset] = order
    return rows, starts, rows >= 0, step


def _time_step(steps, time):
    """Greatest common step of the time differences; they must be whole multiples of it."""
    if steps.size == 0:
        return 1.0
    distinct = np.unique(steps)
    if (distinct == np.round(distinct)).all() and distinct[-1] < 2**53:
        return float(np.gcd.reduce(distinct.astype(np.int64)))
    step = distinct[0]
    ratio = distinct / step
    if np.abs(ratio - np.round(ratio)).max() > 0.1:
        bad = distinct[np.argmax(np.abs(ratio - np.round(ratio)))]
        raise ValueError(
            f"Times in {time!r} are uneven: steps of {step:g} and of {bad:g} occur; resample to even steps first."
        )
    return float(step)


def _variable(name, column, row, rows, temporal, warnings, trajectory, time):
    """One checked Variable on the grid, or None where nothing is in it."""
    role = row.get("role", "dynamic")
    if temporal and role == "consequence":
        raise ValueError(f"Variable {name!r} is a consequence; this role is only for static tables.")
    if not temporal and role == "exogenous":
        role = "contextual"
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    if pd.api.types.is_datetime64_any_dtype(column):
        raise ValueError(f"Column {name!r} holds dates; give a number (for example minutes from the start).")
    if not numeric:
        column = column.where(column.isna(), column.astype(str).str.strip())
        column = column.mask(column == "")
        converted = pd.to_numeric(column, errors="coerce")
        numeric_text = converted.notna().sum() == column.notna().sum()
    else:
        numeric_text = True
    kind = row.get("kind")
    levels = row.get("levels")
    if kind == "continuous" and not numeric:
        if not numeric_text:
            bad = int(np.flatnonzero((converted.isna() & column.notna()).to_numpy())[0])
            raise ValueError(
                f"Column {name!r} is declared continuous but holds text at row {bad} ({plain(column.iloc[bad])!r}); "
                "declare it discrete or correct the value."
            )
        column, numeric = converted, True
    if numeric and pd.api.types.is_float_dtype(column):
        _check_floats(name, column.to_numpy(np.float64, na_value=np.nan), warnings)
    elif not numeric and numeric_text and converted.abs().between(EXACT, np.inf, inclusive="left").any():
        warnings.append(
            f"Column {name!r} is text that holds whole numbers beyond 2^53; it is taken as labels, which are told apart exactly, "
            "but have no size. Declare it continuous if its size matters."
        )
    codes, distinct = pd.factorize(column, sort=True)  # not as a list: the numbers of a long table are objects there
    if len(distinct) == 0:
        warnings.append(f"Column {name!r} has no value at all; it is left out.")
        return None
    if not numeric and numeric_text:
        # numbers as text: their order is that of the numbers
        order = np.argsort([float(level) for level in distinct], kind="stable")
        codes, distinct = _reorder(codes, distinct, order)
    declared = kind is not None
    if kind is None:
        kind = "continuous" if numeric and len(distinct) >= FEW_VALUES else "discrete"
    if kind == "continuous" and len(distinct) <= 2:
        kind = "discrete"
    ordered = numeric_text or levels is not None
    if levels is not None and kind == "discrete":
        codes, distinct = _by_levels(name, codes, list(distinct), levels)
    if len(distinct) == 1:
        warnings.append(f"Column {name!r} is constant ({distinct[0]}); it cannot be connected to anything.")
    if kind == "discrete" and len(distinct) > max(10, len(column) / MANY_LEVELS):
        warnings.append(
            f"Column {name!r} is discrete with {len(distinct)} levels in {len(column)} rows; it will hardly be "
            "connected. Group its levels, or declare it continuous if its values are numbers."
        )
    numbers = np.asarray(distinct, np.float64) if numeric else None
    if numeric and pd.api.types.is_integer_dtype(column) and np.abs(numbers).max() > EXACT:
        warnings.append(
            f"Column {name!r} has whole numbers beyond 2^53; they are compared exactly, but their size is rounded."
        )
    placed = np.where(rows >= 0, codes[rows], -1).astype(np.int32)
    return Variable(
        name, kind, role, placed, numbers, distinct, declared, ordered,
        row.get("n_layers"), row.get("delta_t"), row.get("mov_avg"), str(row.get("unit", "")),
    )  # fmt: skip


def _check_floats(name, numbers, warnings):
    """Refuse infinite values of a column (rows,) float64; name one whose whole numbers have lost digits before they came here."""
    infinite = np.isinf(numbers)
    if infinite.any():
        raise ValueError(
            f"Column {name!r} is infinite at row {int(np.flatnonzero(infinite)[0])} "
            f"({int(infinite.sum())} such values); make them missing or finite."
        )
    present = numbers[~np.isnan(numbers)]
    if present.size and np.abs(present).max() >= EXACT and (present == np.rint(present)).all():
        warnings.append(
            f"Column {name!r} has whole numbers beyond 2^53 as floating point, in which their last digits are lost: different "
            "ones may count as equal. Give them as integers (a column with gaps as Int64), or as text if they are labels."
        )


def _reorder(codes, distinct, order):
    place = np.empty(len(distinct), np.int64)
    place[order] = np.arange(len(distinct))
    return np.where(codes >= 0, place[codes], -1), [distinct[k] for k in order]


def _by_levels(name, codes, distinct, levels):
    """Order the codes of a discrete variable by its declared levels."""
    if isinstance(levels, str):
        levels = levels.split(",")
    elif not isinstance(levels, (list, tuple, np.ndarray)):
        levels = [levels]
    wanted = {_text(level): place for place, level in enumerate(levels)}
    for level in distinct:
        if _text(level) not in wanted:
            raise ValueError(
                f"Variable {name!r} has the value {plain(level)!r}, which is not among its levels {', '.join(wanted)}."
            )
    return _reorder(codes, distinct, np.argsort([wanted[_text(level)] for level in distinct], kind="stable"))


def plain(value):
    """A value of a table as Python's own, for messages."""
    return value.item() if isinstance(value, np.generic) else value


def _text(level):
    """A level as text, 1, 1.0 and "1" alike."""
    try:
        return f"{float(level):g}"
    except (TypeError, ValueError):
        return str(level).strip()


def _check_contextual(variable, starts, real, table, rows, trajectory):
    """A condition is constant along a trajectory; steps that were added take its value, values that are missing stay so."""
    for k in range(starts.size - 1):
        part = slice(starts[k], starts[k + 1])
        present = variable.codes[part][variable.codes[part] >= 0]
        if present.size == 0:
            continue
        if (present != present[0]).any():
            row = rows[part][np.flatnonzero(variable.codes[part] == present[present != present[0]][0])[0]]
            name = table[trajectory].iloc[row] if trajectory in table.columns else k
            raise ValueError(
                f"Variable {variable.name!r} is contextual but varies inside trajectory {name} (row {row}); "
                "declare it exogenous if it changes in time."
            )
        added = ~real[part]
        variable.codes[part][added] = present[0]


def _same_columns(variables, warnings):
    """Name pairs of variables that carry the same information (equal codes)."""
    seen = {}
    for variable in variables:
        key = sha256(variable.codes).digest()
        if key in seen and len(variable.distinct) > 1:
            warnings.append(
                f"Columns {seen[key]!r} and {variable.name!r} are identical up to scale; what one is joined to, the other is too. Keep one."
            )
        else:
            seen[key] = variable.name
