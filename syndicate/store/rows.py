"""Records to rows and back, the same for every database: times as text, tuples as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syndicate.model import (
    Address,
    BadAnswer,
    Enclosure,
    Hit,
    Item,
    Kind,
    Match,
    Part,
    Score,
    Snippet,
    Source,
    StoredMatch,
    Validators,
)

Row = Mapping[str, Any]
_quoted = json.encoder.encode_basestring  # a text as JSON
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # one for all: to make it takes long


def time_text(moment: datetime) -> str:
    """Return a time as stored: UTC, of fixed width, so that texts sort as times."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def time_of(text: str) -> datetime:
    """Return the time that a stored text names."""
    return datetime.fromisoformat(text)


def time_or_none(text: str | None) -> datetime | None:
    """Return the time, None for none."""
    return None if text is None else time_of(text)


def text_or_none(moment: datetime | None) -> str | None:
    """Return a time as stored, None for none."""
    return None if moment is None else time_text(moment)


def host_of(url: str) -> str:
    """Return name:port, the unit of pace."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def source_definition(source: Source) -> str:
    """Return a source's configuration as JSON."""
    return json_text(
        {
            "id": source.id,
            "title": source.title,
            "urls": source.urls,
            **(
                {"addresses": [_address_values(each) for each in source.addresses]}
                if source.addresses
                else {}
            ),
            "interval": source.interval.total_seconds(),
            "adaptive": source.adaptive,
            "language": source.language,
            "tags": source.tags,
            "full_text": source.full_text,
            **({"prune": source.prune} if source.prune else {}),
            "enabled": source.enabled,
            "baseline": source.baseline,
            "websub": source.websub,
        }
    )


def source_of(definition: str) -> Source:
    """Return the source that the JSON defines."""
    values = json.loads(definition)
    values["interval"] = timedelta(seconds=values["interval"])
    values["urls"], values["tags"] = tuple(values["urls"]), tuple(values["tags"])
    values["prune"] = tuple(values.get("prune", ()))
    values["addresses"] = tuple(_address(each) for each in values.get("addresses", ()))
    return Source(**values)


def _address_values(address: Address) -> dict[str, str]:
    return {name: value for name, value in asdict(address).items() if value is not None}


def _address(values: dict[str, str]) -> Address:
    kind = values.get("kind")
    return Address(**{**values, "kind": None if kind is None else Kind(kind)})  # type: ignore[arg-type]


def parts_json(parts: tuple[Part, ...]) -> str:
    """Return the parts of an index as JSON."""
    return json_text([_part_values(part) for part in parts])


def _part_values(part: Part) -> list[str | None]:
    given = part.validators
    return [part.url, part.modified, part.body_hash, _text(given.etag), _text(given.last_modified), given.url]


def parts_of(text: str) -> tuple[Part, ...]:
    """Return the parts that the JSON holds."""
    return tuple(
        Part(
            url=url,
            modified=modified,
            body_hash=body_hash,
            validators=Validators(etag=_bytes(etag), last_modified=_bytes(last_modified), url=validated_url),
        )
        for url, modified, body_hash, etag, last_modified, validated_url in json.loads(text)
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else value.encode("latin-1")


def enclosures_json(enclosures: tuple[Enclosure, ...]) -> str:
    """Return enclosures as JSON."""
    return json_text([[one.url, one.type, one.length_bytes] for one in enclosures])


def enclosures_of(text: str) -> tuple[Enclosure, ...]:
    """Return the enclosures that the JSON holds."""
    return tuple(Enclosure(url=url, type=kind, length_bytes=length) for url, kind, length in json.loads(text))


def evidence_json(match: Match) -> str:
    """Return what a match rests on as JSON."""
    hits = ",".join(f"[{_quoted(hit.term)},{_quoted(hit.field)},{hit.start},{hit.end}]" for hit in match.hits)
    shown = match.snippet
    marks = ",".join(f"[{start},{end}]" for start, end in shown.marks)
    score = match.score
    scored = f',"score":{json_text([score.threshold, score.total, score.parts])}' if score else ""
    return (  # put together by hand, since there are many
        f'{{"version":{_quoted(match.rule_version)},"hits":[{hits}],'
        f'"snippet":[{_quoted(shown.text)},{_quoted(shown.field)},[{marks}]]{scored}}}'
    )


def match_of(rule: str, evidence: str) -> Match:
    """Return the match whose evidence the JSON holds."""
    values = json.loads(evidence)
    text, field, marks = values["snippet"]
    return Match(
        rule=rule,
        rule_version=values["version"],
        hits=tuple(
            Hit(term=term, field=where, start=start, end=end) for term, where, start, end in values["hits"]
        ),
        snippet=Snippet(text=text, field=field, marks=tuple((start, end) for start, end in marks)),
        score=_score_of(values.get("score")),
    )


def _score_of(values: list[Any] | None) -> Score | None:
    if values is None:
        return None
    threshold, total, parts = values
    return Score(threshold=threshold, total=total, parts=tuple((term, weight) for term, weight in parts))


def bad_answer_json(answer: BadAnswer) -> str:
    """Return an answer with nothing to read in it as JSON."""
    return json_text([answer.url, answer.status, answer.headers, answer.body, answer.length_bytes])


def bad_answer_of(said: str | None) -> BadAnswer | None:
    """Return the answer of the JSON; None if there was none."""
    if said is None:
        return None
    url, status, headers, body, length = json.loads(said)
    return BadAnswer(
        url=url,
        status=status,
        headers=tuple((name, value) for name, value in headers),
        body=body,
        length_bytes=length,
    )


def item_of(row: Row) -> Item:
    """Return the item of a row of `items` whose `source` is the slug."""
    return Item(
        id=row["id"],
        source=row["source"],
        entry_id=row["entry_id"],
        revision=row["revision"],
        story=row["story"],
        guid=row["guid"],
        link=row["link"],
        title=row["title"],
        body=row["body"],
        summary=row["summary"],
        content_html=row["content_html"],
        author=row["author"],
        categories=tuple(json.loads(row["categories"])),
        enclosures=enclosures_of(row["enclosures"]),
        language=row["language"],
        published=time_or_none(row["published"]),
        updated=time_or_none(row["updated"]),
        first_seen=time_of(row["first_seen"]),
        changed_at=time_of(row["changed_at"]),
        noticed_at=time_of(row["noticed_at"]),
    )


def carriers_json(sources: Sequence[str]) -> str:
    """Return the sources that carry a story as JSON."""
    return json_text({"sources": sources})


def carriers_of(said: str | None) -> tuple[str, ...]:
    """Return the sources that the JSON names; none where an alert says nothing of others."""
    return tuple(json.loads(said).get("sources", ())) if said else ()


def stored_match_of(row: Row) -> StoredMatch:
    """Return the match of a row of `matches` joined with its item."""
    return StoredMatch(
        item=item_of(row),
        match=match_of(row["match_rule"], row["match_evidence"]),
        revision=row["match_revision"],
        matched_at=time_of(row["match_matched_at"]),
        ended_at=time_or_none(row["match_ended_at"]),
    )


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return _JSON.encode(value)
