"""Room `simulate`: a tumour-on-chip whose causal graph is known, from cause to pixel.

    parse_model      YAML text -> CausalModel            (model)
    SimulatedChip    one chip: masks, images, tracks, events, variables   (chip)
    simulate_table   many chips without pixels, as one table   (table)
    truth_graph      what a learned graph is scored against   (graph)
    training_frames  varied frames with masks to train a segmentation model   (training)
"""

_HOME = {
    "CausalModel": "model", "ModelError": "model", "lag_frames": "model", "parse_model": "model",
    "SimulatedChip": "chip", "empty_variables": "chip", "CHANNELS": "pixels", "render_frame": "pixels",
    "simulate_table": "table", "truth_graph": "graph", "training_frames": "training",
}  # fmt: skip
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'cytocause.simulate' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"cytocause.simulate.{_HOME[name]}"), name)
