"""assemble: one table of trajectories x time steps x variables, and the design behind it (see README.md).

Public: `Sample`, `assemble_table`, `failed_samples`; `design`, `smallest_p`, `choose` and `follow` stand alone.
"""

from .choice import choose
from .design import design, smallest_p
from .table import Sample, assemble_table, failed_samples
from .trajectories import follow

__all__ = ["Sample", "assemble_table", "choose", "design", "failed_samples", "follow", "smallest_p"]
