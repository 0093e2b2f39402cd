"""Every kind of source, by the name that recipes give it."""

from pipeline.sources import deb, http, local, npm, pypi
from pipeline.sources.interface import Source

SOURCES: dict[str, Source] = {
    "pypi": pypi.SOURCE,
    "deb": deb.SOURCE,
    "npm": npm.SOURCE,
    "http": http.SOURCE,
    "local": local.SOURCE,
}
