# What we use of visqol-python 3. Only `./dev bench quality` installs it.
from numpy import float64
from numpy.typing import NDArray

class SimilarityResult:
    moslqo: float

class VisqolApi:
    def create(self, mode: str = "audio", *, use_lattice_model: bool = ...) -> None: ...
    def measure_from_arrays(
        self, reference: NDArray[float64], degraded: NDArray[float64], sample_rate: int
    ) -> SimilarityResult: ...
