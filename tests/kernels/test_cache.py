"""Where compiled kernels are kept, who compiles them, and what happens where they cannot be kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import kernels

PACKAGE = Path(kernels.__file__).parent.parent

MEASURE = (
    "import pyarrow as pa; from pipeline.kernels import exact; print(exact.keys(pa.array(['a  b']))[0].as_py().hex())"
)
KEY = "c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65"
FOLDER = "import os, pipeline.kernels; print(os.environ['NUMBA_CACHE_DIR'])"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that nothing has been compiled in."""
    shutil.copytree(PACKAGE, tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


TINY = """
from pipeline.kernels import jit

@jit.entry
def _next(number):
    return number + 1

class C4:
    pass

def answer(*arguments, **named):
    return _next(1)

keys = edit = count = remove = answer
"""


@pytest.fixture
def tiny(copy: Path) -> Path:
    """The same with modules whose one kernel is compiled at once: for what is about who compiles, and when."""
    for name in ("exact", "c4", "blocks"):
        (copy / "pipeline" / "kernels" / f"{name}.py").write_text(TINY)
    return copy


def run(folder: Path, code: str, *arguments: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "XDG"))}
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env={**kept, "HOME": str(folder / "home"), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_cache_lies_beside_the_modules_and_is_named_by_their_sources(copy: Path) -> None:
    folder = Path(run(copy, FOLDER))
    assert folder.parent == copy / "pipeline" / "kernels" / "__pycache__"
    assert folder.is_dir()
    with (copy / "pipeline" / "kernels" / "bits.py").open("a") as stream:
        stream.write("# changed\n")
    assert Path(run(copy, FOLDER)) not in (folder, None)


@pytest.mark.parametrize("change", ["edit", "rename"])
def test_the_cache_is_named_by_the_sources_in_subfolders_too(copy: Path, change: str) -> None:
    folder, names = run(copy, FOLDER), copy / "pipeline" / "kernels" / "html" / "names.py"
    if change == "edit":
        names.write_text(names.read_text() + "# changed\n")
    else:
        names.rename(names.parents[1] / "names.py")
    assert run(copy, FOLDER) != folder


def test_kernels_that_check_bounds_have_a_cache_of_their_own(copy: Path) -> None:
    """And raise, where others would read what lies behind the array."""
    code = (
        "import numpy as np; from pipeline.kernels import jit\n@jit.entry\ndef item(items, k):\n    return items[k]\n"
        "try: print(item(np.zeros(64, np.uint8)[:8], 60))\nexcept IndexError: print('refused')"
    )
    path = copy / "asked.py"
    path.write_text(code)
    assert run(copy, "import asked") == "0"
    assert run(copy, "import asked", PELLUCID_KERNEL_BOUNDSCHECK="1") == "refused"
    assert run(copy, FOLDER, PELLUCID_KERNEL_BOUNDSCHECK="1") == run(copy, FOLDER) + "-boundscheck"


def test_where_the_modules_folder_cannot_be_written_the_users_cache_is_used(copy: Path) -> None:
    (copy / "pipeline" / "kernels" / "__pycache__").write_text("a file where a folder would be")
    assert Path(run(copy, FOLDER)).parent == copy / "home" / ".cache" / "pellucid"
    assert Path(run(copy, FOLDER, XDG_CACHE_HOME=str(copy / "x"))).parent == copy / "x" / "pellucid"


def test_a_folder_that_the_user_names_is_used(copy: Path) -> None:
    assert Path(run(copy, FOLDER, NUMBA_CACHE_DIR=str(copy / "mine"))).parent == copy / "mine"


def test_where_nothing_can_be_written_kernels_run_all_the_same_and_leave_nothing(copy: Path) -> None:
    (copy / "pipeline" / "kernels" / "__pycache__").write_text("a file where a folder would be")
    (copy / "home").write_text("and another")
    (copy / "tmp").mkdir()
    assert run(copy, MEASURE, TMPDIR=str(copy / "tmp")) == KEY
    assert list((copy / "tmp").iterdir()) == []


def test_a_process_that_is_started_by_another_uses_its_folder(copy: Path) -> None:
    (copy / "pipeline" / "kernels" / "__pycache__").write_text("a file where a folder would be")
    (copy / "home").write_text("and another")
    nested = f"{FOLDER}; import subprocess, sys; subprocess.run([sys.executable, '-B', '-c', sys.argv[1]], check=True)"
    said = run(copy, f"import sys; sys.stdout.reconfigure(line_buffering=True); {nested}", FOLDER).split()
    assert len(said) == 2
    assert said[0] == said[1]


def test_kernels_are_compiled_once_though_two_ask_at_once(tiny: Path) -> None:
    """With a small kernel for all: what is tested is who waits for whom."""
    code = "from pipeline.kernels import warm; warm.GROUPS = (('exact',),); print(warm.ensure(lambda: print('compiling')) > 0)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    both = [
        subprocess.Popen([sys.executable, "-B", "-c", code], cwd=tiny, stdout=subprocess.PIPE, text=True, env=kept)
        for _ in range(2)
    ]
    said = [process.communicate()[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(said) == [["True"], ["compiling", "True"]]
    assert run(tiny, code) == "False"


@pytest.mark.parametrize("name", ["repeated_lines", "c4"])
def test_kernels_that_few_recipes_ask_for_are_compiled_apart_and_once(tiny: Path, name: str) -> None:
    code = (
        "from pipeline.kernels import warm; warm.GROUPS = (('exact',),); "
        f"asked = warm.ASKED['{name}']; "
        "said = [warm.ensure(lambda: print('all'), groups) > 0 for groups in (None, asked, asked)]; print(*said)"
    )
    assert run(tiny, code).split() == ["all", "all", "True", "True", "False"]
    assert run(tiny, code) == "False False False"


def test_what_pages_need_is_compiled_by_its_groups_and_nothing_else_later() -> None:
    """In the cache of these tests, so that most runs compile nothing here."""
    code = (
        "import os; from pathlib import Path; from pipeline.kernels import cache_folder, warm\n"
        "for group in warm.ASKED['html']:\n    for name in group: warm.compile_kernels(name)\n"
        "compiled = lambda: {path.name for path in cache_folder().rglob('*.nbc')}\nbefore = compiled()\n"
        "from pipeline.formats.html_text import page_blocks, page_text\n"
        "page = '<title>A</title><nav>B</nav><p class=x>One <b>2</b>. <a href=c>Three</a><pre>4</pre>'\n"
        "for output in ('text', 'markdown'): page_text(page, {'output': output})\n"
        "page_text(page, {'boilerplate': 'mark', 'links': True}); page_text(page, {'extractor': 'all_text'})\n"
        "page_blocks(page, {}); print(sorted(compiled() - before), len(before) > 9)"
    )
    assert run(PACKAGE.parent, code, NUMBA_CACHE_DIR=os.environ["NUMBA_CACHE_DIR"]) == "[] True"


def test_importing_the_formats_of_pages_imports_no_kernel_of_them(copy: Path) -> None:
    code = "import sys, pipeline.formats.registry; print([name for name in sys.modules if 'kernels.html.' in name])"
    assert run(copy, code) == "[]"


def test_a_kernel_that_cannot_be_compiled_is_named(copy: Path) -> None:
    (copy / "pipeline" / "kernels" / "exact.py").write_text("raise ImportError('broken on purpose')\n")
    code = "from pipeline.kernels import warm; warm.GROUPS = (('exact',),); warm.ensure(lambda: None)"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=copy, capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("NUMBA")},
    )  # fmt: skip
    assert done.returncode == 1
    assert "compiling the kernels exact" in done.stderr
    assert "broken on purpose" in done.stderr


