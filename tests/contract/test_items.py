"""Identity, revisions, entry ids, and listing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.model import Enclosure, SourceDocument, Validators, Wanted
from syndicate.rules.archive import WORDS_VERSION
from syndicate.rules.language import tokens
from syndicate.store.protocol import RuleState
from syndicate.store.searching import ItemFilter
from tests.contract.making import (
    EU,
    HOUR,
    MINUTE,
    SECOND,
    START,
    UNWRITABLE,
    Watch,
    claim_alerts,
    claim_all,
    claimed,
    entry,
    failed,
    poll,
    read,
    reading,
    recorded,
    source,
    with_validators,
)


@pytest.fixture
def store(store):
    store.configure([source("wire"), source("post")], [EU.state, RuleState(id="all", version="1", feed=True)])
    return store


def listed(store, **which):
    return [found.item for found in store.items(ItemFilter(**which))]


def words(phrase, *, is_beginning=False):
    """Return what looks up the words of a phrase."""
    found = tuple(token.text for token in tokens(phrase))
    return Wanted(column="words", words=found, is_beginning=is_beginning)


def kept(words, stems=""):
    return {"words": words, "stems": stems}


# -- identity


def test_the_same_item_twice_in_a_document_is_one(store):
    assert read(store, entry(), entry()).new == 1
    assert len(listed(store)) == 1


def test_the_same_item_over_polls_is_one(store):
    assert (read(store, entry()).new, read(store, entry()).new) == (1, 0)
    assert len(listed(store)) == 1


@pytest.mark.parametrize(("has_guid", "has_link"), [(True, False), (False, True), (True, True)])
def test_an_item_whose_addresses_flip_between_http_and_https_is_one(store, has_guid, has_link):
    for scheme in ("http", "https", "http"):
        address = f"{scheme}://news.example/one"
        result = read(store, entry(guid=address if has_guid else None, link=address if has_link else None))
    assert (result.new, result.changed) == (0, 0)
    assert len(listed(store)) == 1


def test_a_key_learned_later_names_the_item(store):
    read(store, entry(guid=None))
    read(store, entry(guid="later"))
    result = read(store, entry(guid="later", link=None))
    assert (result.new, result.changed) == (0, 1)  # a link that is gone is a change that a reader sees
    assert len(listed(store)) == 1


def test_a_key_learned_with_an_edit_names_the_item(store):
    read(store, entry(guid=None))
    read(store, entry(guid="later", title="EU news, edited"))
    assert read(store, entry(guid="later", title="EU news, edited", link=None)).new == 0


def test_the_same_keys_in_two_sources_are_two_items(store):
    read(store, entry())
    assert read(store, entry(), name="post").new == 1
    assert len(listed(store)) == 2


def test_known_items_are_those_of_the_source(store):
    read(store, entry())
    assert set(store.known_items("wire", ["guid:guid-one", "guid:other"])) == {"guid:guid-one"}
    assert store.known_items("post", ["guid:guid-one"]) == {}
    assert store.known_items("nobody", ["guid:guid-one"]) == {}


def test_thousands_of_keys_can_be_looked_up(store):
    read(store, *(entry(str(number)) for number in range(1500)))
    keys = [f"guid:guid-{number}" for number in range(3000)]
    assert len(store.known_items("wire", keys)) == 1500


def test_a_new_item_is_found_again_though_its_keys_named_another(store):
    """A publisher who changes guids, and later lists old and new side by side, makes no item at each poll."""
    read(store, entry("a", guid="g1"))
    read(store, entry("a", guid="g2"))
    both = (entry("a", guid="g1"), entry("a", "EU news, a new version", guid="g2"))
    assert read(store, *both).new == 1
    for _ in range(3):
        assert (result := read(store, *both)).new == 0, result


# -- revisions and entry ids


def test_an_edited_item_is_the_same_item_in_a_new_revision(store, clock):
    read(store, entry())
    (before,) = listed(store)
    clock.forward(HOUR)
    result = read(store, entry(title="EU news, corrected", body="New text."))
    assert (result.new, result.changed) == (0, 1)
    (after,) = listed(store)
    assert (after.id, after.entry_id, after.story, after.first_seen) == (
        before.id,
        before.entry_id,
        before.story,
        START,
    )
    assert (before.revision, after.revision) == (1, 2)
    assert (after.title, after.body, after.changed_at) == ("EU news, corrected", "New text.", START + HOUR)


def test_an_unchanged_item_keeps_its_revision(store, clock):
    read(store, entry())
    clock.forward(HOUR)
    read(store, entry())
    (item,) = listed(store)
    assert (item.revision, item.changed_at) == (1, START)


def test_everything_of_an_entry_is_kept(store):
    full = entry(
        title="EU және Қазақстан",
        body="Мәтін",
        summary="Short",
        content_html="<p>Мәтін</p>",
        author="A. Writer",
        categories=("politics", "Саясат"),
        published=START - HOUR,
        published_raw="yesterday",
        updated=START - MINUTE,
        updated_raw="today",
        enclosures=(Enclosure(url="https://news.example/a.mp3", type="audio/mpeg", length_bytes=5),),
    )
    read(store, full)
    (item,) = listed(store)
    for name in (
        "guid",
        "link",
        "title",
        "body",
        "summary",
        "content_html",
        "author",
        "categories",
        "published",
        "updated",
        "enclosures",
    ):
        assert getattr(item, name) == getattr(full, name), name
    assert item.source == "wire"


@pytest.mark.parametrize(
    "guid",
    [
        "https://news.example/a?b=c",
        "tag:news.example,2026:1",
        "urn:uuid:9a1c",
        "http://пример.example/статья",
    ],
)
def test_an_absolute_iri_is_kept_as_entry_id(store, guid):
    read(store, entry(guid=guid))
    (item,) = listed(store)
    assert item.entry_id == guid


@pytest.mark.parametrize("guid", [None, "", "12345", "a b", "/relative", "https://a.example/a b", "data:x"])
def test_an_entry_id_is_minted_where_the_source_has_none(store, guid):
    read(store, entry(guid=guid))
    (item,) = listed(store)
    assert item.entry_id.startswith("tag:wire.example,2026:syndicate/wire/")


def test_only_edits_that_readers_should_notice_count_as_such(store, clock):
    read(store, entry(title="EU news", published=START - HOUR))
    (first,) = listed(store)
    clock.forward(HOUR)
    read(store, entry(title="EU: News!", published=START, updated=START, author="Somebody"))
    (second,) = listed(store)
    assert (second.revision, second.author, second.changed_at) == (2, "Somebody", START + HOUR)
    assert first.noticed_at == second.noticed_at == START - HOUR
    clock.forward(HOUR)
    read(store, entry(title="EU news, corrected"))
    (third,) = listed(store)
    assert third.noticed_at == third.changed_at == START + 2 * HOUR


def test_an_entry_id_outlives_edits_and_other_guids(store):
    read(store, entry(guid=None))
    (before,) = listed(store)
    read(store, entry(guid="https://news.example/guid", title="EU news again"))
    (after,) = listed(store)
    assert after.entry_id == before.entry_id


def test_the_same_guid_in_two_sources_gives_two_entry_ids(store):
    guid = "https://news.example/guid"
    read(store, entry(guid=guid))
    read(store, entry(guid=guid), name="post")
    assert len({item.entry_id for item in listed(store)}) == 2


# -- stories


def test_the_same_link_in_two_sources_is_one_story(store):
    read(store, entry("a", link="https://www.news.example/a/?utm_source=rss"))
    read(store, entry("b", link="http://news.example/a"), name="post")
    assert len({item.story for item in listed(store)}) == 1


def test_front_pages_join_nothing(store):
    read(store, entry("a", link="https://news.example/"), entry("b", link="https://news.example/"))
    read(store, entry("c", link="https://news.example"), name="post")
    assert len({item.story for item in listed(store)}) == 3


def test_items_without_links_have_stories_of_their_own(store):
    read(store, entry("a", link=None), entry("b", link=None))
    assert len({item.story for item in listed(store)}) == 2


def test_an_item_never_changes_its_story(store):
    read(store, entry("a"), name="wire")
    read(store, entry("b"), name="post")
    before = {item.id: item.story for item in listed(store)}
    read(store, entry("b", "EU news, moved", link="https://news.example/a"), name="post")
    assert {item.id: item.story for item in listed(store)} == before


# -- what cannot be written


def test_a_poll_that_cannot_be_written_is_reported_and_holds_up_no_other(store, clock):
    claims = {claim.source.id: claim for claim in claim_all(store)}
    bad = reading(store, claims["wire"], entry("a"), entry("b", title=UNWRITABLE))
    good = reading(store, claims["post"], entry("c"))
    first, second = store.record_polls([bad, good])
    assert first.error
    assert (first.new, first.was_stale) == (0, False)
    assert (second.error, second.new) == (None, 1)
    assert [item.source for item in listed(store)] == ["post"]
    status = {status.id: status for status in store.sources()}["wire"]
    assert (status.state, status.failures) == ("failing", 1)
    assert status.last_error == first.error
    assert status.next_poll_at >= bad.next_poll_at


def test_a_poll_that_cannot_be_written_is_tried_again_later_and_later(store, clock):
    waits = []
    for _ in range(4):
        store.record_polls([reading(store, claimed(store), entry(title=UNWRITABLE))])
        status = {status.id: status for status in store.sources()}["wire"]
        waits.append(status.next_poll_at - store.now())
        clock.forward(waits[-1])
    assert waits == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR]


@pytest.mark.parametrize(
    "fields",
    [
        {"document_title": UNWRITABLE},
        {"error": UNWRITABLE, "state": "failed"},
        {"adopted": "https://[broken"},
        {"status": 2**70},
        {"ended_at": None},
        {"new_keys": (("guid:x", 4711),)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_nothing_remains_of_a_poll_that_cannot_be_written(store, fields):
    recorded(store, with_validators(poll(claimed(store), store), b'"before"'))
    one = replace(reading(store, claimed(store), entry()), **fields)
    (result,) = store.record_polls([with_validators(one, b'"after"')])
    assert result.error
    assert listed(store) == []
    assert claim_alerts(store) == []
    assert store.match_counts().get("eu", 0) == 0
    assert claimed(store).validators == Validators(etag=b'"before"')


class Interrupting(dict[str, str]):
    """Words that stop the process when they are to be written."""

    def __getitem__(self, name: str) -> str:
        raise KeyboardInterrupt


def test_nothing_remains_of_a_batch_that_was_interrupted(store):
    claims = {claim.source.id: claim for claim in claim_all(store)}
    first, second = (reading(store, claims[name], entry(name)) for name in ("wire", "post"))
    (change,) = second.changes
    broken = replace(second, changes=(replace(change, words=Interrupting()),))
    with pytest.raises(KeyboardInterrupt):
        store.record_polls([first, broken])
    assert listed(store) == []
    assert store.deliveries() == []
    assert {status.state for status in store.sources()} == {"new"}
    assert [result.new for result in store.record_polls([first, second])] == [1, 1]


def test_a_source_that_could_be_written_again_is_well(store):
    store.record_polls([reading(store, claimed(store), entry(title=UNWRITABLE))])
    read(store, entry())
    status = {status.id: status for status in store.sources()}["wire"]
    assert (status.state, status.failures, status.last_error) == ("ok", 0, None)
    assert claimed(store).failures == 0


# -- listing


@pytest.fixture
def archive(store, clock):
    """Five items, an hour between them, of two sources; the oldest dates itself into the future."""
    for name, place, title in (
        ("a", "wire", "EU one"),
        ("b", "post", "EU two"),
        ("c", "wire", "Кения и ЕС: «новая» стратегия"),
        ("d", "wire", "中亚与欧盟 strategy"),
        ("e", "post", "O‘zbekiston's EU five"),
    ):
        read(store, entry(name, title, published=START + 100 * HOUR if name == "a" else None), name=place)
        clock.forward(HOUR)
    return store


def letters(store, **which):
    return "".join(item.guid[-1] for item in listed(store, **which))


def test_items_are_listed_newest_first_and_a_future_date_pins_nothing(archive):
    assert letters(archive) == "edcba"


def test_items_can_be_filtered(archive):
    assert letters(archive, source="wire") == "dca"
    assert letters(archive, rule="eu") == "eba"
    assert letters(archive, since=START + 2 * HOUR) == "edc"
    assert letters(archive, limit=2) == "ed"
    assert letters(archive, source="post", rule="eu", since=START + HOUR, limit=1) == "e"
    assert letters(archive, source="nobody") == ""
    assert letters(archive, rule="nobody") == ""


def test_items_are_paged(archive):
    pages, before = [], None
    while page := listed(archive, before=before, limit=2):
        pages.append("".join(item.guid[-1] for item in page))
        before = (page[-1].order, page[-1].id)
    assert pages == ["ed", "cb", "a"]


def test_pages_part_between_items_of_the_same_time(store):
    read(store, *(entry(f"{number}", title=f"{number}") for number in range(7)))
    seen, before = [], None
    while page := listed(store, before=before, limit=3):
        seen += [item.id for item in page]
        before = (page[-1].order, page[-1].id)
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7


def test_publication_orders_items_unless_it_is_in_the_future(store):
    read(
        store,
        entry("old", published=START - HOUR),
        entry("undated"),
        entry("future", published=START + HOUR),
        entry("older", published=START - 2 * HOUR),
    )
    assert [item.guid for item in listed(store)][2:] == ["guid-old", "guid-older"]


def test_an_edit_of_the_publication_moves_an_item(store):
    read(store, entry("a", published=START - HOUR), entry("b", published=START - 2 * HOUR))
    read(store, entry("b", "EU edited", published=START - SECOND))
    assert letters(store) == "ba"


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("eu", "eba"),
        ("EU ONE", "a"),
        ("eu two", "b"),
        ("two eu", ""),
        ("кения и ес", "c"),
        ("ес новая", "c"),
        ("欧盟", "d"),
        ("中亚", "d"),
        ("亚中", ""),
        ("欧盟 Strategy", "d"),
        ("o'zbekiston", "e"),
        ("Oʻzbekiston", "e"),
        ("text of c", "c"),
        ("strategy the text", ""),
    ],
)
def test_items_are_found_by_phrases_of_words(archive, phrase, found):
    assert letters(archive, any_of=[words(phrase)]) == found


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("on", "a"),
        ("eu on", "a"),
        ("e on", ""),  # the last word alone may go on
        ("t", "edcba"),
        ("стр", "c"),
        ("欧", "d"),
        ("欧盟 strategy", "d"),
        ("o'zbek", "e"),
        ("xyz", ""),
    ],
)
def test_items_are_found_by_the_beginning_of_a_word(archive, phrase, found):
    assert letters(archive, any_of=[words(phrase, is_beginning=True)]) == found


def test_items_are_found_by_stems_and_these_are_no_words(store):
    read(store, entry("a", "New sanctions", language="en"), entry("b", "Новые санкции", language="ru"))
    assert letters(store, any_of=[Wanted(column="stems", words=("new", "sanction"))]) == "a"
    assert letters(store, any_of=[Wanted(column="stems", words=("санкц",))]) == "b"
    assert letters(store, any_of=[words("sanction"), words("санкц")]) == ""
    assert letters(store, any_of=[Wanted(column="stems", words=("sanctions",))]) == ""


def test_items_with_any_of_several_phrases_are_found(archive):
    assert letters(archive, any_of=[words("one"), words("欧盟"), words("nothing")]) == "da"
    assert letters(archive, any_of=[words("one"), words("two")], source="wire") == "a"
    stems = Wanted(column="stems", words=("text", "of", "b"))
    assert letters(archive, any_of=[words("one"), stems, words("кен", is_beginning=True)]) == "cba"


def test_no_phrases_find_nothing(archive):
    assert letters(archive, any_of=[]) == ""


def test_words_of_the_search_language_are_words(archive):
    """Whatever the words are, none is an operator of the database's own query language."""
    for word in ("and", "or", "not", "near", "words", "stems", "a'b", "_", "*"):
        for is_beginning in (False, True):
            wanted = Wanted(column="words", words=(word, "nowhere"), is_beginning=is_beginning)
            assert letters(archive, any_of=[wanted]) == ""


