"""Room `simulate`: a tumour-on-chip whose causal graph is known, from cause to pixel.

    parse_model      YAML text -> CausalModel            (parse, model, links)
    SimulatedChip    one chip: masks, images, tracks, events, variables   (chip)
    simulate_table   many chips without pixels, as one table; simulate_world with all truths   (table, truths)
    truth_graph      what a learned graph is scored against   (graph)
    training_frames  varied frames with masks to train a segmentation model   (training)
"""

_HOME = {
    "CausalModel": "model", "ModelError": "model", "lag_frames": "model", "parse_model": "parse",
    "SimulatedChip": "chip", "CHANNELS": "pixels", "render_frame": "pixels",
    "simulate_table": "table", "simulate_world": "table", "truth_graph": "graph", "training_frames": "training",
}  # fmt: skip
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'cytocause.simulate' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"cytocause.simulate.{_HOME[name]}"), name)
