"""Settings of the whole suite."""

from hypothesis import settings

# The first call of a kernel compiles it, and machines are shared: a deadline would measure those.
settings.register_profile("pellucid", deadline=None, print_blob=True)
settings.load_profile("pellucid")
