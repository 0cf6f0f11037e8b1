"""Movies: every way a microscope hands them over gives the same frames back."""

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytocause.io import InputDefect, open_movie, write_movie
from cytocause.io.frame_files import arrange

FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def pixels(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, endpoint=True).astype(dtype)


def same(movie, expected):
    """Every frame of `movie` equals `expected` (T, C, Y, X), read in an order that jumps."""
    assert (movie.n_frames, movie.n_channels, movie.height, movie.width) == expected.shape
    for t in [*range(movie.n_frames)][::-1]:
        for c in range(movie.n_channels):
            got = movie.frame(t, c)
            assert got.dtype == expected.dtype and got.dtype.isnative
            np.testing.assert_array_equal(got, expected[t, c])
    return True


@FEW
@given(
    sizes=st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(3, 20), st.integers(3, 20)),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "float32", "float64"]),
    order=st.permutations("TC"),
    compression=st.sampled_from([None, "zlib", "lzw"]),
    byteorder=st.sampled_from("<>"),
)
def test_declared_axes_in_any_order(tmp_path, sizes, dtype, order, compression, byteorder):
    movie = pixels(sizes, dtype)
    axes = "".join(order) + "YX"
    stored = movie.transpose(["TCYX".index(a) for a in axes])
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, stored, compression=compression, photometric="minisblack", metadata=None, byteorder=byteorder)
    if sizes[0] * sizes[1] == stored.size // (sizes[2] * sizes[3]) and sizes[1] == 1:
        axes = axes.replace("C", "")  # pages in a row are one dimension
    else:
        tifffile.imwrite(path, stored, compression=compression, photometric="minisblack", byteorder=byteorder)
    with open_movie(path, axes=axes) as opened:
        assert same(opened, movie)


@FEW
@given(
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(3, 20), st.integers(3, 20)),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "float32", "float64"]),
    interval=st.floats(0.1, 100),
    pixel=st.floats(0.05, 20),
)
def test_written_movies_come_back(tmp_path, sizes, dtype, interval, pixel):
    movie = pixels(sizes, dtype)
    names = ["tumour", "immune", "caspase", "phase"][: sizes[1]]
    times = [interval * t for t in range(sizes[0])]
    path = tmp_path / "m.ome.tif"
    write_movie(path, iter(movie), channel_names=names, pixel_size_um=pixel, time_min=times)
    with open_movie(path) as opened:
        assert same(opened, movie)
        assert opened.channel_names == names
        assert opened.metadata["pixel_size_um"] == pytest.approx(pixel)
        if sizes[0] > 1:
            assert opened.metadata["frame_interval_min"] == pytest.approx(interval)
            assert opened.metadata["time_min"] == pytest.approx(times)


def test_the_same_movie_gives_the_same_bytes(tmp_path):
    movie = pixels((3, 2, 8, 9), "uint16")
    for name in ("a.ome.tif", "b.ome.tif"):
        write_movie(tmp_path / name, iter(movie), channel_names=["a", "b"], pixel_size_um=0.5, time_min=[0, 1, 3])
    assert (tmp_path / "a.ome.tif").read_bytes() == (tmp_path / "b.ome.tif").read_bytes()


def test_a_short_or_odd_iterator_writes_nothing(tmp_path):
    movie = pixels((3, 1, 8, 9), "uint16")
    with pytest.raises(ValueError, match="3 frames came, 4 were announced"):
        write_movie(tmp_path / "m.ome.tif", iter(movie), channel_names=["a"], n_frames=4)
    with pytest.raises(ValueError, match="has shape"):
        write_movie(tmp_path / "m.ome.tif", iter([movie[0], movie[1][:, 1:]]), channel_names=["a"], n_frames=2)
    assert list(tmp_path.iterdir()) == []


def test_plain_stack_is_time(tmp_path):
    movie = pixels((4, 1, 10, 12), "uint16")
    tifffile.imwrite(tmp_path / "m.tif", movie[:, 0], photometric="minisblack")
    with open_movie(tmp_path / "m.tif") as opened:
        assert same(opened, movie)
        assert opened.metadata["axes"] == "TYX" and opened.metadata["pixel_size_um"] is None
        assert opened.frame_numbers == [0, 1, 2, 3] and opened.channel_names == ["channel1"]


