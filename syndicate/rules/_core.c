/* The compiled core of rules/index.py: words of an item -> candidates -> verified matches with their evidence.

   It does what the pure Python index does, on numbers: rules/compiled.py turns rules into programs of integers
   over terms, terms into runs of atoms, and says which key each atom has in a language (rules/lexicon.py). What
   a run of word characters stands for is asked of Python once, and remembered for each language.

   A Core is for one thread at a time. Nothing here is a promise to anybody but rules/compiled.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#ifndef DIGEST
#define DIGEST "" /* of this file, by tools/build_core.py; without it nobody uses what is compiled */
#endif

enum { FIELDS = 4, AHEAD = 16, VARIANTS = 3, HITS_KEPT = 100, SNIPPET_LENGTH = 240, GAP = 1002, LONGEST = 64 };
enum { TERM, ALL, ANY, AT_LEAST, NOT, NEAR };                      /* operations, as in compiled.py */
enum { UNSPACED = 1, MARK = 2, FIRST = 4, INNER = 8, APOSTROPHE = 16, KNOWN = 128 }; /* classes of characters */
enum { NO_WORD, WORD, ENDING };                                    /* kinds of words, as in lexicon.py */
enum { KEPT = 2, NOTHING_BETWEEN = 0xE000 };                        /* words and stems; GAP, as in archive.py */

/* ------------------------------------------------------------------------- lists that grow */

typedef struct { void *items; Py_ssize_t length, room, size; } List;

static int list_reserve(List *list, Py_ssize_t more) {
    if (list->length + more <= list->room) return 0;
    Py_ssize_t room = list->room ? list->room : 64;
    while (room < list->length + more) room *= 2;
    void *items = PyMem_Realloc(list->items, (size_t)(room * list->size));
    if (!items) { PyErr_NoMemory(); return -1; }
    list->items = items;
    list->room = room;
    return 0;
}

static void *list_add(List *list) {
    if (list_reserve(list, 1) < 0) return NULL;
    return (char *)list->items + list->size * list->length++;
}

static void list_free(List *list) { PyMem_Free(list->items); list->items = NULL; list->length = list->room = 0; }

#if defined(__GNUC__)
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address) (void)(address)
#endif

#define AT(list, type, index) (((type *)(list).items)[index])

/* ------------------------------------------------------------------------- records of syndicate.model */

typedef struct { PyTypeObject *type; PyObject *slots[8]; int count; } Record;

static void record_free(Record *record) {
    for (int i = 0; i < record->count; i++) Py_CLEAR(record->slots[i]);
    Py_CLEAR(record->type);
    record->count = 0;
}

/* Take a dataclass with slots apart into its type and the descriptors of its fields, in order. */
static int record_take(Record *record, PyObject *type) {
    if (!PyType_Check(type)) { PyErr_SetString(PyExc_TypeError, "a record must be a class"); return -1; }
    PyObject *names = PyObject_GetAttrString(type, "__slots__");
    if (!names) return -1;
    Py_ssize_t count = PyTuple_Check(names) ? PyTuple_GET_SIZE(names) : 0;
    if (count < 1 || count > 8) { Py_DECREF(names); PyErr_SetString(PyExc_TypeError, "a record of slots"); return -1; }
    record->type = (PyTypeObject *)Py_NewRef(type);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *slot = PyObject_GetAttr(type, PyTuple_GET_ITEM(names, i));
        if (!slot || !Py_TYPE(slot)->tp_descr_set) { Py_XDECREF(slot); Py_DECREF(names); return -1; }
        record->slots[record->count++] = slot;
    }
    Py_DECREF(names);
    return 0;
}

/* Make a record; takes over the references to its values. NULL if one of them is NULL. It holds texts, numbers
   and others of its kind, so it is in no circle, and the garbage collector need not know of it. */
static PyObject *record_make(const Record *record, PyObject **values) {
    PyObject *made = record->type->tp_alloc(record->type, 0);
    for (int i = 0; i < record->count; i++) {
        if (!values[i]) Py_CLEAR(made);
        PyObject *slot = record->slots[i];
        if (made && Py_TYPE(slot)->tp_descr_set(slot, made, values[i]) < 0) Py_CLEAR(made);
    }
    for (int i = 0; i < record->count; i++) Py_XDECREF(values[i]);
    if (made && PyType_IS_GC(record->type)) PyObject_GC_UnTrack(made);
    return made;
}

/* ------------------------------------------------------------------------- a language's words */

typedef struct { int32_t start, length; } Part;                     /* of Tongue.texts */
typedef struct { uint64_t hash; int32_t text, length, keys, key_count, kind; Part kept[KEPT]; } Entry;

typedef struct {
    PyObject_HEAD
    PyObject *told;             /* str -> (kind, word, stem, key, ...): the two as they are kept to be looked up */
    int32_t *key_by_atom;       /* in this language */
    int32_t *first_atom;        /* by key: an atom that has it, else -1 */
    int32_t *next_atom;         /* by atom: another one with the same key, else -1 */
    int32_t atom_count, key_count, variant;
    Entry *entries;             /* open addressing; length 0: free */
    Py_ssize_t entry_count, entry_room, most;
    List texts;                 /* Py_UCS4, of the entries, and what is kept of them */
    List keys;                  /* int32_t, of the entries */
} Tongue;

static void tongue_dealloc(Tongue *self) {
    Py_XDECREF(self->told);
    PyMem_Free(self->key_by_atom);
    PyMem_Free(self->first_atom);
    PyMem_Free(self->next_atom);
    PyMem_Free(self->entries);
    list_free(&self->texts);
    list_free(&self->keys);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyTypeObject TongueType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "syndicate.rules._core.Tongue",
    .tp_basicsize = sizeof(Tongue),
    .tp_dealloc = (destructor)tongue_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

static int tongue_resize(Tongue *self, Py_ssize_t room) {
    Entry *entries = PyMem_Calloc((size_t)room, sizeof(Entry));
    if (!entries) { PyErr_NoMemory(); return -1; }
    for (Py_ssize_t i = 0; i < self->entry_room; i++) {
        if (!self->entries[i].length) continue;
        Py_ssize_t at = (Py_ssize_t)(self->entries[i].hash & (uint64_t)(room - 1));
        while (entries[at].length) at = (at + 1) & (room - 1);
        entries[at] = self->entries[i];
    }
    PyMem_Free(self->entries);
    self->entries = entries;
    self->entry_room = room;
    return 0;
}

/* Forget all words if they are too many. Only between items, whose words point here. */
static void tongue_bound(Tongue *self) {
    Py_ssize_t most = 64 * self->most;
    if (self->entry_count <= self->most && self->keys.length <= most && self->texts.length <= 2 * most) return;
    memset(self->entries, 0, (size_t)self->entry_room * sizeof(Entry));
    self->entry_count = self->texts.length = self->keys.length = 0;
}

static int tongue_add_text(Tongue *self, PyObject *text, Py_ssize_t start, Py_ssize_t length) {
    if (list_reserve(&self->texts, length) < 0) return -1;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < length; i++)
        AT(self->texts, Py_UCS4, self->texts.length++) = PyUnicode_READ(kind, data, start + i);
    return 0;
}

