"""Files that are in two places and on the disk once."""

import os
import shutil
from pathlib import Path


def link(source: Path, target: Path) -> None:
    """A hard link, its folders made; a copy where the file system has none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