def test_three_pages_are_three_frames_and_not_colours(tmp_path):
    movie = pixels((3, 1, 10, 12), "uint8")
    tifffile.imwrite(tmp_path / "m.tif", movie[:, 0], photometric="minisblack")
    assert same(open_movie(tmp_path / "m.tif"), movie)


def test_colour_samples_are_channels(tmp_path):
    colours = pixels((4, 10, 12, 3), "uint8")
    tifffile.imwrite(tmp_path / "m.tif", colours, photometric="rgb")
    with open_movie(tmp_path / "m.tif") as opened:
        assert same(opened, colours.transpose(0, 3, 1, 2))
    planar = pixels((4, 3, 10, 12), "uint8")
    tifffile.imwrite(tmp_path / "p.tif", planar, photometric="rgb", planarconfig="separate")
    with open_movie(tmp_path / "p.tif") as opened:
        assert same(opened, planar)


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m", "µm"])
def test_imagej_hyperstack(tmp_path, unit):
    movie = pixels((4, 2, 10, 12), "uint16")
    written = unit if unit.isascii() else "um"
    tifffile.imwrite(
        tmp_path / "m.tif",
        movie,
        imagej=True,
        resolution=(1 / 0.65, 1 / 0.65),
        metadata={"axes": "TCYX", "unit": written, "finterval": 300.0},
    )
    with open_movie(tmp_path / "m.tif") as opened:
        assert same(opened, movie)
        assert opened.metadata["pixel_size_um"] == pytest.approx(0.65, rel=1e-6)
        assert opened.metadata["frame_interval_min"] == pytest.approx(5.0)


def test_pixels_without_a_unit_have_no_size(tmp_path):
    movie = pixels((4, 10, 12), "uint16")
    for unit in ("pixel", "", "inch_?"):
        tifffile.imwrite(
            tmp_path / "m.tif", movie, imagej=True, resolution=(2.0, 2.0), metadata={"axes": "TYX", "unit": unit}
        )
        assert open_movie(tmp_path / "m.tif").metadata["pixel_size_um"] is None


@pytest.mark.parametrize(
    ("size", "unit", "um"), [(650.0, "nm", 0.65), (0.00065, "mm", 0.65), (0.65, "µm", 0.65), (0.65, "pixel", None)]
)
def test_ome_units(tmp_path, size, unit, um):
    movie = pixels((3, 10, 12), "uint16")
    metadata = {
        "axes": "TYX",
        "PhysicalSizeX": size,
        "PhysicalSizeXUnit": unit,
        "PhysicalSizeY": size,
        "PhysicalSizeYUnit": unit,
        "TimeIncrement": 90,
        "TimeIncrementUnit": "s",
        "Plane": {"DeltaT": [10.0, 100.0, 280.0], "DeltaTUnit": ["s"] * 3},
        "Channel": {"Name": ["GFP 488 nm"]},
    }
    tifffile.imwrite(tmp_path / "m.ome.tif", movie, metadata=metadata)
    with open_movie(tmp_path / "m.ome.tif") as opened:
        assert opened.metadata["pixel_size_um"] == (None if um is None else pytest.approx(um))
        assert opened.metadata["frame_interval_min"] == pytest.approx(1.5)
        assert opened.metadata["time_min"] == pytest.approx([0.0, 1.5, 4.5])
        assert opened.channel_names == ["GFP_488_nm"]
        np.testing.assert_array_equal(opened.frame(1, "GFP 488 nm"), opened.frame(1, "GFP_488_nm"))


