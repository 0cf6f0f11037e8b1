"""A tiny network with random weights, for what does not depend on good ones."""

import pytest


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    """File of a one-channel network of 3,000 parameters, seeded."""
    from cytocause.segment.train import make_network
    from cytocause.segment.weights import save_network

    path = tmp_path_factory.mktemp("weights") / "tiny.pt"
    save_network(make_network([4, 8], 17.0, seed=0), path, scale="asinh", tile_px=544)
    return path


@pytest.fixture(scope="session")
def networks():
    """The shipped models by name, each loaded once."""
    from cytocause.segment.cellpose3 import Cellpose3
    from cytocause.segment.models import shipped_models

    return {name: Cellpose3(path) for name, path in shipped_models().items()}


@pytest.fixture(scope="session")
def shipped(networks):
    """The model that is the default."""
    return networks["toc-nuclei"]