/* Say where a text is among the letters from `start` on, if they begin with it; else add it. */
static int tongue_part(Tongue *self, PyObject *text, Py_ssize_t start, Part *part) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), same = 0;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    if (start + length <= self->texts.length)
        while (same < length && AT(self->texts, Py_UCS4, start + same) == PyUnicode_READ(kind, data, same)) same++;
    int is_there = same == length && start + length <= self->texts.length;
    *part = (Part){(int32_t)(is_there ? start : self->texts.length), (int32_t)length};
    return is_there ? 0 : tongue_add_text(self, text, 0, length);
}

/* Ask Python what a word stands for, and add what is kept of it, which mostly begins like it, and its keys; only
   those that some atom has in this language. */
static int tongue_ask(Tongue *self, PyObject *text, Py_ssize_t start, Py_ssize_t end, Entry *entry) {
    PyObject *surface = PyUnicode_Substring(text, start, end);
    if (!surface) return -1;
    entry->text = (int32_t)self->texts.length;
    entry->length = (int32_t)(end - start);
    PyObject *found = tongue_add_text(self, text, start, end - start) < 0 ? NULL
                      : PyObject_CallOneArg(self->told, surface);
    Py_DECREF(surface);
    if (!found) return -1;
    int failed = !PyTuple_Check(found) || PyTuple_GET_SIZE(found) < 1 + KEPT;
    for (int i = 0; i < KEPT && !failed; i++) {
        PyObject *kept = PyTuple_GET_ITEM(found, 1 + i);
        failed = !PyUnicode_Check(kept) || tongue_part(self, kept, entry->text, &entry->kept[i]) < 0;
    }
    if (failed) {
        Py_DECREF(found);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "of a word, its kind, itself, its stem and its keys are told");
        return -1;
    }
    entry->kind = (int32_t)PyLong_AsLong(PyTuple_GET_ITEM(found, 0));
    entry->keys = (int32_t)self->keys.length;
    entry->key_count = 0;
    for (Py_ssize_t i = 1 + KEPT; i < PyTuple_GET_SIZE(found); i++) {
        long key = PyLong_AsLong(PyTuple_GET_ITEM(found, i));
        if (key < 0 || key >= self->key_count || self->first_atom[key] < 0) continue;
        int32_t *place = list_add(&self->keys);
        if (!place) { Py_DECREF(found); return -1; }
        *place = (int32_t)key;
        entry->key_count++;
    }
    Py_DECREF(found);
    return PyErr_Occurred() ? -1 : 0;
}

static int same_text(const Py_UCS4 *known, int kind, const void *data, Py_ssize_t start, Py_ssize_t length) {
    for (Py_ssize_t i = 0; i < length; i++)
        if (known[i] != PyUnicode_READ(kind, data, start + i)) return 0;
    return 1;
}

/* Find what the run of word characters from start to end is. */
static int tongue_find(Tongue *self, PyObject *text, Py_ssize_t start, Py_ssize_t end, uint64_t hash, Entry *found) {
    Py_ssize_t length = end - start;
    if (length > LONGEST) return tongue_ask(self, text, start, end, found);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t at = (Py_ssize_t)(hash & (uint64_t)(self->entry_room - 1));
    for (; self->entries[at].length; at = (at + 1) & (self->entry_room - 1)) {
        Entry *entry = &self->entries[at];
        if (entry->hash == hash && entry->length == length
            && same_text(&AT(self->texts, Py_UCS4, entry->text), kind, data, start, length)) {
            *found = *entry;
            return 0;
        }
    }
    if (tongue_ask(self, text, start, end, found) < 0) return -1;
    found->hash = hash;
    self->entries[at] = *found;
    return ++self->entry_count * 2 > self->entry_room ? tongue_resize(self, self->entry_room * 2) : 0;
}

/* ------------------------------------------------------------------------- the rules */

typedef struct { int32_t start, length; } Run;                       /* in Core.atoms */
typedef struct {
    PyObject *label;
    int32_t rank, mask, gate; /* gate: an atom without which it stands nowhere, else -1 */
    Run runs[VARIANTS];
    uint32_t seen;            /* of the item at hand: where it stands, once that was asked */
    int32_t first_span, span_count;
} Term;
typedef struct {
    int32_t rule;
    int32_t run, offset;      /* run: in Core.runs; offset: of the atom in it */
    int32_t companion;        /* an atom without which this run is not enough, else -1 */
} Posting;
typedef struct { PyObject *id, *version; int32_t program, filter; } Rule; /* program -1: Python verifies */

/* ...and the item at hand. */
typedef struct { int64_t position; int32_t start, end, keys, key_count, field; Part kept[KEPT]; } Token;
typedef struct { int32_t token, next; } Occurrence;
typedef struct { int32_t first, last; } Span;                        /* tokens */
typedef struct { int32_t term, field, start, end, rank, seen; } Hit;

typedef struct {
    PyObject_HEAD
    Record hit, snippet, match;
    PyObject *field_names[FIELDS], *classify, *ellipsis;
    List atoms, terms, runs, postings, rules, program;  /* int32_t, Term, Run, Posting, Rule, int32_t */
    int32_t *first_posting;                             /* by atom; one more than there are atoms */
    int32_t atom_count;
    unsigned char *classes;                             /* by code point */
    uint64_t seed;
    /* of the item at hand; what is older than `now` means nothing */
    uint32_t now;
    Tongue *tongue;
    PyObject *texts[FIELDS];
    List tokens, occurrences, found_keys, spans, hits, candidates; /* ..., int32_t, Span, Hit, int32_t */
    List line;                                          /* Py_UCS4 */
    int32_t *first_occurrence;
    uint32_t *key_seen, *rule_seen;
    uint64_t *atoms_seen;                               /* a bit for each atom */
    int32_t key_room;
} Core;

