"""What the log says of a poll."""

import structlog

from syndicate.model import Poll, PollState, Recorded

log = structlog.get_logger(__name__)


def log_poll(poll: Poll, recorded: Recorded) -> None:
    source = poll.claim.source
    facts = {
        "source": source.id,
        "state": poll.state.value,
        "status": poll.status,
        "ms": round(poll.duration.total_seconds() * 1000),
    }
    if recorded.was_stale:
        log.warning("poll.stale", **facts, reason="it took longer than its lease; someone else polls it")
    elif poll.claim.push is not None:
        _log_push(poll, recorded)
    elif recorded.error or poll.error:
        log.warning("poll.failed", **facts, address=poll.claim.address, error=recorded.error or poll.error)
    elif poll.state is PollState.UNCHANGED:
        log.debug("poll.unchanged", **facts)
    else:
        log.info("poll.read", **facts, **counts_of(recorded))
        if recorded.suppressed:
            log.info(
                "poll.not_alerted", source=source.id, matches=recorded.suppressed, reason=why_quiet(poll)
            )
    if poll.problems:
        log.info("poll.remarks", source=source.id, remarks="; ".join(poll.problems))
    if not (recorded.was_stale or recorded.error):
        _log_lessons(poll)


def _log_push(poll: Poll, recorded: Recorded) -> None:
    source, error = poll.claim.source.id, recorded.error or poll.error
    if error:
        log.warning("push.not_read", source=source, error=error, reason="its source is polled instead")
    else:
        ms = round(poll.duration.total_seconds() * 1000)
        log.info("push.read", source=source, ms=ms, **counts_of(recorded))


def _log_lessons(poll: Poll) -> None:
    """Say what a poll has shown of its source itself."""
    source, gap, before = poll.claim.source.id, poll.gap, poll.claim.trust
    if gap is not None:
        facts = {
            "source": source,
            "begins": gap.begins.isoformat(timespec="seconds"),
            "ends": gap.ends.isoformat(timespec="seconds"),
            "filled": gap.filled,
        }
        if gap.is_closed:
            log.info("poll.gap_filled", **facts, reason="its archives had what was missed")
        else:
            log.warning(
                "poll.gap",
                **facts,
                reason="this document and the one before have no item in common: some may have been missed",
            )
    for name, is_new in (
        ("ETag", poll.trust.without_etag > before.without_etag),
        ("Last-Modified", poll.trust.without_last_modified > before.without_last_modified),
    ):
        if is_new:
            log.warning(
                "poll.lied_to",
                source=source,
                address=poll.claim.address,
                reason=f"it said that nothing had changed when something had: asked without its {name} now",
            )
    for notice in poll.notices:
        facts = {"source": source, "trouble": notice.kind.value, "text": notice.text}
        if notice.is_over:
            log.info("source.recovered", **facts)
        else:
            log.warning("source.troubled", **facts, told=", ".join(poll.notify) or None)


def counts_of(recorded: Recorded) -> dict[str, int]:
    """Return what a poll brought, for a log line."""
    return {
        "new": recorded.new,
        "changed": recorded.changed,
        "matched": recorded.matched,
        "alerts": recorded.alerts,
    }


def why_quiet(poll: Poll) -> str:
    """Return why what matched in a poll raised no alert."""
    if not poll.claim.has_baseline:
        return (
            "first document of the source, a baseline: old news is no alert (`baseline = false` makes it one)"
        )
    if poll.claim.last_success_url is None:
        return f"{poll.claim.url} is read in another way than before: only what is newer than that alerts"
    return (
        f"{poll.claim.url} took over from {poll.claim.last_success_url}: only what is newer than that alerts"
    )
