"""`./dev fuzz [NAME …] [SECONDS | FILE]`: fuzzes targets, one after another, each in a process of its own.

Guided by what the code does with each input (atheris, libFuzzer). What was learnt is kept in `.cache/fuzz/NAME/corpus`;
an input that is a finding, in `.cache/fuzz/NAME`. With such a file in place of the seconds, it is fed once more.
"""

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fuzz.target import Target

KEPT: Final = Path(__file__).parents[1] / ".cache" / "fuzz"
SECONDS: Final = "60"
SLOWEST_S: Final = 20
"""An input that takes longer is a finding."""
MEMORY_MB: Final = 3000
CHILD: Final = "--in-this-process"


def main(arguments: list[str]) -> int:
    """Run all targets that are named, or all there are; 1 if one of them has a finding."""
    if importlib.util.find_spec("atheris") is None:
        print("Fuzzing needs atheris, which there is for Linux with Python 3.11 to 3.13.", file=sys.stderr)
        return 2
    if arguments[:1] == [CHILD]:
        name, what = arguments[1:]
        atheris = importlib.import_module("atheris")
        with atheris.instrument_imports(include=["vivavoce", "python_multipart", "fuzz"]):
            targets = importlib.import_module("fuzz.targets")
        fuzz(targets.ALL[name], [f"-max_total_time={what}"] if what.isdecimal() else [what])
    every = importlib.import_module("fuzz.targets").ALL
    names = [argument for argument in arguments if argument in every]
    rest = [argument for argument in arguments if argument not in every]
    if len(rest) > 1 or not all(each.isdecimal() or Path(each).is_file() for each in rest):
        print(f"usage: ./dev fuzz [NAME …] [SECONDS | FILE]; the names are {' '.join(every)}", file=sys.stderr)
        return 2
    found = [name for name in names or every if not clean(name, rest[0] if rest else SECONDS)]
    print(f"findings: {' '.join(found)}; their inputs are kept in {KEPT}" if found else "no findings")
    return 1 if found else 0


def clean(name: str, what: str) -> bool:
    """Whether a target has no finding."""
    print(f"── {name}", flush=True)
    return subprocess.run([sys.executable, "-m", "fuzz.run", CHILD, name, what], check=False).returncode == 0


def fuzz(target: Target, options: Sequence[str], kept: Path = KEPT) -> None:
    """Fuzz one target; the process ends with it, and with code 0 if there is no finding.

    Args:
        target: the one.
        options: what libFuzzer shall do, such as `-runs=1000`; a file is fed once.
        kept: the folder for what is found and learnt.
    """
    corpus, started = kept / target.name / "corpus", kept / target.name / "seeds"
    for folder in (corpus, started):
        folder.mkdir(parents=True, exist_ok=True)
    for number, good in enumerate(target.seeds()):
        (started / str(number)).write_bytes(good)
    words = kept / target.name / "words"
    words.write_text("".join(f'"{quoted(word)}"\n' for word in target.words if word))
    folders = [] if any(Path(option).is_file() for option in options) else [str(corpus), str(started)]
    atheris = importlib.import_module("atheris")
    settings = [f"-max_len={target.longest}", f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MEMORY_MB}"]
    if target.words:  # an empty file is refused
        settings.append(f"-dict={words}")
    settings += [f"-artifact_prefix={kept / target.name}/", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *settings, *options, *folders], target.take)
    atheris.Fuzz()


def quoted(word: bytes) -> str:
    """Bytes as libFuzzer's dictionaries write them."""
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
