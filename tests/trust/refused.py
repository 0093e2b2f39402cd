"""What a test says of a release that has to be refused."""

from pathlib import Path

from pipeline.trust.findings import Check
from pipeline.trust.verify import verify
from tests.trust.small_release import TRUSTED


def refusals(folder: Path) -> tuple[Check, ...]:
    """The failures of a release that has to be refused; each says what was seen."""
    result = verify(folder, TRUSTED)
    assert not result.ok
    assert result.failures
    assert all(check.detail for check in result.failures)
    return result.failures


def refusal(folder: Path) -> Check:
    """The one failure of a release that has to be refused for one reason."""
    (check,) = refusals(folder)
    return check