def test_thousands_of_phrases_can_be_looked_for(archive):
    many = [words(f"word{number} more") for number in range(3000)]
    assert letters(archive, any_of=[*many, words("one")]) == "a"


def test_an_edited_item_is_found_by_its_new_words_only(store):
    read(store, entry("a", "EU before"))
    read(store, entry("a", "EU after"))
    assert letters(store, any_of=[words("after")]) == "a"
    assert letters(store, any_of=[words("before")]) == ""


def test_authors_and_categories_are_found_and_phrases_go_over_no_border(store):
    full = entry("a", "EU", body="news", author="A. Writer", categories=("Foreign policy", "Trade"))
    read(store, full)
    assert letters(store, any_of=[words("writer")]) == letters(store, any_of=[words("foreign policy")]) == "a"
    for across in ("eu news", "news a", "writer foreign", "policy trade"):
        assert letters(store, any_of=[words(across)]) == ""


# -- what is kept for looking up


def test_the_languages_of_items_are_each_told_once(store):
    assert store.languages() == []
    spoken = ("ru", "kk-Cyrl", "ru", "en", "zh-Hant", "en")
    read(store, *(entry(str(number), language=name) for number, name in enumerate(spoken)))
    assert sorted(map(str, store.languages())) == ["en", "kk-Cyrl", "ru", "zh-Hant"]
    read(store, entry("x"), entry("y"))
    assert sorted(map(str, store.languages())) == ["None", "en", "kk-Cyrl", "ru", "zh-Hant"]
    assert None in store.languages()


