/* The deterministic states of a matcher, worked out when first needed by the subset construction.
 *
 * They live in an arena of 32-bit words and are named by the word at which their record begins; 0 names none. A record
 * is D_SET words of facts and then its NFA states. Room for runs and ready lists is taken from the same arena. When the
 * arena is full it is emptied, all but the matcher's current state and one that the caller is working on. `epoch`
 * counts that; every other name held from an earlier epoch is void. */
#ifndef EDC_STATES_H
#define EDC_STATES_H

#include "edc_program.h"
#include "edc_vocab.h"

enum {
    D_HASH,      /* of its set of NFA states */
    D_SIZE,      /* how many those are */
    D_ACCEPT,    /* 1: acceptance is one of them */
    D_RUNS_AT,   /* word of its first run; 0: not worked out */
    D_RUNS,      /* how many runs */
    D_LEGAL_AT,  /* word of its ready list of token ids; 0: not worked out, or not kept */
    D_LEGAL,     /* how many ids */
    D_SET        /* words of facts; the set follows */
};

/* A run is two words: the lowest byte and, 8 bits up, the highest; then the state that it leads to, 0 if not worked
 * out. Runs of a state are apart and rising. */
enum { RUN_WORDS = 2, MAX_RUNS = 256 };

typedef struct edc_ahead edc_ahead;

struct edc_matcher {
    const edc_vocab *vocab;
    const edc_program *program;
    uint32_t current; /* where the text so far has led */
    uint32_t epoch;
    uint32_t last; /* what stands left of the next token, as edc_canonical.h names it */

    uint32_t *words; /* the arena; word 0 is unused */
    uint32_t n_words;
    uint32_t used;
    uint32_t *table; /* names of states by the hash of their set; open addressing, n_slots a power of two */
    uint32_t n_slots;
    uint32_t *tables; /* room for tables of every size up to most_slots: that of n slots begins at n */
    uint32_t most_slots;
    uint32_t n_states;

    uint32_t *set; /* [NFA states + 1] the set being worked out: set_size of them in the order of discovery; what is still
                    * to be looked into is put aside at the other end, as together they are never more */
    uint32_t set_size;
    uint32_t set_hash; /* does not depend on the order */
    uint32_t set_accepts;
    uint32_t *marks; /* [NFA states] equal to `mark` where the state was reached in this set */
    uint32_t mark;

    uint32_t *legal; /* [tokens] a list while it is collected */
    uint32_t most_legal; /* the longest such list yet */

    edc_canonical *canonical; /* null, and `ahead` too: every token is legal whose bytes are */
    edc_ahead *ahead;
};

/* Words that hold any three states, the runs of two of them included: what a single step can need at once. */
uint64_t edc_states_floor(const edc_program *program);

/* Goes to the start of the program. */
void edc_states_begin(edc_matcher *matcher);

/* Sees to it that *state has its runs. May empty the arena: *state and matcher->current are then renamed. */
void edc_states_expand(edc_matcher *matcher, uint32_t *state);

/* The state behind a run of *state, which has its runs. May empty the arena, as above, and *state is then without. */
uint32_t edc_states_follow(edc_matcher *matcher, uint32_t *state, uint32_t run);

/* The state behind a byte, or 0 where the byte is not legal. Renames as above. */
uint32_t edc_states_step(edc_matcher *matcher, uint32_t *state, uint8_t byte);

/* Takes words for what belongs to *state; empties the arena for it at need, and renames. 0 where it can never fit. */
uint32_t edc_states_take(edc_matcher *matcher, uint32_t *state, uint32_t n_words);

/* Whether a state can only end: acceptance alone leads nowhere, and every other NFA state leads on by some byte. */
static inline int edc_states_finished(const edc_matcher *matcher, uint32_t state) {
    return matcher->words[state + D_ACCEPT] != 0 && matcher->words[state + D_SIZE] == 1;
}

static inline uint32_t edc_run_low(const uint32_t *run) {
    return run[0] & 0xFFu;
}

static inline uint32_t edc_run_high(const uint32_t *run) {
    return run[0] >> 8;
}

#endif
