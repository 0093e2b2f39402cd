"""Verification, once for the files as they are, beside everything else: pages say how far it is."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from pipeline.errors import PellucidError
from pipeline.inspection.browse import filters
from pipeline.inspection.browse.answer import Answer
from pipeline.inspection.browse.site import Site
from pipeline.trust import verify as trust
from pipeline.trust.findings import CHECKS, ON_REQUEST, Verification

KEY = "verify"
# Checks that must have held for `trust.verify` to be at this: files are hashed once the manifest is known to be signed, and
# rows read once every file is known to be the signed one.
BEFORE = {"digests": ("signature", "manifest"), "rows": ("signature", "manifest", "listing", "digests")}


def verify(site: Site, request: Request) -> Answer:
    """The checks as they stand. The first who asks begins them."""
    filters.parse(request.query_params.multi_items())
    if not site.trusted.why:
        site.aggregate(KEY, lambda: _run(site), 0.1)
    found = standing(site)
    done = _result(site)
    checks: list[dict[str, Any]]
    if done is not None:
        checks = [asdict(check) for check in done.checks]
        checks += [
            {"name": name, "ok": None, "detail": CHECKS[name], "file": "", "row": None} for name in done.unchecked
        ]
    else:
        waiting = [name for name in CHECKS if name not in ON_REQUEST]
        past = BEFORE.get((found["progress"] or {}).get("what", ""), ())
        checks = [
            {"name": name, "ok": True if name in past else None, "detail": CHECKS[name], "file": "", "row": None}
            for name in waiting
        ]
    return Answer("verify", {"verification": found, "checks": checks})


def standing(site: Site) -> dict[str, Any]:
    """What is known: state "not asked", "no key", "running", "verified", "refused" or "failed"; who signed, who vouches."""
    found: dict[str, Any] = {
        "state": "not asked",
        "key_id": None,
        "vouched_by": None,
        "failed": 0,
        "why": "",
        "progress": None,
    }
    if site.trusted.why:
        return found | {"state": "no key", "why": site.trusted.why}
    outcome = site.jobs.peek(KEY)
    if outcome is None:
        return found
    if outcome.running:
        return found | {"state": "running", "progress": dict(site.progress) or None}
    if isinstance(outcome.value, str):
        return found | {"state": "failed", "why": outcome.value}
    result: Verification = outcome.value
    return found | {
        "state": "verified" if result.ok else "refused", "key_id": result.key_id, "vouched_by": result.vouched_by,
        "failed": len(result.failures),
    }  # fmt: skip


def _result(site: Site) -> Verification | None:
    outcome = site.jobs.peek(KEY)
    return outcome.value if outcome and isinstance(outcome.value, Verification) else None


def _run(site: Site) -> Verification | str:
    def report(what: str, done: int, total: int) -> None:
        site.progress.update(what=what, done=done, total=total)

    try:
        return trust.verify(site.opened.folder, site.trusted.keys, vouchers=site.trusted.vouchers, report=report)
    except PellucidError as error:
        return str(error)