static int core_class(Core *self, Py_UCS4 letter) {
    unsigned char known = self->classes[letter];
    if (known) return known;
    PyObject *text = PyUnicode_FromOrdinal((int)letter);
    PyObject *found = text ? PyObject_CallOneArg(self->classify, text) : NULL;
    long value = found ? PyLong_AsLong(found) : -1;
    Py_XDECREF(text);
    Py_XDECREF(found);
    if (value < 0) return -1;
    return self->classes[letter] = (unsigned char)(value | KNOWN);
}

#define CLASS_OR_FAIL(name, letter) int name = core_class(self, (letter)); if (name < 0) return -1

static int is_hyphen(Py_UCS4 letter) {
    return letter == '-' || letter == 0x2010 || letter == 0x2011 || letter == 0x2013;
}

/* Find the end of the word that begins at *start or behind it, and its hash; -1 on errors, 0 if there is none. */
static int next_word(Core *self, int kind, const void *data, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *end,
                     uint64_t *hash) {
    Py_ssize_t at = *start;
    int class = 0;
    for (; at < length; at++) {
        class = core_class(self, PyUnicode_READ(kind, data, at));
        if (class < 0) return -1;
        if (class & (UNSPACED | FIRST)) break;
    }
    if (at >= length) return 0;
    *start = at;
    uint64_t sum = self->seed;
    int wanted = class & UNSPACED ? MARK : INNER;
    do {
        sum = (sum ^ PyUnicode_READ(kind, data, at)) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 29;
        if (++at >= length) break;
        CLASS_OR_FAIL(next, PyUnicode_READ(kind, data, at));
        if (!(next & wanted) && wanted == INNER && next & APOSTROPHE && at + 1 < length) {
            CLASS_OR_FAIL(behind, PyUnicode_READ(kind, data, at + 1));
            if (behind & INNER) continue;
        }
        if (!(next & wanted)) break;
    } while (1);
    *end = at;
    *hash = sum;
    return 1;
}

typedef struct { Py_ssize_t start, end; uint64_t hash; } Place;

/* Find up to AHEAD words from `start` on, and have what is known of them come near: to wait for it, one word after
   the other, would take longer than everything else. */
static int next_words(Core *self, int kind, const void *data, Py_ssize_t start, Py_ssize_t until, Place *places) {
    const Tongue *tongue = self->tongue;
    int count = 0, more = 1;
    for (Py_ssize_t end; count < AHEAD; start = end) {
        Place *place = &places[count];
        if ((more = next_word(self, kind, data, until, &start, &end, &place->hash)) <= 0) break;
        place->start = start, place->end = end;
        count++;
        FETCH(&tongue->entries[place->hash & (uint64_t)(tongue->entry_room - 1)]);
    }
    for (int i = 0; i < count; i++) {
        const Entry *entry = &tongue->entries[places[i].hash & (uint64_t)(tongue->entry_room - 1)];
        if (entry->hash == places[i].hash) FETCH(&AT(tongue->texts, Py_UCS4, entry->text));
    }
    return more < 0 ? -1 : count;
}

/* Add the words of one value of a field, `from` to `until` of its text. */
static int add_words(Core *self, int32_t field, Py_ssize_t from, Py_ssize_t until, int64_t *next_position) {
    PyObject *text = self->texts[field];
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t before = -1;
    Place places[AHEAD];
    int count;
    int64_t position = *next_position;
    for (; (count = next_words(self, kind, data, from, until, places)) > 0; from = places[count - 1].end)
        for (const Place *place = places; place < places + count; place++) {
            Py_ssize_t start = place->start, end = place->end;
            Entry entry;
            if (tongue_find(self->tongue, text, start, end, place->hash, &entry) < 0) return -1;
            if (entry.kind == NO_WORD) continue;
            int is_attached = before >= 0 && before == start - 1 && is_hyphen(PyUnicode_READ(kind, data, before));
            before = end;
            if (entry.kind == ENDING && is_attached) continue;
            Token *token = list_add(&self->tokens);
            if (!token) return -1;
            *token = (Token){((int64_t)field << 40) + position++, (int32_t)start, (int32_t)end,
                             entry.keys, entry.key_count, field, {entry.kept[0], entry.kept[1]}};
            *next_position = position + GAP - 1;
        }
    return count;
}

static int has_key(const Core *self, int32_t token, int32_t key) {
    const Token *found = &AT(self->tokens, Token, token);
    for (int32_t i = 0; i < found->key_count; i++)
        if (AT(self->tongue->keys, int32_t, found->keys + i) == key) return 1;
    return 0;
}

/* Say whether a run stands in the text with its first atom at a token. */
static int stands_at(const Core *self, Run run, int32_t token) {
    if (token < 0 || token + run.length > self->tokens.length) return 0;
    int64_t position = AT(self->tokens, Token, token).position;
    if (AT(self->tokens, Token, token + run.length - 1).position != position + run.length - 1) return 0;
    for (int32_t i = 0; i < run.length; i++)
        if (!has_key(self, token + i, self->tongue->key_by_atom[AT(self->atoms, int32_t, run.start + i)])) return 0;
    return 1;
}

/* Note where each key occurs, in order. */
static int add_occurrences(Core *self) {
    for (Py_ssize_t i = self->tokens.length - 1; i >= 0; i--) {
        Token token = AT(self->tokens, Token, i);
        for (int32_t j = 0; j < token.key_count; j++) {
            int32_t key = AT(self->tongue->keys, int32_t, token.keys + j);
            int is_new = self->key_seen[key] != self->now;
            Occurrence *place = list_add(&self->occurrences);
            if (!place) return -1;
            *place = (Occurrence){(int32_t)i, is_new ? -1 : self->first_occurrence[key]};
            self->first_occurrence[key] = (int32_t)self->occurrences.length - 1;
            if (!is_new) continue;
            self->key_seen[key] = self->now;
            for (int32_t atom = self->tongue->first_atom[key]; atom >= 0; atom = self->tongue->next_atom[atom])
                self->atoms_seen[atom >> 6] |= (uint64_t)1 << (atom & 63);
            int32_t *found = list_add(&self->found_keys);
            if (!found) return -1;
            *found = key;
        }
    }
    return 0;
}

static int32_t first_occurrence(const Core *self, int32_t key) {
    return self->key_seen[key] == self->now ? self->first_occurrence[key] : -1;
}

