"""Spikes to rows and back, the same for every database."""

import json

from syndicate.model import Headline, Spike, SpikeAlert, Window
from syndicate.store.rows import Row, json_text, time_of, time_text


def spike_json(spike: Spike, headlines: tuple[Headline, ...]) -> str:
    """Return what is told of a spike as JSON."""
    return json_text(
        {
            "begins": time_text(spike.hour.begins),
            "ends": time_text(spike.hour.ends),
            "count": spike.count,
            "usual": spike.usual,
            "score": spike.score,
            "weeks": spike.weeks,
            "headlines": [
                [each.story, each.item, each.source, each.title, each.link, time_text(each.first_seen)]
                for each in headlines
            ],
        }
    )


def spike_alert_of(row: Row) -> SpikeAlert:
    """Return the alert of a row of `alerts` about a spike."""
    values = json.loads(row["said"])
    return SpikeAlert(
        kind=row["kind"],
        rule=row["rule"],
        created_at=time_of(row["created_at"]),
        spike=Spike(
            rule=row["rule"],
            hour=Window(begins=time_of(values["begins"]), ends=time_of(values["ends"])),
            count=values["count"],
            usual=values["usual"],
            score=values["score"],
            weeks=values["weeks"],
        ),
        headlines=tuple(
            Headline(
                story=story, item=item, source=source, title=title, link=link, first_seen=time_of(first_seen)
            )
            for story, item, source, title, link, first_seen in values["headlines"]
        ),
    )
