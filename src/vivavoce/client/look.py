"""Says which sound devices the system names now, as one line of JSON. Run as a process of its own: see `sound_card`."""

import json
import sys
from contextlib import suppress
from importlib import import_module


def main() -> None:
    """Print a name for each kind; null where there is no device."""
    driver = import_module("sounddevice")
    names: dict[str, str | None] = {"input": None, "output": None}
    for kind in names:
        with suppress(driver.PortAudioError, ValueError):
            names[kind] = str(driver.query_devices(None, kind)["name"])
    sys.stdout.write(json.dumps(names) + "\n")


if __name__ == "__main__":
    main()
