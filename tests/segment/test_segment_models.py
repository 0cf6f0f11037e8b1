"""A model is found by name or path, loaded whole, or refused with a sentence that says what to do. Never fetched."""

import hashlib

import pytest

from cytocause.segment.cellpose3 import SCALES
from cytocause.segment.models import ModelError, is_path, resolve_model, sha256, shipped_models


@pytest.mark.parametrize("name", ["toc-nuclei", "toc-brightfield"])
def test_the_shipped_models_are_found_by_name(name):
    path = resolve_model(name)
    assert path == shipped_models()[name]
    assert path.parent.name == "cellpose" and path.stat().st_size < 1.5e6


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(ModelError, match=r"no model 'cyto33'.*Shipped: toc-brightfield, toc-nuclei.*cyto3.*or the path of a file"):
        resolve_model("cyto33")


@pytest.mark.parametrize(("name", "file"), [("cyto3", "cyto3"), ("nuclei", "nucleitorch_0"), ("cyto", "cytotorch_0")])
def test_missing_weights_of_cellpose_say_what_to_put_where(monkeypatch, tmp_path, name, file):
    monkeypatch.setenv("CELLPOSE_LOCAL_MODELS_PATH", str(tmp_path))
    with pytest.raises(ModelError) as error:
        resolve_model(name)
    message = str(error.value)
    assert str(tmp_path / file) in message and f"https://www.cellpose.org/models/{file}" in message
    assert "CELLPOSE_LOCAL_MODELS_PATH" in message and "Nothing is downloaded" in message
    (tmp_path / file).write_bytes(b"x")
    assert resolve_model(name) == tmp_path / file


def test_without_the_variable_the_home_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("CELLPOSE_LOCAL_MODELS_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ModelError, match=".cellpose/models/cyto3 does not exist"):
        resolve_model("cyto3")


def test_a_missing_and_an_empty_file(tmp_path):
    with pytest.raises(ModelError, match="model file .*absent.pt does not exist"):
        resolve_model(str(tmp_path / "absent.pt"))
    (tmp_path / "empty.pt").touch()
    with pytest.raises(ModelError, match="empty.pt is empty"):
        resolve_model(str(tmp_path / "empty.pt"))


def test_what_counts_as_a_path():
    assert is_path("models/mine") and is_path("mine.pt") and not is_path("toc-nuclei")


def test_the_hash_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


class TestStrictLoading:
    """Cellpose loads with strict=False: what is missing stays random, and nobody hears of it."""

    def change(self, source, target, edit):
        import torch

        content = torch.load(source, weights_only=True)
        edit(content)
        torch.save(content, target)
        return target

    def test_a_whole_file_is_loaded_number_by_number(self, tiny_weights):
        import torch

        from cytocause.segment.weights import load_network

        network = load_network(tiny_weights)
        wanted = torch.load(tiny_weights, weights_only=True)["state_dict"]
        assert network.features == [1, 4, 8] and network.diam_mean == 17.0
        assert network.meta == {"scale": "asinh", "tile_px": 544}
        assert all(torch.equal(value, wanted[key].to(value.dtype)) for key, value in network.net.state_dict().items())

    def test_a_missing_parameter_is_refused(self, tiny_weights, tmp_path):
        from cytocause.segment.weights import load_network

        broken = self.change(tiny_weights, tmp_path / "m.pt", lambda c: c["state_dict"].pop("output.2.bias"))
        with pytest.raises(ModelError, match=r"1 parameters are missing \(output.2.bias\)"):
            load_network(broken)

    def test_an_unknown_parameter_is_refused(self, tiny_weights, tmp_path):
        import torch

        from cytocause.segment.weights import load_network

        broken = self.change(tiny_weights, tmp_path / "m.pt", lambda c: c["state_dict"].update(more=torch.ones(1)))
        with pytest.raises(ModelError, match=r"1 are unknown \(more\)"):
            load_network(broken)

    def test_a_parameter_of_another_shape_is_refused(self, tiny_weights, tmp_path):
        import torch

        from cytocause.segment.weights import load_network

        broken = self.change(
            tiny_weights, tmp_path / "m.pt", lambda c: c["state_dict"].update({"output.2.bias": torch.ones(5)})
        )
        with pytest.raises(ModelError, match=r"output.2.bias has shape \(5,\), \(3,\) was expected"):
            load_network(broken)

    def test_nan_is_refused(self, tiny_weights, tmp_path):
        from cytocause.segment.weights import load_network

        broken = self.change(tiny_weights, tmp_path / "m.pt", lambda c: c["state_dict"]["output.2.bias"].fill_(float("nan")))
        with pytest.raises(ModelError, match="NaN or infinite numbers in output.2.bias"):
            load_network(broken)

    def test_an_unknown_grey_scale_is_refused(self, tiny_weights, tmp_path):
        from cytocause.segment.weights import KNOWN_SCALES, load_network

        broken = self.change(tiny_weights, tmp_path / "m.pt", lambda c: c["meta"].update(scale="cubed"))
        with pytest.raises(ModelError, match="wants the grey scale 'cubed', and this version of cytocause knows linear, asinh, centred"):
            load_network(broken)
        assert set(KNOWN_SCALES) == set(SCALES)

    def test_a_file_of_something_else_is_refused(self, tmp_path):
        import torch

        from cytocause.segment.weights import load_network

        (tmp_path / "text.pt").write_text("not weights")
        with pytest.raises(ModelError, match="is not a file of network weights"):
            load_network(tmp_path / "text.pt")
        torch.save({"W2": torch.ones(1)}, tmp_path / "v4.pt")
        with pytest.raises(ModelError, match="Cellpose 4"):
            load_network(tmp_path / "v4.pt")
        torch.save([1, 2], tmp_path / "list.pt")
        with pytest.raises(ModelError, match="no state dict"):
            load_network(tmp_path / "list.pt")
        torch.save({"a": torch.ones(1)}, tmp_path / "other.pt")
        with pytest.raises(ModelError, match="no Cellpose 3 network"):
            load_network(tmp_path / "other.pt")

    def test_cellposes_own_files_are_read_and_the_oldest_lack_their_diameter(self, tmp_path):
        import torch
        from cellpose.resnet_torch import CPnet

        from cytocause.segment.weights import load_network

        net = CPnet([2, 32, 64, 128, 256], 3, 3, diam_mean=30.0)
        net.save_model(tmp_path / "cyto3")
        network = load_network(tmp_path / "cyto3", "cyto3")
        assert network.n_channels == 2 and network.diam_mean == 30.0
        assert network.meta == {"scale": "linear", "tile_px": 224}
        state = {k: v for k, v in net.state_dict().items() if not k.startswith("diam")}
        torch.save(state, tmp_path / "nucleitorch_0")
        assert load_network(tmp_path / "nucleitorch_0", "nuclei").diam_mean == 17.0
