#include "edc_states.h"

#include <string.h>

/* Spreads a state's number over 32 bits (the finaliser of MurmurHash3, public domain), so that sums of them rarely
 * meet. */
static uint32_t spread(uint32_t x) {
    x += 0x9E3779B9u;
    x = (x ^ x >> 16) * 0x85EBCA6Bu;
    x = (x ^ x >> 13) * 0xC2B2AE35u;
    return x ^ x >> 16;
}

uint64_t edc_states_floor(const edc_program *program) {
    return 1 + 3 * ((uint64_t)D_SET + program->n_states) + 2 * (uint64_t)RUN_WORDS * MAX_RUNS;
}

/* --- the set being worked out --- */

static void clear_set(edc_matcher *m) {
    m->set_size = 0;
    m->set_hash = 0;
    m->set_accepts = 0;
    if (++m->mark == 0) {
        memset(m->marks, 0, m->program->n_states * sizeof *m->marks);
        m->mark = 1;
    }
}

/* Adds a state and all that it reaches for free; splits are passed through and not kept. */
static void add_to_set(edc_matcher *m, uint32_t first) {
    const edc_state *states = m->program->states;
    uint32_t *bottom = m->set + m->program->n_states + 1; /* of what is put aside */
    uint32_t *aside = bottom;
    uint32_t state = first;
    for (;;) {
        if (m->marks[state] != m->mark) {
            m->marks[state] = m->mark;
            if (edc_kind_of(states[state]) == EDC_SPLIT) {
                *--aside = edc_arg_of(states[state]);
                state = states[state].out;
                continue;
            }
            m->set[m->set_size++] = state;
            m->set_hash += spread(state);
            m->set_accepts |= edc_kind_of(states[state]) == EDC_ACCEPT;
        }
        if (aside == bottom) return;
        state = *aside++;
    }
}

static int takes(const edc_program *program, edc_state state, uint32_t byte) {
    if (edc_kind_of(state) == EDC_BYTE) return edc_arg_of(state) == byte;
    return edc_kind_of(state) == EDC_CLASS && edc_byteset_has(&program->classes[edc_arg_of(state)], byte);
}

/* --- the arena --- */

static uint32_t *slot_of(const edc_matcher *m, uint32_t hash) {
    uint32_t slot = hash & (m->n_slots - 1);
    while (m->table[slot] != 0) slot = (slot + 1) & (m->n_slots - 1);
    return &m->table[slot];
}

/* Moves a record down to the first free word, less its runs and its list. */
static uint32_t keep_record(edc_matcher *m, uint32_t state) {
    uint32_t n = D_SET + m->words[state + D_SIZE];
    uint32_t at = m->used;
    memmove(m->words + at, m->words + state, n * sizeof *m->words);
    m->words[at + D_RUNS_AT] = 0;
    m->words[at + D_LEGAL_AT] = 0;
    m->used += n;
    m->n_states++;
    *slot_of(m, m->words[at + D_HASH]) = at;
    return at;
}

/* Empties the arena, all but the current state and *kept. The lower of the two moves first: no record is overwritten
 * before it has moved. */
static void flush(edc_matcher *m, uint32_t *kept) {
    uint32_t current = m->current;
    uint32_t other = *kept;
    memset(m->table, 0, m->n_slots * sizeof *m->table);
    m->used = 1;
    m->n_states = 0;
    m->epoch++;
    if (other != 0 && other < current) *kept = keep_record(m, other);
    if (current != 0) m->current = keep_record(m, current);
    if (other > current) *kept = keep_record(m, other);
    if (other == current) *kept = m->current;
}

static int has_room(const edc_matcher *m, uint32_t n_words) {
    return n_words <= m->n_words - m->used;
}

/* Words for a run or a record. The floor of the arena's size sees to it that emptying it is always enough. */
static uint32_t take(edc_matcher *m, uint32_t n_words, uint32_t *kept) {
    if (!has_room(m, n_words)) flush(m, kept);
    uint32_t at = m->used;
    m->used += n_words;
    return at;
}

uint32_t edc_states_take(edc_matcher *m, uint32_t *state, uint32_t n_words) {
    uint32_t n_kept = D_SET + m->words[m->current + D_SIZE];
    if (*state != m->current) n_kept += D_SET + m->words[*state + D_SIZE];
    if (n_words > m->n_words - 1 - n_kept) return 0;
    return take(m, n_words, state);
}

/* Whether a record's set is the one being worked out: as large, and every one of its states marked. */
static int is_same_set(const edc_matcher *m, uint32_t state) {
    const uint32_t *record = m->words + state;
    if (record[D_HASH] != m->set_hash || record[D_SIZE] != m->set_size) return 0;
    for (uint32_t i = 0; i < m->set_size; i++) {
        if (m->marks[record[D_SET + i]] != m->mark) return 0;
    }
    return 1;
}

/* Goes on with a table of twice the size. */
static void enlarge_table(edc_matcher *m) {
    const uint32_t *old = m->table;
    uint32_t n_old = m->n_slots;
    m->n_slots *= 2;
    m->table = m->tables + m->n_slots;
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i] != 0) *slot_of(m, m->words[old[i] + D_HASH]) = old[i];
    }
}