static int has_atom(const Core *self, int32_t atom) {
    return atom < 0 || self->atoms_seen[atom >> 6] >> (atom & 63) & 1;
}

static int occurs(const Core *self, int32_t key, Posting posting) {
    Run run = AT(self->runs, Run, posting.run);
    if (run.length == 1) return 1;
    for (int32_t at = self->first_occurrence[key]; at >= 0; at = AT(self->occurrences, Occurrence, at).next)
        if (stands_at(self, run, AT(self->occurrences, Occurrence, at).token - posting.offset)) return 1;
    return 0;
}

/* Collect the rules that registered a run which stands in the text. */
static int add_candidates(Core *self, const unsigned char *allowed) {
    const Tongue *tongue = self->tongue;
    for (Py_ssize_t i = 0; i < self->found_keys.length; i++) {
        int32_t key = AT(self->found_keys, int32_t, i);
        for (int32_t atom = tongue->first_atom[key]; atom >= 0; atom = tongue->next_atom[atom]) {
            for (int32_t at = self->first_posting[atom]; at < self->first_posting[atom + 1]; at++) {
                Posting posting = AT(self->postings, Posting, at);
                if (!has_atom(self, posting.companion) || self->rule_seen[posting.rule] == self->now
                    || !occurs(self, key, posting)) continue;
                self->rule_seen[posting.rule] = self->now;
                if (!allowed[AT(self->rules, Rule, posting.rule).filter]) continue;
                int32_t *candidate = list_add(&self->candidates);
                if (!candidate) return -1;
                *candidate = posting.rule;
            }
        }
    }
    return 0;
}

/* ------------------------------------------------------------------------- does a rule hold */

/* Find where a term stands, once for each item; -1 on errors, else how often. */
static int32_t term_spans(Core *self, int32_t number) {
    Term *term = &AT(self->terms, Term, number);
    if (term->seen == self->now) return term->span_count;
    Run run = term->runs[self->tongue->variant];
    int32_t first = (int32_t)self->spans.length;
    if (run.length && has_atom(self, term->gate)) {
        int32_t key = self->tongue->key_by_atom[AT(self->atoms, int32_t, run.start)];
        int32_t at = first_occurrence(self, key);
        for (; at >= 0; at = AT(self->occurrences, Occurrence, at).next) {
            int32_t token = AT(self->occurrences, Occurrence, at).token;
            if (!(term->mask >> AT(self->tokens, Token, token).field & 1) || !stands_at(self, run, token)) continue;
            Span *span = list_add(&self->spans);
            if (!span) return -1;
            *span = (Span){token, token + run.length - 1};
        }
    }
    term->seen = self->now;
    term->first_span = first;
    return term->span_count = (int32_t)self->spans.length - first;
}

static int64_t position_of(const Core *self, int32_t token) { return AT(self->tokens, Token, token).position; }