def test_pixels_that_are_not_square_are_told_apart(tmp_path):
    movie = pixels((3, 10, 12), "uint16")
    tifffile.imwrite(
        tmp_path / "m.ome.tif", movie, metadata={"axes": "TYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.7}
    )
    said = open_movie(tmp_path / "m.ome.tif").metadata
    assert said["pixel_size_um"] is None and said["pixel_size_xy_um"] == (0.5, 0.7)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_folder_of_frames_in_number_order_with_gaps(tmp_path, compression):
    movie = pixels((5, 1, 10, 12), "uint16")
    for image, number in zip(movie[:, 0], [8, 9, 10, 12, 100]):
        tifffile.imwrite(tmp_path / f"run2_t{number}_raw.tif", image, compression=compression)
    (tmp_path / "notes.txt").write_text("not a frame")
    with open_movie(tmp_path) as opened:
        assert opened.frame_numbers == [0, 1, 2, 4, 92]
        assert same(opened, movie)
    shuffled = sorted(tmp_path.glob("*.tif"), key=lambda p: p.name[::-1])
    with open_movie(shuffled) as opened:
        assert opened.frame_numbers == [0, 1, 2, 4, 92]
        assert same(opened, movie)


def test_folder_of_frames_with_channels(tmp_path):
    movie = pixels((4, 3, 10, 12), "uint16")
    for number, image in enumerate(movie):
        tifffile.imwrite(tmp_path / f"f{number:03d}.tif", image, photometric="minisblack")
    with open_movie(tmp_path, channels=["a", "b", "c"]) as opened:
        assert same(opened, movie)


@pytest.mark.parametrize("pattern", ["run1_t{t}_c{c}.tif", "scan w{c} {t:03d}.tif", "t{t}_ch0{c}.tif"])
def test_folder_with_a_file_for_each_channel(tmp_path, pattern):
    movie = pixels((4, 2, 10, 12), "uint16")
    for t, number in enumerate([1, 2, 3, 5]):
        for c in range(2):
            tifffile.imwrite(tmp_path / pattern.format(t=number, c=c + 1), movie[t, c])
    with open_movie(tmp_path, channels=["a", "b"]) as opened:
        assert same(opened, movie)
        assert opened.frame_numbers == [0, 1, 2, 4] and opened.channel_names == ["a", "b"]


def test_a_set_of_ome_files_is_one_movie(tmp_path):
    """Micro-Manager and others split a movie in files that each describe the whole set."""
    movie = pixels((4, 1, 10, 12), "uint16")
    ids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{i}" for i in range(2)]
    planes = "".join(
        f'<TiffData FirstT="{t}" IFD="{t % 2}" PlaneCount="1"><UUID FileName="f_{t // 2}.ome.tif">{ids[t // 2]}</UUID></TiffData>'
        for t in range(4)
    )
    for i in range(2):
        xml = (
            f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{ids[i]}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="12" '
            f'SizeY="10" SizeC="1" SizeZ="1" SizeT="4"><Channel ID="Channel:0:0"/>{planes}</Pixels></Image></OME>'
        )
        with tifffile.TiffWriter(tmp_path / f"f_{i}.ome.tif") as tiff:
            for k in range(2):
                tiff.write(movie[2 * i + k, 0], description=None if k else xml, metadata=None, contiguous=False)
    assert same(open_movie(tmp_path / "f_0.ome.tif"), movie)
    assert same(open_movie(tmp_path), movie)
    (tmp_path / "f_1.ome.tif").unlink()
    with pytest.raises(InputDefect):
        same(open_movie(tmp_path / "f_0.ome.tif"), movie)


def test_a_frame_that_holds_two_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "t0.tif", pixels((10, 12), "uint16"))
    tifffile.imwrite(tmp_path / "t1.tif", pixels((2, 10, 12), "uint16"), imagej=True, metadata={"axes": "TYX"})
    with open_movie(tmp_path) as movie, pytest.raises(InputDefect, match="differ in their frames: this one has 2, t0.tif"):
        movie.frame(1)


def test_pieces_of_a_movie_are_put_end_to_end(tmp_path):
    movie = pixels((9, 1, 10, 12), "uint16")
    for number, piece in enumerate(np.split(movie[:, 0], [5])):
        tifffile.imwrite(tmp_path / f"part{number}.tif", piece, photometric="minisblack")
    with open_movie(sorted(tmp_path.iterdir()), axes="TYX") as opened:
        assert same(opened, movie)
        assert opened.frame_numbers == list(range(9))