def test_a_language_without_items_any_more_is_not_told(store):
    read(store, entry("a", language="ru"))
    read(store, entry("a", "EU in English", language="en"))
    assert store.languages() == ["en"]


def test_items_without_a_language_are_told_alone_too(store):
    read(store, entry())
    assert store.languages() == [None]


def test_items_kept_in_another_way_are_told_until_they_are_kept_anew(store):
    read(store, entry("a", "EU one"), entry("b", "EU two"), entry("c", "EU three"))
    assert store.items_kept_otherwise(WORDS_VERSION, 10) == []
    for other in (WORDS_VERSION - 1, WORDS_VERSION + 1):  # another version, newer or older
        assert {item.guid[-1] for item in store.items_kept_otherwise(other, 10)} == set("abc")
        assert len(store.items_kept_otherwise(other, 2)) == 2
    first, *_ = found = store.items_kept_otherwise(WORDS_VERSION + 1, 10)
    assert sorted(found, key=lambda item: item.id) == sorted(listed(store), key=lambda item: item.id)
    store.keep_words([(first.id, first.revision, kept("otherwise"))], WORDS_VERSION + 1)
    assert first not in store.items_kept_otherwise(WORDS_VERSION + 1, 10)
    assert store.items_kept_otherwise(WORDS_VERSION, 10) == [first]


