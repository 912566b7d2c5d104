# What we use of pystoi 0.4, which ships no types.
from numpy import float64
from numpy.typing import NDArray

def stoi(x: NDArray[float64], y: NDArray[float64], fs_sig: int, extended: bool = False) -> float: ...
