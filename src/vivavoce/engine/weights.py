"""Reads the numbers out of an ONNX file, and nothing else of it.

An ONNX file is one protobuf message. Four of its message types lead to the tensors, so forty lines replace
a 68 MB runtime or the `onnx` package. Field numbers: github.com/onnx/onnx, `onnx/onnx.proto`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GRAPH_OF_MODEL: Final = 7
_NODE_OF_GRAPH, _INITIALISER_OF_GRAPH = 1, 5
_OUTPUT_OF_NODE, _ATTRIBUTE_OF_NODE = 2, 5
_TENSOR_OF_ATTRIBUTE, _GRAPH_OF_ATTRIBUTE = 5, 6
_FLOAT: Final = 1

Tensor = NDArray[np.float32]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every float32 tensor with raw data, by the name of the value it defines, subgraphs included.

    Raises:
        ValueError: the file is no ONNX model, or is cut short.
        OSError: it cannot be read.
    """
    data = memoryview(path.read_bytes())
    try:
        return {
            name: tensor
            for number, graph in _fields(data)
            if number == _GRAPH_OF_MODEL
            for name, tensor in _of_graph(_bytes(graph))
        }
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no complete ONNX model") from error


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """(field number, value) of each field: an int for varints, bytes for the rest."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                value, at = _varint(message, at)
                yield key >> 3, value
                continue
            case 1:
                size = 8
            case 2:
                size, at = _varint(message, at)
            case 5:
                size = 4
            case kind:
                raise ValueError(f"protobuf wire type {kind} at byte {at} is not used by ONNX")
        if at + size > len(message):
            raise ValueError(f"field {key >> 3} promises {size} bytes, {len(message) - at} are left")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _bytes(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number stands where a message was expected")
    return value


def _of_graph(graph: memoryview) -> Iterator[tuple[str, Tensor]]:
    for number, value in _fields(graph):
        if number == _NODE_OF_GRAPH:
            yield from _of_node(_bytes(value))
        elif number == _INITIALISER_OF_GRAPH:
            yield from _of_tensor(_bytes(value), "")


def _of_node(node: memoryview) -> Iterator[tuple[str, Tensor]]:
    fields = list(_fields(node))
    output = next((str(_bytes(value), "utf-8") for number, value in fields if number == _OUTPUT_OF_NODE), "")
    for number, attribute in fields:
        if number != _ATTRIBUTE_OF_NODE:
            continue
        for kind, value in _fields(_bytes(attribute)):
            if kind == _TENSOR_OF_ATTRIBUTE:
                yield from _of_tensor(_bytes(value), output)
            elif kind == _GRAPH_OF_ATTRIBUTE:
                yield from _of_graph(_bytes(value))


def _of_tensor(tensor: memoryview, name: str) -> Iterator[tuple[str, Tensor]]:
    shape: list[int] = []
    kind, raw = 0, memoryview(b"")
    for number, value in _fields(tensor):
        match number, value:
            case (1, int()):  # dims
                shape.append(value)
            case (1, memoryview()):  # dims, packed
                shape.extend(_packed(value))
            case (2, int()):  # data_type
                kind = value
            case (8, memoryview()):  # name; a constant has its node's output name instead
                name = name or str(value, "utf-8")
            case (9, memoryview()):  # raw_data
                raw = value
            case _:
                pass
    if kind == _FLOAT and len(raw) == 4 * int(np.prod(shape)):
        yield name, np.frombuffer(raw, "<f4").astype(np.float32).reshape(shape)


def _packed(message: memoryview) -> Iterator[int]:
    at = 0
    while at < len(message):
        value, at = _varint(message, at)
        yield value
