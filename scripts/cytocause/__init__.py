"""cytocause: from raw time-lapse microscopy to temporal causal graphs."""

__version__ = "0.1.0"
