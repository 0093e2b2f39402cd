"""Settings of the whole suite."""

import pytest
from hypothesis import settings

# The first call of a kernel compiles it, and machines are shared: a deadline would measure those.
settings.register_profile("pellucid", deadline=None, print_blob=True)
settings.load_profile("pellucid")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that build whole releases (`tests.corpus.World`) come first: no process is left with a long one at the end."""
    items.sort(key=lambda item: not hasattr(getattr(item, "module", None), "World"))