/* Find the first of a term's spans, which are of one length and in order, that begins behind a token. */
static int32_t first_behind(const Core *self, const Term *term, int32_t token) {
    const Span *spans = &AT(self->spans, Span, term->first_span);
    int32_t low = 0, high = term->span_count;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (spans[middle].first > token) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* Say whether a span has one of these terms near enough; `is_left` if it is of the left side. Positions of
   different fields are further apart than any distance. */
static int has_near(const Core *self, Span span, const int32_t *others, int32_t count, const int32_t *node, int is_left) {
    int may_follow = !node[2] || is_left, may_precede = !node[2] || !is_left;
    int64_t distance = node[3];
    for (int32_t i = 0; i < count; i++) {
        const Term *term = &AT(self->terms, Term, others[i]);
        if (!term->span_count) continue;
        const Span *found = &AT(self->spans, Span, term->first_span);
        int32_t behind = first_behind(self, term, span.last);
        if (may_follow && behind < term->span_count
            && position_of(self, found[behind].first) - position_of(self, span.last) <= distance) return 1;
        int32_t before = first_behind(self, term, span.first - 1 - (found[0].last - found[0].first)) - 1;
        if (may_precede && before >= 0
            && position_of(self, span.first) - position_of(self, found[before].last) <= distance) return 1;
    }
    return 0;
}

static int add_hit(Core *self, int32_t term, Span span) {
    const Token *first = &AT(self->tokens, Token, span.first);
    Hit *hit = list_add(&self->hits);
    if (!hit) return -1;
    *hit = (Hit){term, first->field, first->start, AT(self->tokens, Token, span.last).end,
                 AT(self->terms, Term, term).rank, 0};
    return 0;
}

/* NEAR: operation, end, is_ordered, distance, terms on the left, terms on the right, all of them. */
static int near(Core *self, const int32_t *node, int is_collecting) {
    int32_t left = node[4], right = node[5], holds = 0;
    for (int32_t i = 0; i < left + right; i++)
        if (term_spans(self, node[6 + i]) < 0) return -1;
    for (int32_t i = 0; i < left + right; i++) {
        int is_left = i < left;
        int32_t term = node[6 + i];
        for (int32_t j = 0; j < AT(self->terms, Term, term).span_count; j++) {
            Span span = AT(self->spans, Span, AT(self->terms, Term, term).first_span + j);
            const int32_t *others = is_left ? node + 6 + left : node + 6;
            if (!has_near(self, span, others, is_left ? right : left, node, is_left)) continue;
            if (!is_collecting) return 1;
            holds = 1;
            if (add_hit(self, term, span) < 0) return -1;
        }
    }
    return holds;
}

static int holds(Core *self, int32_t at);

/* ALL, ANY: operation, end, children. AT_LEAST: operation, end, count, children. */
static int enough_hold(Core *self, const int32_t *node, int32_t at) {
    int32_t child = at + (node[0] == AT_LEAST ? 3 : 2), count = 0;
    while (child < node[1]) {
        int found = holds(self, child);
        if (found < 0) return -1;
        if (!found && node[0] == ALL) return 0;
        if (found && (node[0] == ANY || (node[0] == AT_LEAST && ++count >= node[2]))) return 1;
        child = AT(self->program, int32_t, child + 1);
    }
    return node[0] == ALL;
}

static int holds(Core *self, int32_t at) {
    const int32_t *node = &AT(self->program, int32_t, at);
    switch (node[0]) {
    case TERM: {
        int32_t count = term_spans(self, node[2]);
        return count < 0 ? -1 : count > 0;
    }
    case NEAR: return near(self, node, 0);
    case NOT: {
        int found = holds(self, at + 2);
        return found < 0 ? -1 : !found;
    }
    default: return enough_hold(self, node, at);
    }
}

/* Collect the places that make a node hold, which it does. */
static int collect(Core *self, int32_t at) {
    const int32_t *node = &AT(self->program, int32_t, at);
    if (node[0] == NOT) return 0;
    if (node[0] == NEAR) return near(self, node, 1) < 0 ? -1 : 0;
    if (node[0] == TERM) {
        int32_t count = term_spans(self, node[2]);
        for (int32_t i = 0; i < count; i++)
            if (add_hit(self, node[2], AT(self->spans, Span, AT(self->terms, Term, node[2]).first_span + i)) < 0) return -1;
        return count < 0 ? -1 : 0;
    }
    for (int32_t child = at + (node[0] == AT_LEAST ? 3 : 2); child < node[1];) {
        int found = holds(self, child);
        if (found < 0 || (found && collect(self, child) < 0)) return -1;
        child = AT(self->program, int32_t, child + 1);
    }
    return 0;
}

/* ------------------------------------------------------------------------- evidence */

static int by_place(const void *left, const void *right) {
    const Hit *a = left, *b = right;
    if (a->field != b->field) return a->field < b->field ? -1 : 1;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    if (a->end != b->end) return a->end < b->end ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

static int by_turn(const void *left, const void *right) {
    const Hit *a = left, *b = right;
    return a->seen != b->seen ? (a->seen < b->seen ? -1 : 1) : by_place(left, right);
}

static int by_rank(const void *left, const void *right) {
    const Hit *a = left, *b = right;
    return a->rank != b->rank ? (a->rank < b->rank ? -1 : 1) : by_place(left, right);
}

/* Order the hits, each once, and keep as many as anybody wants to see: the first of each term comes before the
   second of any. */
static void settle_hits(Core *self) {
    Hit *hits = self->hits.items;
    Py_ssize_t count = 0;
    qsort(hits, (size_t)self->hits.length, sizeof(Hit), by_place);
    for (Py_ssize_t i = 0; i < self->hits.length; i++)
        if (!count || by_place(&hits[count - 1], &hits[i])) hits[count++] = hits[i];
    if (count > HITS_KEPT) {
        qsort(hits, (size_t)count, sizeof(Hit), by_rank);
        for (Py_ssize_t i = 0; i < count; i++)
            hits[i].seen = i && hits[i - 1].rank == hits[i].rank ? hits[i - 1].seen + 1 : 1;
        qsort(hits, (size_t)count, sizeof(Hit), by_turn);
        count = HITS_KEPT;
        qsort(hits, (size_t)count, sizeof(Hit), by_place);
    }
    self->hits.length = count;
}

typedef struct { Py_ssize_t start, end; } Window;

static int is_space_at(PyObject *text, Py_ssize_t at) { return Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(text, at)); }

/* As `_window` of snippet.py. */
static Window window_of(PyObject *text, const Hit *hit) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), most = SNIPPET_LENGTH - 2;
    if (length <= SNIPPET_LENGTH) return (Window){0, length};
    Py_ssize_t room = most - (hit->end - hit->start);
    if (room < 0) room = 0;
    Py_ssize_t start = hit->start - room / 3;
    if (start < 0) start = 0;
    Py_ssize_t end = start + most > hit->end ? start + most : hit->end;
    if (end > length) end = length;
    if (end - most < start) start = end - most;
    if (start < 0) start = 0;
    if (start > 0 && !is_space_at(text, start - 1)) {
        Py_ssize_t at = start;
        while (at < hit->start && !is_space_at(text, at)) at++;
        if (at < hit->start) start = at + 1;
        else if (hit->start - start <= 30) start = hit->start;
    }
    if (end < length && !is_space_at(text, end)) {
        Py_ssize_t at = end - 1;
        while (at > hit->end && !is_space_at(text, at)) at--;
        if (at > hit->end) end = at;
    }
    return end - start <= most ? (Window){start, end} : (Window){hit->start, hit->start + most};
}

typedef struct { int32_t terms, hits, rank; Py_ssize_t start; } Worth;

/* How much of the evidence a window shows: different terms, hits, which field, how early. */
static Worth worth_of(const Core *self, Window window, int32_t field) {
    const Hit *hits = self->hits.items;
    Worth worth = {0, 0, field == 1 ? 2 : field == 0, window.start};
    for (Py_ssize_t i = 0; i < self->hits.length; i++) {
        if (hits[i].field != field || hits[i].start < window.start || hits[i].end > window.end) continue;
        worth.hits++;
        int is_new = 1;
        for (Py_ssize_t j = 0; j < i && is_new; j++)
            is_new = hits[j].rank != hits[i].rank || hits[j].field != field || hits[j].start < window.start
                     || hits[j].end > window.end;
        worth.terms += is_new;
    }
    return worth;
}

static int is_better(Worth new, Worth old) {
    if (new.terms != old.terms) return new.terms > old.terms;
    if (new.hits != old.hits) return new.hits > old.hits;
    if (new.rank != old.rank) return new.rank > old.rank;
    return new.start < old.start;
}

/* The text of a window as one line, with an ellipsis at each end that was cut. */
static PyObject *passage(PyObject *text, Window window) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    int before = window.start > 0, after = window.end < length, kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_UCS4 most = before || after ? 0x2026 : 0x7f;
    for (Py_ssize_t i = window.start; i < window.end; i++) {
        Py_UCS4 letter = PyUnicode_READ(kind, data, i);
        if (letter > most) most = letter;
    }
    PyObject *line = PyUnicode_New(before + (window.end - window.start) + after, most);
    if (!line) return NULL;
    int line_kind = PyUnicode_KIND(line);
    void *place = PyUnicode_DATA(line);
    Py_ssize_t at = 0;
    if (before) PyUnicode_WRITE(line_kind, place, at++, 0x2026);
    for (Py_ssize_t i = window.start; i < window.end; i++) {
        Py_UCS4 letter = PyUnicode_READ(kind, data, i);
        PyUnicode_WRITE(line_kind, place, at++, letter == '\n' ? ' ' : letter);
    }
    if (after) PyUnicode_WRITE(line_kind, place, at, 0x2026);
    return line;
}

