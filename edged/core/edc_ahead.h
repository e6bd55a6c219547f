/* The legal tokens that lie on a canonical way: found by a bounded look ahead, kept by state and token before.
 *
 * A node is a state of the matcher and what stands left of its next token. It is dead where no token may canonically follow: none
 * is legal whose pair with the token before is one that the tokenizer writes, and whose own node is not dead. */
#ifndef EDC_AHEAD_H
#define EDC_AHEAD_H

#include "edc_limits.h"
#include "edc_states.h"

typedef enum {
    NODE_NEW,  /* not looked into */
    NODE_OPEN, /* on the stack of the look ahead */
    NODE_ALIVE,
    NODE_DEAD
} edc_verdict;

typedef struct {
    uint32_t state; /* 0: a free place */
    uint32_t last;  /* what stands left, as edc_canonical.h names it */
    uint32_t verdict;
    uint32_t list_at; /* word of the arena at which its list of tokens begins; 0: not worked out */
    uint32_t n_list;
} edc_node;

/* A node on the stack, and how many of its state's tokens are still to be tried. */
typedef struct {
    uint32_t state;
    uint32_t last;
    uint32_t n_left;
} edc_step;

struct edc_ahead {
    uint32_t epoch;   /* the matcher's when the nodes were made: emptying its arena voids them */
    uint32_t n_nodes; /* places taken */
    uint32_t n_tries; /* tokens that this look ahead may still try */
    edc_node nodes[EDC_NODE_SLOTS];
    edc_step stack[EDC_MAX_AHEAD];
};

/* Gives the legal tokens of a state that lie on a canonical way behind `last`, or all where there are too many to look
 * at or none of them does. *state may be renamed, and is lost together with its tokens where it is not the current one
 * and the arena had to be emptied: then 0 is returned. */
int edc_ahead_list(edc_matcher *matcher, uint32_t *state, uint32_t last, const uint32_t **ids, uint32_t *n_ids);

#endif
