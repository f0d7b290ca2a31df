"""How endpoints stand, and what needs somebody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.alerts.clock import quiet_until
from syndicate.model import Endpoint, EndpointState, EndpointStatus
from syndicate.report_words import counted
from syndicate.web.view import View

LATELY = timedelta(days=7)  # deliveries made since then that were given up need somebody
MOST = 1_000  # of which are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An endpoint, and how it is."""

    status: EndpointStatus
    endpoint: Endpoint | None  # None: it is not configured any more
    quiet_until: datetime | None  # None: these are no quiet hours of it

    @property
    def state(self) -> str:
        """Its state, or that it is `removed`."""
        return self.status.state.value if self.endpoint else "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Something that goes on until somebody does something."""

    text: str  # in sentences
    path: str  # of the page where it can be done
    link: str  # what that is called


def standings(view: View) -> list[Standing]:
    """Return how each endpoint is, those that are no longer configured last."""
    configured = {each.id: each for each in view.loaded.config.endpoints}
    now = view.now()
    return [
        _standing(status, configured.get(status.id), now) for status in view.store.endpoints(list(configured))
    ]


def concerns(view: View, found: Sequence[Standing]) -> list[Concern]:
    """Return what needs somebody."""
    return [*_of_configuration(view), *_of_endpoints(found), *_of_deliveries(view)]


def _standing(status: EndpointStatus, endpoint: Endpoint | None, now: datetime) -> Standing:
    quiet = None
    if endpoint and endpoint.pace.quiet_hours:
        quiet = quiet_until(endpoint.pace.quiet_hours, now, endpoint.pace.zone)
    return Standing(status=status, endpoint=endpoint, quiet_until=quiet)


def _of_configuration(view: View) -> Iterator[Concern]:
    if view.refused:
        problems = counted(len(view.refused), "problem")
        text = f"The configuration was edited and has {problems}. What was read before stays in force."
        yield Concern(text=text, path="/system#problems", link="See where")


def _of_endpoints(found: Sequence[Standing]) -> Iterator[Concern]:
    for each in found:
        status = each.status
        waiting = counted(status.waiting, "delivery waits", "deliveries wait")
        if each.endpoint is None:
            if status.waiting:
                text = f"{waiting} for {status.id}, which is not in the configuration any more."
                yield Concern(text=text, path=f"/alerts?endpoint={status.id}", link="See them")
        elif status.state is EndpointState.DISABLED:
            why = f": {status.reason}" if status.reason else ""
            text = f"Nothing is sent to {status.id}{why}. {waiting} for it."
            yield Concern(text=text, path=f"/alerts/endpoints/{status.id}", link="Test and enable it")


def _of_deliveries(view: View) -> Iterator[Concern]:
    dead = view.store.overview.dead_since(view.now() - LATELY, MOST)
    if dead:
        many = f"{dead} or more" if dead == MOST else str(dead)
        were = "delivery of the last 7 days was" if dead == 1 else "deliveries of the last 7 days were"
        text = f"{many} {were} given up, after all tries."
        yield Concern(text=text, path="/alerts?state=dead", link="See why, and send again")
