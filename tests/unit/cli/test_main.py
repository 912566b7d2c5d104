"""The command line as a shell sees it."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from vivavoce.cli.exit_code import ExitCode
from vivavoce.cli.main import COMMANDS, main


def viva(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vivavoce.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_without_a_command_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitCode.USAGE
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)
    assert "exit codes:" in said


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["talk", "--help"], ["demo", "--help"]])
def test_help_is_given_to_who_asks(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert version("vivavoce") in said if "--version" in arguments else "exit codes:" in said


@pytest.mark.parametrize("arguments", [["sing"], ["talk", "--sing"], ["talk", "--transport", "pigeon"], ["--sing"]])
def test_what_is_not_understood_is_a_matter_of_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == ExitCode.USAGE
    said = capsys.readouterr().err
    assert said.startswith("viva: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("talk", "--text", "hi", "--base-url", "nonsense"), ExitCode.USAGE),
        (("talk", "--text", "hi", "--base-url", "http://127.0.0.1:9"), ExitCode.USAGE),  # there is no key
        (("talk", "--file", "/missing.wav"), ExitCode.USAGE),
        (("talk", "--interrupt-after", "1", "stop"), ExitCode.USAGE),
        (("talk", "--text", "hi", "--interrupt-after", "soon", "stop"), ExitCode.USAGE),
        (("talk", "--text", "hi", "--patience", "0"), ExitCode.USAGE),
        (("talk", "--text", "hi", "--out", "/no/such/folder/x.wav"), ExitCode.USAGE),
        (("demo", "--out", "/no/such/folder/x.wav"), ExitCode.USAGE),
        (("talk", "--microphone", "there is no such device"), ExitCode.NO_DEVICE),
        (("talk", "--text", "hi", "--loudspeaker", "there is no such device"), ExitCode.NO_DEVICE),
    ],
)
def test_a_failure_is_one_clear_line_and_a_code(
    arguments: tuple[str, ...], code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert said.startswith("viva: ")
    assert said.count("\n") == 1


def test_no_server_at_the_address_is_told_by_the_shells_code() -> None:
    done = viva("talk", "--text", "hi", "--base-url", "http://127.0.0.1:9", OPENAI_API_KEY="sk-0123456789")
    assert done.returncode == ExitCode.UNREACHABLE
    assert done.stderr.count("\n") == 1
    assert "sk-" not in done.stdout + done.stderr


def test_a_reader_who_leaves_early_is_no_failure() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "vivavoce.cli.main"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=50) in (ExitCode.DONE, ExitCode.USAGE)
        assert process.stderr is not None
        assert process.stderr.read() == b""