def test_what_is_compiled_ahead_is_given_up_with_the_block_and_leaves_no_process(tiny: Path) -> None:
    code = (
        "from pipeline.kernels import warm; warm.GROUPS = (('exact',),)\n"
        "with warm.ahead() as kernels: (process,) = kernels.processes\n"
        "print(process.returncode, warm.marker(warm.GROUPS).exists())"
    )
    assert run(tiny, code) == "-9 False"


def test_kernels_that_are_compiled_ahead_are_there_once_finished(tiny: Path) -> None:
    code = (
        "from pipeline.kernels import warm; warm.GROUPS = (('exact',),)\n"
        "with warm.ahead() as kernels: print(len(kernels.processes), kernels.finish(lambda: print('waiting')) > 0)\n"
        "with warm.ahead() as kernels: print(len(kernels.processes), kernels.finish(lambda: print('waiting')))"
    )
    assert run(tiny, code).split("\n") == ["waiting", "1 True", "0 0.0"]


def test_who_has_compiled_keeps_nobody_waiting(tiny: Path) -> None:
    code = (
        "from pipeline.kernels import warm; warm.GROUPS = (('exact',),)\n"
        "with warm.ahead() as one, warm.ahead() as other:\n"
        "    one.finish(lambda: None); warm.marker(warm.GROUPS).unlink(); print(other.finish(lambda: None) > 0)"
    )
    assert run(tiny, code) == "True"


def test_a_kernel_that_only_kernels_call_refuses_python_also_when_it_is_compiled(copy: Path) -> None:
    code = (
        "import numpy as np\nfrom pipeline.kernels import join\nranks = np.arange(3, dtype=np.uint32)\n"
        "def refused():\n    try: join._ordered(ranks, 0, 3)\n    except TypeError as error: return str(error)\n"
        "first = refused()\n"
        "join.propose(np.zeros(3, np.uint64), ranks, np.zeros(3, np.int32), 1, first=1, neighbours=1)\n"
        "assert join._ordered.overloads\nprint(first == refused(), first)"
    )
    assert run(copy, code) == "True pipeline.kernels.join._ordered is called by kernels only; make it a jit.entry"
