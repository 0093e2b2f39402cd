"""Names of members: what they are called in pointers, and which are not safe to follow anywhere."""

import re

_DRIVE = re.compile(r"[A-Za-z]:")


def member_name(name: str) -> str:
    """A member's name as valid Unicode: bytes that were no UTF-8 (surrogates, PEP 383) as `\\xff`; no leading `./`."""
    name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return name


def danger(name: str) -> str | None:
    """Why a name is not that of a file below the archive's own root, on any system; None where it is."""
    if not name:
        return "it has no name"
    if "\x00" in name:
        return "a NUL stands in its name"
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or _DRIVE.match(name):
        return "its path is absolute"
    if ".." in parts:
        return "its path leads out of the archive"
    return None
