"""A demand that also holds where Python was told to skip assertions."""


def need(met: object, why: str) -> None:
    """Demand something.

    Raises:
        AssertionError: it is not so; `why` says what should be.
    """
    if not met:
        raise AssertionError(why)
