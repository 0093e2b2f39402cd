"""Numba kernels over Arrow buffers; each has a plain-Python oracle in the tests.

Compiled code is cached in a folder named by the sources of all kernels: numba itself looks only at the module of a function,
and would go on using what it compiled of an inlined function that has changed in another. The folder stands beside the
modules where that can be written, else in the user's cache folder. Where neither can (a read-only container), kernels are
compiled for this run alone, in a folder that its worker processes share and that goes with it. Kernels that check bounds
(`PELLUCID_KERNEL_BOUNDSCHECK=1`) have a folder of their own.
"""

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent

# Compile kernels so that an index out of bounds is an IndexError, not a fault: for fuzzing. They are several times slower.
BOUNDSCHECK = os.environ.get("PELLUCID_KERNEL_BOUNDSCHECK") == "1"


def sources_sha256() -> str:
    """Digest (hex) of the kernels' modules, those of subfolders included."""
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(HERE).as_posix() for path in HERE.rglob("*.py")):
        data = (HERE / name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def cache_folder() -> Path:
    """Where compiled kernels are kept, made if it is not there; a temporary folder where nothing else can be written."""
    name = f"numba-{sources_sha256()[:16]}{'-boundscheck' if BOUNDSCHECK else ''}"
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        if Path(named).name == name:  # of the process that started this one
            return Path(named)
        parents = [Path(named)]
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        parents = [HERE / "__pycache__", Path(home) / "pellucid"]
    for parent in parents:
        if _writable(parent / name):
            return parent / name
    folder = Path(tempfile.mkdtemp(prefix="pellucid-kernels-"))
    atexit.register(_remove, folder, os.getpid())
    return folder / name


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())
if numba := sys.modules.get("numba"):  # it has read its environment already
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]
