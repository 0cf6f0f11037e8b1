"""measure: one row of features per cell and frame.

Public: `measure_cells`, `empty_cells`; the pieces `region_shapes`, `region_intensities`, `motion`, `contacts` stand alone.
"""

from .cells import cell_columns, empty_cells, measure_cells
from .contacts import contacts
from .intensity import region_intensities
from .motion import motion, rate_of_change
from .shape import region_shapes

__all__ = [
    "cell_columns",
    "contacts",
    "empty_cells",
    "measure_cells",
    "motion",
    "rate_of_change",
    "region_intensities",
    "region_shapes",
]
