"""A configuration with its rules compiled, and how that stands to what is stored."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from syndicate import config
from syndicate.alerts import handing
from syndicate.alerts.channels.channel import render
from syndicate.alerts.channels.wording import sample
from syndicate.backfill import Known, state_of
from syndicate.config.rule_files import NO_DRAFTS
from syndicate.config.toml_file import shown
from syndicate.errors import ConfigError, Problem, TemplateError
from syndicate.model import Config, Source, SourceStatus
from syndicate.model.channels import Apprise, Template
from syndicate.rules.compile import compile_rules, rule_hints
from syndicate.rules.index import anchors_by_rule
from syndicate.rules.rule import Rule
from syndicate.store.protocol import Store

SAMPLE = sample(datetime(2026, 1, 1, tzinfo=UTC), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A configuration with its rules compiled: all that is needed to start."""

    config: Config
    rules: tuple[Rule, ...]
    read_at: float = field(default=0.0, compare=False)  # when reading began, in seconds since 1970

    @property
    def known(self) -> Known:
        """What rules need to be asked about stored items."""
        return Known(
            rules={rule.id: rule for rule in self.rules},
            tags={source.id: source.tags for source in self.config.sources},
        )


def load(path: Path, environ: Mapping[str, str], drafts: Mapping[Path, str] = NO_DRAFTS) -> Loaded:
    """Return the configuration and its rules.

    Args:
        drafts: what files of rules are to hold, instead of what they hold.

    Raises:
        ConfigError: with every problem of every file, those of the rules' own examples too.
    """
    read_at = time.time()
    reading = config.read(path, environ, drafts=drafts)
    problems: list[Problem] = list(reading.problems)
    rules: tuple[Rule, ...] = ()
    if reading.config is not None:
        rules, wrong = compile_rules(reading.config.rules, reading.config.sources)
        problems += [*wrong, *endpoint_problems(reading.config)]
    if problems or reading.config is None:
        raise ConfigError(sorted(problems))
    return Loaded(config=reading.config, rules=rules, read_at=read_at)


def endpoint_problems(config: Config) -> Iterator[Problem]:
    """Yield a problem for each endpoint that is well-formed and cannot be used, at its line in the file."""
    for endpoint in config.endpoints:
        match endpoint.channel:
            case Template() as template:
                yield from _template_problems(config, template)
            case Apprise() as service if not handing.is_installed():
                yield _problem(config, service.lines, f"url: {handing.MISSING}")
            case Apprise() as service if not handing.is_known(service.url):
                why = "url: Apprise knows no such address: see its documentation for the service"
                yield _problem(config, service.lines, why)
            case _:
                pass


def _template_problems(config: Config, template: Template) -> Iterator[Problem]:
    """Yield why a template fails on a sample, if it does."""
    try:
        render(template, SAMPLE)
    except TemplateError as error:
        place = f", line {error.line}" if error.line else ""
        yield _problem(config, template.lines, f"template{place}: {error.problem}", error.line)


def _problem(config: Config, lines: Sequence[int], text: str, number: int = 1) -> Problem:
    """Return a problem in a line of a text, counted from 1, by the file's lines where its lines stand."""
    line = lines[min(max(number, 1), len(lines)) - 1] if lines else 0
    return Problem(file=shown(config.path), line=line, text=text)


def hints(loaded: Loaded) -> list[Problem]:
    """Return what is worth a second look in a configuration without mistakes."""
    every_item = [rule for rule, found in anchors_by_rule(loaded.known.rules).items() if found is None]
    place_by_rule = {text.id: (text.file, text.line) for text in loaded.config.rules}
    costly = [
        Problem(file=file, line=line, text=f"rule {rule} {_COSTLY}")
        for rule in every_item
        for file, line in [place_by_rule[rule]]
    ]
    return sorted([*rule_hints(loaded.config.rules), *costly, *_nobody_else(loaded.config)])


def _nobody_else(config: Config) -> Iterator[Problem]:
    """Yield a hint if the only endpoint that is told of disabled ones may be one of them."""
    told = set(config.service.notify)
    if len(told) == 1 and told & {endpoint for rule in config.rules for endpoint in rule.notify}:
        (only,) = told
        text = f"if {only} is disabled, nobody is told: name a second endpoint in notify of [service]"
        yield Problem(file=shown(config.path), line=0, text=text)


_COSTLY = "needs no word to be there, so it is looked at for every item: slow where there are many such rules"


def take_over(loaded: Loaded, store: Store) -> tuple[str, ...]:
    """Have the store take over the configuration; return the rules that must be applied to what it has."""
    config = loaded.config
    rules = [state_of(rule) for rule in loaded.rules]
    paced = [endpoint.id for endpoint in config.endpoints if endpoint.pace.holds_back]
    return store.configure(config.sources, rules, repr(config.network), paced, config.feeds)


def source_statuses(loaded: Loaded, store: Store) -> list[SourceStatus]:
    """Return how each source is; those that the store has not met are new.

    Nobody need have taken the configuration over: what it polls no longer is shown so all the same.
    """
    known = {status.id: status for status in store.sources()}
    sources = {source.id: source for source in loaded.config.sources}
    others = [status for name, status in known.items() if name not in sources and status.items]
    return [
        *(_configured(known.get(name, new_source(source)), source) for name, source in sources.items()),
        *(replace(status, state="removed", next_poll_at=None) for status in others),
    ]


def _configured(status: SourceStatus, source: Source) -> SourceStatus:
    if source.enabled:
        return status
    return replace(status, enabled=False, state="disabled", next_poll_at=None)


def new_source(source: Source) -> SourceStatus:
    """Return the status of a source that was never polled."""
    return SourceStatus(
        id=source.id,
        title=source.title,
        urls=source.urls,
        enabled=source.enabled,
        state="new" if source.enabled else "disabled",
        next_poll_at=None,
        last_polled_at=None,
        last_success_at=None,
        last_status=None,
        last_error=None,
        problems=(),
        failures=0,
        items=0,
    )