def test_words_kept_anew_take_the_place_of_those_before(store):
    read(store, entry("a", "EU one"), entry("b", "EU two"))
    first = next(item for item in listed(store) if item.guid == "guid-a")
    store.keep_words([(first.id, first.revision, kept("other words", "other word"))], WORDS_VERSION)
    assert letters(store, any_of=[words("other words")]) == "a"
    assert letters(store, any_of=[Wanted(column="stems", words=("other", "word"))]) == "a"
    assert letters(store, any_of=[words("eu")]) == "b"
    assert [item.revision for item in listed(store)] == [1, 1]


def test_words_of_an_item_that_was_edited_meanwhile_are_not_kept(store):
    read(store, entry("a", "EU one"))
    (before,) = listed(store)
    read(store, entry("a", "EU two"))
    store.keep_words([(before.id, before.revision, kept("one"))], WORDS_VERSION + 1)
    assert letters(store, any_of=[words("two")]) == "a"
    assert letters(store, any_of=[words("one")]) == ""
    assert store.items_kept_otherwise(WORDS_VERSION, 10) == []


def test_words_of_nobody_are_not_kept(store):
    store.keep_words([(4711, 1, kept("one"))], WORDS_VERSION)
    assert letters(store, any_of=[words("one")]) == ""


def test_nothing_is_kept_of_words_that_cannot_be_written(store):
    read(store, entry("a", "EU one"), entry("b", "EU two"))
    one, two = sorted(listed(store), key=lambda item: item.id)
    with pytest.raises(KeyError):
        store.keep_words([(one.id, 1, kept("new")), (two.id, 1, {})], WORDS_VERSION)
    assert letters(store, any_of=[words("new")]) == ""
    assert letters(store, any_of=[words("one")]) == "a"


