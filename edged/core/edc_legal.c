#include "edc_legal.h"

#include <string.h>

#include "edc_ahead.h"
#include "edc_limits.h"

/* A node of the trie being looked at, and the state that its bytes lead to. */
typedef struct {
    uint32_t child; /* the next one to look at */
    uint32_t end;   /* behind the last child */
    uint32_t run;   /* the next run of the state to look at */
    uint32_t state; /* void unless `epoch` is the matcher's */
    uint32_t epoch;
    uint8_t byte; /* that led here from the frame before */
} edc_frame;

/* The first of the children from..to whose byte is at least `low`. */
static uint32_t first_child(const edc_vocab *vocab, uint32_t from, uint32_t to, uint32_t low) {
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (vocab->labels[middle] < low) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* Moves the frame to its next child that a run of its state takes. Returns 0 where there is none. */
static int find_child(const edc_matcher *m, edc_frame *frame) {
    const uint32_t *runs = m->words + m->words[frame->state + D_RUNS_AT];
    uint32_t n_runs = m->words[frame->state + D_RUNS];
    while (frame->child < frame->end && frame->run < n_runs) {
        const uint32_t *run = runs + RUN_WORDS * frame->run;
        uint32_t byte = m->vocab->labels[frame->child];
        if (byte > edc_run_high(run)) {
            frame->run++;
        } else if (byte < edc_run_low(run)) {
            frame->child = first_child(m->vocab, frame->child + 1, frame->end, edc_run_low(run));
        } else {
            return 1;
        }
    }
    return 0;
}

/* Finds a frame's state again after the arena was emptied: the bytes on its way lead there from the current one. */
static void revive(edc_matcher *m, edc_frame *frames, uint32_t depth) {
    uint32_t state = m->current;
    for (uint32_t i = 1; i <= depth; i++) {
        uint32_t next = edc_states_step(m, &state, frames[i].byte);
        state = next;
    }
    frames[depth].state = state;
    frames[depth].epoch = m->epoch;
}

static edc_frame frame_of(const edc_matcher *m, uint32_t node, uint32_t state, uint8_t byte) {
    const edc_vocab *vocab = m->vocab;
    return (edc_frame){vocab->children[node], vocab->children[node + 1], 0, state, m->epoch, byte};
}

enum { LOST = UINT32_MAX };

/* Collects the legal tokens of a state in matcher->legal. No state of a pruned automaton is dead, so a token is legal
 * as soon as each of its bytes lies in a run. Returns how many there are, or a number above `most`; LOST where the
 * arena was emptied and the state was not the current one. */
static uint32_t collect(edc_matcher *m, uint32_t state_of_root, uint32_t most) {
    const edc_vocab *vocab = m->vocab;
    edc_frame frames[EDC_MAX_TOKEN_BYTES + 1];
    uint32_t depth = 0;
    uint32_t n_legal = 0;
    int is_current = state_of_root == m->current;
    uint32_t epoch = m->epoch;
    frames[0] = frame_of(m, 0, state_of_root, 0);
    for (;;) {
        edc_frame *frame = &frames[depth];
        if (!is_current && m->epoch != epoch) return LOST;
        if (frame->epoch != m->epoch) revive(m, frames, depth);
        edc_states_expand(m, &frame->state);
        frame->epoch = m->epoch;
        if (!find_child(m, frame)) {
            if (depth-- == 0) return n_legal;
            continue;
        }
        uint32_t child = frame->child++;
        uint32_t n_ends = vocab->ends[child + 1] - vocab->ends[child];
        if (n_ends > most - n_legal) return most + 1;
        memcpy(m->legal + n_legal, vocab->ids + vocab->ends[child], n_ends * sizeof *m->legal);
        n_legal += n_ends;
        if (vocab->children[child] == vocab->children[child + 1]) continue;
        uint32_t state = edc_states_follow(m, &frame->state, frame->run);
        frame->epoch = m->epoch;
        frames[++depth] = frame_of(m, child, state, vocab->labels[child]);
    }
}

int edc_legal_bytewise(edc_matcher *m, uint32_t *state, uint32_t most, const uint32_t **ids, uint32_t *n_ids) {
    if (m->words[*state + D_LEGAL_AT] == 0) {
        int is_current = *state == m->current;
        uint32_t n_legal = collect(m, *state, most);
        if (n_legal == LOST) return 0;
        if (n_legal > m->most_legal) m->most_legal = n_legal;
        if (is_current) *state = m->current;
        *ids = m->legal;
        *n_ids = n_legal;
        if (n_legal > most) return 1;
        uint32_t at = edc_states_take(m, state, n_legal);
        if (at == 0) return 1; /* too long to keep: right, but collected anew the next time */
        memcpy(m->words + at, m->legal, n_legal * sizeof *m->legal);
        m->words[*state + D_LEGAL] = n_legal;
        m->words[*state + D_LEGAL_AT] = at;
    }
    *ids = m->words + m->words[*state + D_LEGAL_AT];
    *n_ids = m->words[*state + D_LEGAL];
    return 1;
}

int edc_legal_list_of(edc_matcher *m, uint32_t *state, uint32_t last, const uint32_t **ids, uint32_t *n_ids) {
    if (m->ahead != NULL) return edc_ahead_list(m, state, last, ids, n_ids);
    return edc_legal_bytewise(m, state, EDC_MAX_TOKENS, ids, n_ids);
}

void edc_legal_list(edc_matcher *m, const uint32_t **ids, uint32_t *n_ids) {
    uint32_t state = m->current;
    (void)edc_legal_list_of(m, &state, m->last, ids, n_ids); /* the current state is never lost */
}
