"""The opt-out lists that a recipe names: their lines come into the recipe itself, so that it says the same anywhere.

In a recipe's file an entry of `opt_out` is the name of a list's file, relative to the recipe's folder, or the lines themselves,
as in the recipe of a manifest. Comments stay in the file.
"""

from pathlib import Path
from typing import Any

from pipeline.errors import RecipeError
from pipeline.trust import lists


def with_lines(value: dict[Any, Any], folder: Path, where: str) -> dict[Any, Any]:
    """The recipe with the lines of each opt-out list in the place of its file's name. Raises RecipeError."""
    stated = value.get("opt_out")
    stated = [stated] if isinstance(stated, str) else stated
    if not isinstance(stated, list):
        return value
    return {**value, "opt_out": [_lines(one, folder, where) if isinstance(one, str) else one for one in stated]}


def _lines(name: str, folder: Path, where: str) -> list[str]:
    if Path(name).is_absolute() or name.startswith("~"):
        raise RecipeError(
            f"opt_out: {name!r} is absolute", wanted="a path relative to the recipe's own folder", where=where
        )
    path = folder / name
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise RecipeError(f"opt_out: {name!r} cannot be read: {error.strerror}", where=where) from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"byte {error.start:,} is no UTF-8", wanted="a list in UTF-8", where=str(path)) from error
    return lists.parse(text.split("\n"), str(path)).to_json()