/* The places of the hits in a passage; neither overlap nor touch. */
static PyObject *marks_of(const Core *self, Window window, int32_t field) {
    Py_ssize_t shift = window.start - (window.start > 0), count = 0;
    Window marks[HITS_KEPT];
    const Hit *hits = self->hits.items;
    for (Py_ssize_t i = 0; i < self->hits.length; i++) {
        if (hits[i].field != field || hits[i].start < window.start || hits[i].end > window.end) continue;
        Window mark = {hits[i].start - shift, hits[i].end - shift};
        if (!count || mark.start > marks[count - 1].end) marks[count++] = mark;
        else if (mark.end > marks[count - 1].end) marks[count - 1].end = mark.end;
    }
    PyObject *made = PyTuple_New(count);
    for (Py_ssize_t i = 0; made && i < count; i++) {
        PyObject *mark = Py_BuildValue("nn", marks[i].start, marks[i].end);
        if (!mark) Py_CLEAR(made);
        else PyTuple_SET_ITEM(made, i, mark);
    }
    return made;
}

static PyObject *make_snippet(Core *self) {
    const Hit *hits = self->hits.items;
    Window best = {0, 0};
    Worth most = {-1, 0, 0, 0};
    int32_t field = 0;
    for (Py_ssize_t i = 0; i < self->hits.length; i++) {
        Window window = window_of(self->texts[hits[i].field], &hits[i]);
        Worth worth = worth_of(self, window, hits[i].field);
        if (!is_better(worth, most)) continue;
        best = window, most = worth, field = hits[i].field;
    }
    PyObject *values[3] = {passage(self->texts[field], best), Py_NewRef(self->field_names[field]),
                           marks_of(self, best, field)};
    return record_make(&self->snippet, values);
}

static PyObject *make_hits(Core *self) {
    PyObject *made = PyTuple_New(self->hits.length);
    for (Py_ssize_t i = 0; made && i < self->hits.length; i++) {
        Hit hit = AT(self->hits, Hit, i);
        PyObject *values[4] = {Py_NewRef(AT(self->terms, Term, hit.term).label),
                               Py_NewRef(self->field_names[hit.field]), PyLong_FromLong(hit.start),
                               PyLong_FromLong(hit.end)};
        PyObject *item = record_make(&self->hit, values);
        if (!item) Py_CLEAR(made);
        else PyTuple_SET_ITEM(made, i, item);
    }
    return made;
}

/* The match of a rule that holds. */
static PyObject *make_match(Core *self, const Rule *rule) {
    self->hits.length = 0;
    if (collect(self, rule->program) < 0) return NULL;
    settle_hits(self);
    PyObject *values[5] = {Py_NewRef(rule->id), Py_NewRef(rule->version), make_hits(self), make_snippet(self),
                           Py_NewRef(Py_None)};
    return record_make(&self->match, values);
}

/* ------------------------------------------------------------------------- Core, as Python sees it */

static int by_number(const void *left, const void *right) {
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

static int add_fields(Core *self, PyObject *lengths) {
    for (int32_t field = 0; field < FIELDS; field++) {
        int64_t position = 0;
        if (field < FIELDS - 1) {
            if (add_words(self, field, 0, PyUnicode_GET_LENGTH(self->texts[field]), &position) < 0) return -1;
            continue;
        }
        Py_ssize_t from = 0;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(lengths); i++) {
            Py_ssize_t length = PyLong_AsSsize_t(PyTuple_GET_ITEM(lengths, i));
            if (add_words(self, field, from, from + length, &position) < 0) return -1;
            from += length + 1;
        }
    }
    return 0;
}

static void begin_item(Core *self) {
    tongue_bound(self->tongue);
    memset(self->atoms_seen, 0, ((size_t)self->atom_count / 64 + 1) * sizeof(uint64_t));
    if (++self->now) return;
    memset(self->key_seen, 0, (size_t)self->key_room * sizeof(uint32_t));
    memset(self->rule_seen, 0, (size_t)self->rules.length * sizeof(uint32_t));
    for (Py_ssize_t i = 0; i < self->terms.length; i++) AT(self->terms, Term, i).seen = 0;
    self->now = 1;
}

static int find_candidates(Core *self, const Py_buffer *allowed, PyObject *lengths) {
    self->tokens.length = self->occurrences.length = self->found_keys.length = self->spans.length = 0;
    self->candidates.length = 0;
    begin_item(self);
    if (add_fields(self, lengths) < 0 || add_occurrences(self) < 0) return -1;
    if (add_candidates(self, allowed->buf) < 0) return -1;
    qsort(self->candidates.items, (size_t)self->candidates.length, sizeof(int32_t), by_number);
    return 0;
}

static int verify(Core *self, PyObject **matches, PyObject **others) {
    *matches = PyList_New(0), *others = PyList_New(0);
    int failed = !*matches || !*others;
    for (Py_ssize_t i = 0; !failed && i < self->candidates.length; i++) {
        int32_t number = AT(self->candidates, int32_t, i);
        const Rule *rule = &AT(self->rules, Rule, number);
        PyObject *found = NULL, *list = *matches;
        if (rule->program < 0) {
            found = PyLong_FromLong(number);
            list = *others;
        } else {
            int is_held = holds(self, rule->program);
            if (!is_held) continue;
            if (is_held > 0) found = make_match(self, rule);
        }
        failed = !found || PyList_Append(list, found) < 0;
        Py_XDECREF(found);
    }
    if (failed) { Py_CLEAR(*matches); Py_CLEAR(*others); }
    return failed ? -1 : 0;
}

static int line_add(List *line, const Py_UCS4 *letters, Py_ssize_t length) {
    if (list_reserve(line, length) < 0) return -1;
    Py_UCS4 *end = &AT(*line, Py_UCS4, line->length);
    for (Py_ssize_t i = 0; i < length; i++) end[i] = letters[i];
    line->length += length;
    return 0;
}

/* Return the words of the item, or their stems, as `kept_words` of archive.py joins them. */
static PyObject *make_kept(Core *self, int which) {
    static const Py_UCS4 between_fields[] = {' ', NOTHING_BETWEEN, ' '}, *between_words = between_fields,
                         *gap = between_fields + 1;
    List *line = &self->line;
    line->length = 0;
    Py_ssize_t i = 0;
    for (int32_t field = 0; field < FIELDS; field++) {
        if (field && line_add(line, between_fields, 3) < 0) return NULL;
        int64_t following = (int64_t)field << 40;
        for (int is_first = 1; i < self->tokens.length && AT(self->tokens, Token, i).field == field; i++, is_first = 0) {
            const Token *token = &AT(self->tokens, Token, i);
            Part kept = token->kept[which];
            if ((!is_first && line_add(line, between_words, 1) < 0)
                || (token->position != following && line_add(line, gap, 2) < 0)
                || line_add(line, &AT(self->tongue->texts, Py_UCS4, kept.start), kept.length) < 0) return NULL;
            following = token->position + 1;
        }
    }
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, line->items, line->length);
}