def test_listed_items_name_the_configured_rules_that_hold(store):
    both = (EU, Watch(rule="all", word="news"))
    read(store, entry(), watches=both)
    assert [found.rules for found in store.items(ItemFilter())] == [("all", "eu")]
    store.configure([source("wire"), source("post")], [EU.state])
    assert [found.rules for found in store.items(ItemFilter())] == [("eu",)]
    read(store, entry(title="Nothing any more"))
    assert [found.rules for found in store.items(ItemFilter())] == [()]


# -- how sources are


def test_sources_are_listed_in_the_order_of_the_configuration(store):
    store.configure([source("zebra"), source("post"), source("ant", enabled=False)], [])
    assert [(status.id, status.state) for status in store.sources()] == [
        ("zebra", "new"),
        ("post", "new"),
        ("ant", "disabled"),
        ("wire", "removed"),
    ]


def test_only_what_is_polled_has_a_next_poll(store):
    store.configure([source("wire"), source("off", enabled=False)], [])
    times = {status.id: status.next_poll_at for status in store.sources()}
    assert times == {"wire": START, "off": None, "post": None}


def test_a_source_tells_of_its_last_poll(store, clock):
    clock.forward(MINUTE)
    one = reading(store, claimed(store), entry("a"), entry("b"), problems=("entry 3 left out",))
    recorded(store, one)
    (status,) = [status for status in store.sources() if status.id == "wire"]
    assert (status.state, status.last_status, status.items, status.problems) == (
        "ok",
        200,
        2,
        ("entry 3 left out",),
    )
    assert status.last_polled_at == status.last_success_at == START + MINUTE
    assert status.next_poll_at == one.next_poll_at
    recorded(store, failed(claimed(store), store, status=503, error="the server answered 503"))
    (status,) = [status for status in store.sources() if status.id == "wire"]
    assert (status.state, status.last_status, status.last_error) == (
        "failing",
        503,
        "the server answered 503",
    )
    assert status.last_success_at == START + MINUTE


def test_documents_name_themselves(store):
    recorded(
        store,
        poll(
            claimed(store),
            store,
            document_title="Steppe Wire",
            document_link="https://wire.example/",
            document_id="tag:wire.example,2026:feed",
        ),
    )
    wire = SourceDocument(title="Steppe Wire", link="https://wire.example/", id="tag:wire.example,2026:feed")
    unread = SourceDocument()
    assert store.source_documents(["wire", "post", "other"]) == {"wire": wire, "post": unread}
    assert store.source_documents(["post"]) == {"post": unread}
    assert store.source_documents([]) == {}


def test_a_removed_source_keeps_its_items(store):
    read(store, entry())
    store.configure([source("post")], [])
    assert len(listed(store)) == 1
    store.configure([source("wire"), source("post")], [])
    assert read(store, entry()).new == 0


def test_times_are_kept_to_the_microsecond_and_in_utc(store, clock):
    clock.forward(timedelta(microseconds=123_456))
    read(store, entry(published=START - timedelta(microseconds=1)))
    (item,) = listed(store)
    assert (item.first_seen, item.published) == (clock.now, START - timedelta(microseconds=1))
    assert item.first_seen.utcoffset() == timedelta()
