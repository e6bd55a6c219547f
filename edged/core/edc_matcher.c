#include <stdlib.h>
#include <string.h>

#include "edc_ahead.h"
#include "edc_canonical.h"
#include "edc_legal.h"
#include "edc_limits.h"
#include "edc_states.h"

/* Words of the arena that stand for one slot of the hash table: a record of few states with its runs. */
#define WORDS_PER_SLOT 32u

/* Slots to begin with: most programs need no more, and what is not used is not touched. A power of two. */
#define FIRST_SLOTS 1024u

static uint64_t arena_words(const edc_vocab *vocab, const edc_program *program, size_t budget) {
    uint64_t n_bytes = budget != 0 ? budget : EDC_DEFAULT_BUDGET_BYTES + vocab->n_tokens * sizeof(uint32_t);
    uint64_t n_words = n_bytes / sizeof(uint32_t);
    uint64_t floor = edc_states_floor(program);
    return n_words > floor ? n_words : floor;
}

static int take_memory(edc_matcher *m) {
    size_t n_states = (size_t)m->program->n_states + 1;
    m->most_slots = 16;
    while (m->most_slots < m->n_words / WORDS_PER_SLOT) m->most_slots *= 2;
    m->n_slots = m->most_slots < FIRST_SLOTS ? m->most_slots : FIRST_SLOTS;
    m->words = malloc(m->n_words * sizeof *m->words);
    m->tables = calloc(2 * (size_t)m->most_slots, sizeof *m->tables);
    m->set = malloc(n_states * sizeof *m->set);
    m->marks = calloc(n_states, sizeof *m->marks);
    m->legal = malloc(((size_t)m->vocab->n_tokens + 1) * sizeof *m->legal);
    if (m->canonical != NULL) {
        m->ahead = calloc(1, sizeof *m->ahead);
        if (m->ahead == NULL) return 0;
    }
    if (m->tables != NULL) m->table = m->tables + m->n_slots;
    return m->words != NULL && m->tables != NULL && m->set != NULL && m->marks != NULL && m->legal != NULL;
}

edc_status edc_matcher_new(const edc_vocab *vocab, const edc_program *program, size_t budget, edc_matcher **out) {
    return edc_matcher_new_canonical(vocab, program, NULL, budget, out);
}

edc_status edc_matcher_new_canonical(const edc_vocab *vocab, const edc_program *program, edc_canonical *canonical,
                                     size_t budget, edc_matcher **out) {
    if (out == NULL) return EDC_BAD_ARGUMENT;
    *out = NULL;
    if (vocab == NULL || program == NULL) return EDC_BAD_ARGUMENT;
    if (budget > EDC_MAX_BUDGET_BYTES) return EDC_TOO_LARGE;
    edc_matcher *m = calloc(1, sizeof *m);
    if (m == NULL) return EDC_NO_MEMORY;
    m->vocab = vocab;
    m->program = program;
    m->canonical = canonical;
    m->n_words = (uint32_t)arena_words(vocab, program, budget);
    m->used = 1;
    if (!take_memory(m)) {
        edc_matcher_free(m);
        return EDC_NO_MEMORY;
    }
    edc_matcher_reset(m);
    *out = m;
    return EDC_OK;
}

void edc_matcher_free(edc_matcher *m) {
    if (m == NULL) return;
    free(m->words);
    free(m->tables);
    free(m->set);
    free(m->marks);
    free(m->legal);
    free(m->ahead);
    free(m);
}

void edc_matcher_reset(edc_matcher *m) {
    m->last = m->canonical != NULL ? m->canonical->before : EDC_NONE;
    edc_states_begin(m);
}

size_t edc_matcher_bytes(const edc_matcher *m) {
    size_t n_states = (size_t)m->program->n_states + 1;
    size_t n_words = (size_t)m->n_words + 2 * (size_t)m->most_slots + 2 * n_states + m->vocab->n_tokens + 1;
    return sizeof *m + n_words * sizeof(uint32_t) + (m->ahead != NULL ? sizeof *m->ahead : 0);
}

size_t edc_matcher_used(const edc_matcher *m) {
    size_t n_states = (size_t)m->program->n_states + 1;
    size_t n_arena = m->epoch == 0 ? m->used : m->n_words;
    size_t n_words = n_arena + 2 * (size_t)m->n_slots + 2 * n_states + m->most_legal;
    return sizeof *m + n_words * sizeof(uint32_t) + (m->ahead != NULL ? sizeof *m->ahead : 0);
}

uint32_t edc_matcher_flushes(const edc_matcher *m) {
    return m->epoch;
}