/* match(tongue, title, body, author, categories, lengths, allowed, keeps)
   -> ([Match, ...], [rule number, ...], (words, stems) if keeps else None) */
static PyObject *core_match(Core *self, PyObject *arguments) {
    Py_buffer allowed;
    PyObject *lengths, *matches, *others;
    int keeps;
    if (!PyArg_ParseTuple(arguments, "O!UUUUO!y*p", &TongueType, &self->tongue, &self->texts[0], &self->texts[1],
                          &self->texts[2], &self->texts[3], &PyTuple_Type, &lengths, &allowed, &keeps))
        return NULL;
    int failed = find_candidates(self, &allowed, lengths) < 0 || verify(self, &matches, &others) < 0;
    PyBuffer_Release(&allowed);
    if (failed) return NULL;
    return keeps ? Py_BuildValue("NN(NN)", matches, others, make_kept(self, 0), make_kept(self, 1))
                 : Py_BuildValue("NNO", matches, others, Py_None);
}

/* tongue(key_by_atom, key_count, variant, most, told) -> Tongue */
static PyObject *core_tongue(Core *self, PyObject *arguments) {
    Py_buffer keys;
    PyObject *told;
    int key_count, variant;
    Py_ssize_t most;
    if (!PyArg_ParseTuple(arguments, "y*iinO", &keys, &key_count, &variant, &most, &told)) return NULL;
    Tongue *tongue = PyObject_New(Tongue, &TongueType);
    if (tongue) memset((char *)tongue + sizeof(PyObject), 0, sizeof(Tongue) - sizeof(PyObject));
    if (!tongue || keys.len != (Py_ssize_t)sizeof(int32_t) * self->atom_count || variant < 0 || variant >= VARIANTS) {
        PyBuffer_Release(&keys);
        Py_XDECREF(tongue);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a tongue needs a key for each atom");
        return NULL;
    }
    size_t atoms = (size_t)self->atom_count + 1, room = (size_t)key_count + 1;
    tongue->texts.size = sizeof(Py_UCS4);
    tongue->keys.size = sizeof(int32_t);
    tongue->told = Py_NewRef(told);
    tongue->atom_count = self->atom_count, tongue->key_count = key_count;
    tongue->variant = variant, tongue->most = most;
    tongue->key_by_atom = PyMem_Malloc(atoms * sizeof(int32_t));
    tongue->next_atom = PyMem_Malloc(atoms * sizeof(int32_t));
    tongue->first_atom = PyMem_Malloc(room * sizeof(int32_t));
    int is_whole = tongue->key_by_atom && tongue->next_atom && tongue->first_atom
                   && tongue_resize(tongue, 1024) == 0;
    if (is_whole && key_count > self->key_room) {
        int32_t *first = PyMem_Realloc(self->first_occurrence, room * sizeof(int32_t));
        if (first) self->first_occurrence = first;
        uint32_t *seen = PyMem_Realloc(self->key_seen, room * sizeof(uint32_t));
        if (seen) self->key_seen = seen;
        is_whole = first && seen;
        if (is_whole) memset(seen + self->key_room, 0, (room - (size_t)self->key_room) * sizeof(uint32_t));
        if (is_whole) self->key_room = key_count;
    }
    if (!is_whole) {
        PyBuffer_Release(&keys);
        Py_DECREF(tongue);
        return PyErr_NoMemory();
    }
    memcpy(tongue->key_by_atom, keys.buf, (size_t)keys.len);
    PyBuffer_Release(&keys);
    memset(tongue->first_atom, -1, room * sizeof(int32_t));
    for (int32_t atom = self->atom_count - 1; atom >= 0; atom--) {
        int32_t key = tongue->key_by_atom[atom];
        if (key < 0 || key >= key_count) {
            Py_DECREF(tongue);
            PyErr_SetString(PyExc_ValueError, "a key is out of range");
            return NULL;
        }
        tongue->next_atom[atom] = tongue->first_atom[key];
        tongue->first_atom[key] = atom;
    }
    return (PyObject *)tongue;
}

/* Copy a buffer of int32_t. */
static int take_numbers(List *list, PyObject *source) {
    Py_buffer numbers;
    if (PyObject_GetBuffer(source, &numbers, PyBUF_SIMPLE) < 0) return -1;
    list->length = 0;
    int failed = list_reserve(list, numbers.len / (Py_ssize_t)sizeof(int32_t) + 1);
    if (!failed) {
        memcpy(list->items, numbers.buf, (size_t)numbers.len);
        list->length = numbers.len / (Py_ssize_t)sizeof(int32_t);
    }
    PyBuffer_Release(&numbers);
    return failed;
}

static int take_terms(Core *self, PyObject *labels, PyObject *numbers) {
    List flat = {NULL, 0, 0, sizeof(int32_t)};
    if (take_numbers(&flat, numbers) < 0) return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(labels); i++) {
        Term *term = list_add(&self->terms);
        if (!term) { list_free(&flat); return -1; }
        *term = (Term){.seen = 0};
        memcpy(&term->rank, (int32_t *)flat.items + i * (3 + 2 * VARIANTS), (3 + 2 * VARIANTS) * sizeof(int32_t));
        term->label = Py_NewRef(PyList_GET_ITEM(labels, i));
    }
    list_free(&flat);
    return 0;
}

static int take_rules(Core *self, PyObject *names, PyObject *numbers) {
    List flat = {NULL, 0, 0, sizeof(int32_t)};
    if (take_numbers(&flat, numbers) < 0) return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        Rule *rule = list_add(&self->rules);
        if (!rule) { list_free(&flat); return -1; }
        PyObject *pair = PyList_GET_ITEM(names, i);
        rule->id = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
        rule->version = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        rule->program = AT(flat, int32_t, 2 * i);
        rule->filter = AT(flat, int32_t, 2 * i + 1);
    }
    list_free(&flat);
    return 0;
}