/* The state of the set that was worked out; new where there is none such yet. */
static uint32_t intern(edc_matcher *m, uint32_t *kept) {
    uint32_t slot = m->set_hash & (m->n_slots - 1);
    for (; m->table[slot] != 0; slot = (slot + 1) & (m->n_slots - 1)) {
        if (is_same_set(m, m->table[slot])) return m->table[slot];
    }
    /* A table that is three quarters full, and as large as can be, is as good a reason to start afresh as a full arena. */
    if ((uint64_t)m->n_states * 4 >= (uint64_t)m->n_slots * 3) {
        if (m->n_slots < m->most_slots) {
            enlarge_table(m);
        } else {
            flush(m, kept);
        }
    }
    uint32_t at = take(m, D_SET + m->set_size, kept);
    uint32_t *record = m->words + at;
    memset(record, 0, D_SET * sizeof *record);
    record[D_HASH] = m->set_hash;
    record[D_SIZE] = m->set_size;
    record[D_ACCEPT] = m->set_accepts;
    memcpy(record + D_SET, m->set, m->set_size * sizeof *record);
    m->n_states++;
    *slot_of(m, m->set_hash) = at;
    return at;
}

void edc_states_begin(edc_matcher *m) {
    clear_set(m);
    if (m->program->n_states > 0) add_to_set(m, 0);
    uint32_t none = 0;
    m->current = intern(m, &none);
}

/* --- runs --- */

/* Notes which bytes a state takes, and before which bytes that changes. */
static void note_bytes(const edc_program *program, edc_state state, edc_byteset *taken, edc_byteset *changes) {
    uint32_t arg = edc_arg_of(state);
    if (edc_kind_of(state) == EDC_BYTE) {
        edc_byteset_add(taken, arg);
        edc_byteset_add(changes, arg);
        if (arg < 255) edc_byteset_add(changes, arg + 1);
    } else if (edc_kind_of(state) == EDC_CLASS) {
        const uint64_t *bits = program->classes[arg].bits;
        uint64_t carry = 0;
        for (size_t i = 0; i < 4; i++) {
            taken->bits[i] |= bits[i];
            changes->bits[i] |= bits[i] ^ (bits[i] << 1 | carry);
            carry = bits[i] >> 63;
        }
    }
}

/* Cuts the 256 bytes where any state of the set changes its mind. Returns how many runs. */
static uint32_t cut_runs(const edc_matcher *m, uint32_t state, uint32_t runs[MAX_RUNS]) {
    const uint32_t *record = m->words + state;
    edc_byteset taken = {{0}};
    edc_byteset changes = {{0}};
    for (uint32_t i = 0; i < record[D_SIZE]; i++) {
        note_bytes(m->program, m->program->states[record[D_SET + i]], &taken, &changes);
    }
    uint32_t n = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        if (!edc_byteset_has(&taken, byte)) continue;
        if (edc_byteset_has(&changes, byte)) runs[n++] = byte;
        runs[n - 1] = (runs[n - 1] & 0xFFu) | byte << 8;
    }
    return n;
}

void edc_states_expand(edc_matcher *m, uint32_t *state) {
    if (m->words[*state + D_RUNS_AT] != 0) return;
    uint32_t runs[MAX_RUNS];
    uint32_t n = cut_runs(m, *state, runs);
    uint32_t at = take(m, n * RUN_WORDS, state);
    for (uint32_t i = 0; i < n; i++) {
        m->words[at + RUN_WORDS * i] = runs[i];
        m->words[at + RUN_WORDS * i + 1] = 0;
    }
    m->words[*state + D_RUNS] = n;
    m->words[*state + D_RUNS_AT] = at;
}

uint32_t edc_states_follow(edc_matcher *m, uint32_t *state, uint32_t run) {
    uint32_t *words = m->words + m->words[*state + D_RUNS_AT] + RUN_WORDS * run;
    if (words[1] != 0) return words[1];
    const uint32_t *record = m->words + *state;
    clear_set(m);
    for (uint32_t i = 0; i < record[D_SIZE]; i++) {
        edc_state from = m->program->states[record[D_SET + i]];
        if (takes(m->program, from, edc_run_low(words))) add_to_set(m, from.out);
    }
    uint32_t epoch = m->epoch;
    uint32_t target = intern(m, state);
    if (m->epoch == epoch) words[1] = target;
    return target;
}

uint32_t edc_states_step(edc_matcher *m, uint32_t *state, uint8_t byte) {
    edc_states_expand(m, state);
    const uint32_t *runs = m->words + m->words[*state + D_RUNS_AT];
    uint32_t low = 0;
    uint32_t high = m->words[*state + D_RUNS];
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (edc_run_high(runs + RUN_WORDS * middle) < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == m->words[*state + D_RUNS] || edc_run_low(runs + RUN_WORDS * low) > byte) return 0;
    return edc_states_follow(m, state, low);
}
