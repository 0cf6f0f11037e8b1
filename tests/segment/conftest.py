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
def shipped():
    """The shipped model, loaded once."""
    from cytocause.segment.cellpose3 import Cellpose3
    from cytocause.segment.models import resolve_model

    return Cellpose3(resolve_model("toc-nuclei"))