/* Postings come as (atom, rule, run, offset, companion), ordered by atom. */
static int take_postings(Core *self, PyObject *numbers) {
    List flat = {NULL, 0, 0, sizeof(int32_t)};
    self->first_posting = PyMem_Calloc((size_t)self->atom_count + 2, sizeof(int32_t));
    if (!self->first_posting) { PyErr_NoMemory(); return -1; }
    if (take_numbers(&flat, numbers) < 0 || list_reserve(&self->postings, flat.length / 5 + 1) < 0) {
        list_free(&flat);
        return -1;
    }
    for (Py_ssize_t i = 0; i + 4 < flat.length; i += 5) {
        self->first_posting[AT(flat, int32_t, i) + 1]++;
        AT(self->postings, Posting, self->postings.length++) =
            (Posting){AT(flat, int32_t, i + 1), AT(flat, int32_t, i + 2), AT(flat, int32_t, i + 3),
                      AT(flat, int32_t, i + 4)};
    }
    for (int32_t atom = 0; atom < self->atom_count; atom++) self->first_posting[atom + 1] += self->first_posting[atom];
    list_free(&flat);
    return 0;
}

static int make_room(Core *self) {
    self->rule_seen = PyMem_Calloc((size_t)self->rules.length + 1, sizeof(uint32_t));
    self->atoms_seen = PyMem_Calloc((size_t)self->atom_count / 64 + 1, sizeof(uint64_t));
    self->classes = PyMem_Calloc(0x110000, 1);
    if (self->rule_seen && self->atoms_seen && self->classes) return 0;
    PyErr_NoMemory();
    return -1;
}

/* Core(records, fields, classify, seed, atom_count, flat) with flat = (atoms, runs, labels, terms, names, rules,
   postings, program): lists of texts, and buffers of int32_t. */
static int core_init(Core *self, PyObject *arguments, PyObject *Py_UNUSED(keywords)) {
    PyObject *hit, *snippet, *match, *fields, *classify, *atoms, *runs, *labels, *terms, *names, *rules, *postings, *program;
    unsigned long long seed;
    if (self->classes) { PyErr_SetString(PyExc_RuntimeError, "a core is made once"); return -1; }
    if (!PyArg_ParseTuple(arguments, "(OOO)O!OKi(OOO!OO!OOO)", &hit, &snippet, &match, &PyTuple_Type, &fields, &classify,
                          &seed, &self->atom_count, &atoms, &runs, &PyList_Type, &labels, &terms, &PyList_Type, &names,
                          &rules, &postings, &program))
        return -1;
    const struct { List *list; size_t size; } lists[] = {
        {&self->atoms, sizeof(int32_t)}, {&self->terms, sizeof(Term)}, {&self->runs, sizeof(Run)},
        {&self->postings, sizeof(Posting)}, {&self->rules, sizeof(Rule)}, {&self->program, sizeof(int32_t)},
        {&self->tokens, sizeof(Token)}, {&self->occurrences, sizeof(Occurrence)},
        {&self->found_keys, sizeof(int32_t)}, {&self->spans, sizeof(Span)}, {&self->hits, sizeof(Hit)},
        {&self->candidates, sizeof(int32_t)}, {&self->line, sizeof(Py_UCS4)},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        lists[i].list->size = (Py_ssize_t)lists[i].size;
        if (list_reserve(lists[i].list, 1) < 0) return -1;
    }
    for (int i = 0; i < FIELDS; i++) self->field_names[i] = Py_NewRef(PyTuple_GET_ITEM(fields, i));
    self->classify = Py_NewRef(classify);
    self->seed = seed;
    List flat_runs = {NULL, 0, 0, sizeof(int32_t)};
    if (record_take(&self->hit, hit) < 0 || record_take(&self->snippet, snippet) < 0
        || record_take(&self->match, match) < 0 || take_numbers(&self->atoms, atoms) < 0
        || take_numbers(&self->program, program) < 0 || take_terms(self, labels, terms) < 0
        || take_rules(self, names, rules) < 0 || take_postings(self, postings) < 0 || make_room(self) < 0
        || take_numbers(&flat_runs, runs) < 0 || list_reserve(&self->runs, flat_runs.length / 2 + 1) < 0) {
        list_free(&flat_runs);
        return -1;
    }
    memcpy(self->runs.items, flat_runs.items, (size_t)flat_runs.length * sizeof(int32_t));
    self->runs.length = flat_runs.length / 2;
    list_free(&flat_runs);
    return 0;
}

static void core_dealloc(Core *self) {
    for (Py_ssize_t i = 0; i < self->terms.length; i++) Py_XDECREF(AT(self->terms, Term, i).label);
    for (Py_ssize_t i = 0; i < self->rules.length; i++) {
        Py_XDECREF(AT(self->rules, Rule, i).id);
        Py_XDECREF(AT(self->rules, Rule, i).version);
    }
    record_free(&self->hit);
    record_free(&self->snippet);
    record_free(&self->match);
    for (int i = 0; i < FIELDS; i++) Py_XDECREF(self->field_names[i]);
    Py_XDECREF(self->classify);
    List *lists[] = {&self->atoms, &self->terms, &self->runs, &self->postings, &self->rules, &self->program,
                     &self->tokens, &self->occurrences, &self->found_keys, &self->spans, &self->hits,
                     &self->candidates, &self->line};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) list_free(lists[i]);
    void *others[] = {self->first_posting, self->classes, self->first_occurrence, self->key_seen, self->rule_seen,
                      self->atoms_seen};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) PyMem_Free(others[i]);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef core_methods[] = {
    {"match", (PyCFunction)core_match, METH_VARARGS,
     "Return the matches of an item, the candidates left to Python, and its words and stems."},
    {"tongue", (PyCFunction)core_tongue, METH_VARARGS, "Return the words of the rules as a language has them."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject CoreType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "syndicate.rules._core.Core",
    .tp_doc = "Rules, as numbers, ready to match.",
    .tp_basicsize = sizeof(Core),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)core_init,
    .tp_dealloc = (destructor)core_dealloc,
    .tp_methods = core_methods,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_core", .m_doc = "The compiled core of rules/index.py.", .m_size = -1,
};

PyMODINIT_FUNC PyInit__core(void) {
    if (PyType_Ready(&TongueType) < 0 || PyType_Ready(&CoreType) < 0) return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made && (PyModule_AddObjectRef(made, "Core", (PyObject *)&CoreType) < 0
                 || PyModule_AddStringConstant(made, "DIGEST", DIGEST) < 0)) Py_CLEAR(made);
    return made;
}