edc_status edc_matcher_legal(edc_matcher *m, const int32_t **ids, size_t *n_ids) {
    if (m == NULL || ids == NULL || n_ids == NULL) return EDC_BAD_ARGUMENT;
    const uint32_t *list = NULL;
    uint32_t n = 0;
    edc_legal_list(m, &list, &n);
    *ids = (const int32_t *)list; /* EDC_MAX_TOKENS is below INT32_MAX */
    *n_ids = n;
    return EDC_OK;
}

edc_status edc_matcher_advance_bytes(edc_matcher *m, const uint8_t *bytes, size_t length) {
    if (m == NULL || (bytes == NULL && length > 0)) return EDC_BAD_ARGUMENT;
    uint32_t state = m->current;
    for (size_t i = 0; i < length; i++) {
        uint32_t next = edc_states_step(m, &state, bytes[i]);
        if (next == 0) return EDC_ILLEGAL_BYTE;
        state = next;
    }
    m->current = state;
    if (length > 0) m->last = EDC_NONE;
    return EDC_OK;
}

/* What stands left of the next token once `token` was taken. */
static uint32_t left_behind(edc_matcher *m, uint32_t last, uint32_t token) {
    return m->canonical != NULL ? edc_canonical_join(m->canonical, m->vocab, last, token) : EDC_NONE;
}

edc_status edc_matcher_advance(edc_matcher *m, int32_t token) {
    if (m == NULL) return EDC_BAD_ARGUMENT;
    if (token < 0 || (uint32_t)token >= m->vocab->n_tokens) return EDC_ILLEGAL_TOKEN;
    const uint32_t *offset = m->vocab->offsets + token;
    uint32_t length = offset[1] - offset[0];
    if (length == 0 || length > EDC_MAX_TOKEN_BYTES) return EDC_ILLEGAL_TOKEN;
    uint32_t last = m->last;
    edc_status status = edc_matcher_advance_bytes(m, m->vocab->bytes + offset[0], length);
    if (status != EDC_OK) return EDC_ILLEGAL_TOKEN;
    m->last = left_behind(m, last, (uint32_t)token);
    return EDC_OK;
}

edc_status edc_matcher_next_bytes(edc_matcher *m, uint8_t bitmap[32]) {
    if (m == NULL || bitmap == NULL) return EDC_BAD_ARGUMENT;
    memset(bitmap, 0, 32);
    uint32_t state = m->current;
    edc_states_expand(m, &state);
    const uint32_t *runs = m->words + m->words[state + D_RUNS_AT];
    for (uint32_t i = 0; i < m->words[state + D_RUNS]; i++, runs += RUN_WORDS) {
        for (uint32_t byte = edc_run_low(runs); byte <= edc_run_high(runs); byte++) {
            bitmap[byte >> 3] = (uint8_t)(bitmap[byte >> 3] | 1u << (byte & 7u));
        }
    }
    return EDC_OK;
}

edc_status edc_matcher_forced(edc_matcher *m, uint8_t *buffer, size_t capacity, size_t *n_forced) {
    if (m == NULL || n_forced == NULL || (buffer == NULL && capacity > 0)) return EDC_BAD_ARGUMENT;
    size_t n = 0;
    for (uint32_t state = m->current; n < capacity && m->words[state + D_ACCEPT] == 0; n++) {
        edc_states_expand(m, &state);
        const uint32_t *runs = m->words + m->words[state + D_RUNS_AT];
        if (m->words[state + D_RUNS] != 1 || edc_run_low(runs) != edc_run_high(runs)) break;
        buffer[n] = (uint8_t)edc_run_low(runs);
        uint32_t next = edc_states_follow(m, &state, 0);
        state = next;
    }
    *n_forced = n;
    return EDC_OK;
}

edc_status edc_matcher_forced_tokens(edc_matcher *m, int32_t *tokens, size_t capacity, size_t *n_forced) {
    if (m == NULL || n_forced == NULL || (tokens == NULL && capacity > 0)) return EDC_BAD_ARGUMENT;
    size_t n = 0;
    uint32_t last = m->last;
    for (uint32_t state = m->current; n < capacity && m->words[state + D_ACCEPT] == 0; n++) {
        const uint32_t *ids = NULL;
        uint32_t n_ids = 0;
        if (!edc_legal_list_of(m, &state, last, &ids, &n_ids) || n_ids != 1) break;
        uint32_t token = ids[0];
        tokens[n] = (int32_t)token;
        last = left_behind(m, last, token);
        for (uint32_t i = m->vocab->offsets[token]; i < m->vocab->offsets[token + 1]; i++) {
            uint32_t next = edc_states_step(m, &state, m->vocab->bytes[i]);
            state = next;
        }
    }
    *n_forced = n;
    return EDC_OK;
}

int edc_matcher_is_accepting(const edc_matcher *m) {
    return m->words[m->current + D_ACCEPT] != 0;
}

int edc_matcher_is_finished(const edc_matcher *m) {
    return edc_states_finished(m, m->current);
}