def test_numbers_in_even_steps_are_frames_in_a_row():
    assert arrange(["t0.tif", "t10.tif", "t20.tif", "t40.tif"])[0] == [0, 1, 2, 4]
    assert arrange(["t3.tif", "t1.tif", "t2.tif"]) == ([0, 1, 2], [["t1.tif"], ["t2.tif"], ["t3.tif"]])


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a_1.tif", "b_2.tif"], "differ in more than a number"),
        (["t1_z1.tif", "t2_z2.tif"], "differ in 2 numbers"),
        (["t1_c1.tif", "t2_c2.tif"], "Frame 1 has no file for channel 2; other frames have channels 1, 2"),
        (["t1.tif", "t01.tif"], "differ in no number"),
        (["t1.tif", "t01.tif", "t2.tif"], "Two frames carry the number 1"),
    ],
)
def test_names_that_do_not_count_frames(names, text):
    with pytest.raises(InputDefect, match=text) as caught:
        arrange(names)
    assert caught.value.todo


def test_channels_are_named_and_numbered(tmp_path):
    movie = pixels((3, 2, 10, 12), "uint16")
    write_movie(tmp_path / "m.ome.tif", iter(movie), channel_names=["tumour", "immune"], n_frames=3)
    with open_movie(tmp_path / "m.ome.tif", channels=["nuclei", "tcells"]) as opened:
        assert opened.channel_names == ["nuclei", "tcells"]
        np.testing.assert_array_equal(opened.frame(2, "tcells"), movie[2, 1])
        np.testing.assert_array_equal(opened.frame(2, "immune"), movie[2, 1])
        with pytest.raises(InputDefect, match="channel 'caspase' is absent; the movie has 'nuclei', 'tcells'"):
            opened.frame(0, "caspase")
        with pytest.raises(InputDefect, match="channel 2 is absent"):
            opened.frame(0, 2)
        with pytest.raises(IndexError):
            opened.frame(3)
    with pytest.raises(InputDefect, match="3 channels are named .a, b, c., but the movie has 2"):
        open_movie(tmp_path / "m.ome.tif", channels=["a", "b", "c"])


def test_meta_carries_axes_and_channels_to_later_stages(tmp_path):
    movie = pixels((3, 2, 10, 12), "uint16")
    tifffile.imwrite(tmp_path / "m.tif", movie, photometric="minisblack")
    with open_movie(tmp_path / "m.tif", axes="TCYX", channels=["a", "b"]) as opened:
        meta = {"axes": opened.metadata["axes"], "channels": opened.channel_names}
    with open_movie(tmp_path / "m.tif", meta=meta) as opened:
        assert opened.channel_names == ["a", "b"] and same(opened, movie)


def test_a_single_directory_entry_for_all_frames(tmp_path):
    """ImageJ writes one entry and a block of pixels when a stack is large; each frame is read alone from the block."""
    movie = pixels((6, 1, 10, 12), "uint16")
    tifffile.imwrite(tmp_path / "m.tif", movie[:, 0], imagej=True, metadata={"axes": "TYX"}, truncate=True)
    with tifffile.TiffFile(tmp_path / "m.tif") as tiff:
        assert len(tiff.pages) == 1
    assert same(open_movie(tmp_path / "m.tif"), movie)


def test_real_stacks_open(data_root):
    with open_movie(data_root / "celltk_reporter_frames" / "il1b_testimages1_TCYX.tif") as movie:
        assert (movie.n_frames, movie.n_channels, movie.height, movie.width) == (4, 3, 512, 512)
    with open_movie(data_root / "cellphe_mda_mb_231_qpi" / "frames_001-240.tif") as movie:
        assert (movie.n_frames, movie.n_channels, movie.height, movie.width) == (240, 1, 615, 615)
        assert movie.frame(239).dtype == np.uint8


def test_frames_written_one_call_at_a_time_are_one_movie(tmp_path):
    frames = pixels((4, 1, 12, 15), "uint16")
    with tifffile.TiffWriter(tmp_path / "m.tif") as tiff:
        for frame in frames:
            tiff.write(frame[0], contiguous=False, compression="zlib")
    assert len(tifffile.TiffFile(tmp_path / "m.tif").series) == 4  # what makes the case special
    with open_movie(tmp_path / "m.tif") as movie:
        assert same(movie, frames)
