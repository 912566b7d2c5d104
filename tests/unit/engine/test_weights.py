"""Reading numbers out of an ONNX file."""

from pathlib import Path

import numpy as np
import pytest

from vivavoce.engine.silero import weights_path
from vivavoce.engine.weights import read_tensors


def field(number: int, payload: bytes) -> bytes:
    assert len(payload) < 16_384
    return bytes([number << 3 | 2, len(payload) & 0x7F | 0x80, len(payload) >> 7]) + payload


def number(key: int, value: int) -> bytes:
    return bytes([key << 3, value])


def tensor(values: list[float], *, dims: bytes, name: bytes = b"", kind: int = 1) -> bytes:
    return dims + number(2, kind) + field(8, name) + field(9, np.array(values, "<f4").tobytes())


def model(graph: bytes) -> bytes:
    return number(1, 8) + field(7, graph)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def test_initialisers_and_constants_are_found_by_name_at_any_depth(written: Path) -> None:
    constant = field(2, b"inner.weight") + field(5, field(5, tensor([3, 4], dims=number(1, 2))))
    branch = field(5, field(6, field(1, constant)))
    graph = field(5, tensor([1, 2, 3, 4], dims=number(1, 2) + number(1, 2), name=b"outer")) + field(1, branch)
    written.write_bytes(model(graph))
    found = read_tensors(written)
    assert found["outer"].tolist() == [[1, 2], [3, 4]]
    assert found["inner.weight"].tolist() == [3, 4]


def test_packed_dimensions_mean_the_same(written: Path) -> None:
    written.write_bytes(model(field(5, tensor([1, 2], dims=field(1, bytes([2, 1])), name=b"x"))))
    assert read_tensors(written)["x"].shape == (2, 1)


def test_integers_are_left_out(written: Path) -> None:
    written.write_bytes(model(field(5, tensor([1], dims=number(1, 1), name=b"x", kind=7))))
    assert read_tensors(written) == {}


def test_fixed_width_fields_are_stepped_over(written: Path) -> None:
    graph = bytes([20 << 3 | 5, 0, 0, 0, 0, 21 << 3 | 1, *[0] * 8])
    written.write_bytes(model(graph + field(5, tensor([1], dims=number(1, 1), name=b"x"))))
    assert read_tensors(written)["x"].tolist() == [1]


@pytest.mark.parametrize(
    "damaged",
    [b"\x3a\x7f\x00", b"\x3a", b"\x08\x80", b"\x3b\x00", number(7, 1), model(field(1, field(2, b"\xff\xfe")))],
)
def test_damaged_files_are_refused(written: Path, damaged: bytes) -> None:
    written.write_bytes(damaged)
    with pytest.raises(ValueError):
        read_tensors(written)


def test_the_installed_file_holds_both_of_sileros_networks() -> None:
    found = read_tensors(weights_path())
    assert {one.shape for name, one in found.items() if name.endswith("stft.forward_basis_buffer")} == {
        (258, 1, 256),
        (130, 1, 128),
    }
