"""Files that appear whole or not at all."""

import os
import secrets
from pathlib import Path

from pipeline.errors import RecipeError


def write(path: Path, data: bytes, *, folder_mode: int = 0o777) -> None:
    """Put a file in place, over an older one of its name; its folder is made. Raises RecipeError, and the older one stays.

    What a crash leaves is called `.STEM.` and 16 hex digits, beside it.
    """
    temporary = path.with_name(f".{path.name.split('.')[0]}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=folder_mode, parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise RecipeError(f"cannot be written: {error.strerror}", where=str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
