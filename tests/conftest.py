"""Settings of the whole suite."""

import pytest
from hypothesis import settings

# The first call of a kernel compiles it, and machines are shared: a deadline would measure those. The same examples in every
# run: what is red in one clone is red in all. `make fuzz` looks for new ones.
settings.register_profile("pellucid", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=2000)
settings.load_profile("pellucid")

LONG = ("test_verify.py", "test_takedown.py", "test_features.py", "test_datatrove.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, whole builds above all, so that no process is left alone with one at the end."""
    items.sort(key=_is_short)


def _is_short(item: pytest.Item) -> bool:
    return not hasattr(getattr(item, "module", None), "World") and item.path.name not in LONG
