"""The command that browses: a real process on a real port."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from tests.trust import small_release as small

RUN = [sys.executable, "-c", "from pipeline.cli import main; main()", "browse"]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("release"), small.corpus())


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PELLUCID_CONFIG": str(tmp_path / "config"), "PELLUCID_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def running(release: Path, environment: dict[str, str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [*RUN, str(release), "--port", "0", "--no-open", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["release"] == str(release)
        yield process, said["url"]
        process.kill()


def test_it_answers_on_this_machine_alone_and_ends_well_when_it_is_interrupted(
    running: tuple["subprocess.Popen[str]", str], release: Path
) -> None:
    process, url = running
    assert url.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(f"{url}index.json") as answer:
        assert json.load(answer)["totals"]["read"] == sum(
            len(rows) for fates in small.corpus().values() for rows in fates.values()
        )
    with urllib.request.urlopen(f"{url}documents?fate=kept") as answer:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    forged = urllib.request.Request(url, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(forged)
    with urllib.request.urlopen(f"{url}index.json") as answer:
        assert json.load(answer)["verification"]["state"] == "no key"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "ended\n")


def test_a_taken_port_is_said_with_what_to_do(release: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = CliRunner().invoke(main, ["browse", str(release), "--port", str(port), "--no-open"])
    assert found.exit_code == 2
    assert f"port {port} is taken" in found.stderr and "--port 0" in found.stderr


def test_what_cannot_be_served_is_refused_before_it_is(release: Path, tmp_path: Path) -> None:
    named = CliRunner().invoke(main, ["browse", str(release), "--port", "0", "--key", str(tmp_path / "none.pub")])
    assert named.exit_code != 0 and "none.pub" in named.stderr and named.stdout == ""
    nothing = CliRunner().invoke(main, ["browse", str(tmp_path), "--no-open"])
    assert nothing.exit_code == 2 and "no release" in nothing.stderr
    other = CliRunner().invoke(main, ["browse", str(release), "--other", str(tmp_path), "--no-open"])
    assert other.exit_code == 2 and "no release" in other.stderr
