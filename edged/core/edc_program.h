/* The automaton of an expression: Thompson's construction, pruned to what can still be accepted. */
#ifndef EDC_PROGRAM_H
#define EDC_PROGRAM_H

#include "edged_core.h"

#define EDC_NONE UINT32_MAX

typedef enum {
    EDC_PASS,   /* to out, free; gone from a finished program */
    EDC_SPLIT,  /* to out or arg, free */
    EDC_BYTE,   /* to out by the byte arg */
    EDC_CLASS,  /* to out by a byte of class arg */
    EDC_ACCEPT, /* the one end */
    EDC_DEAD    /* never on; gone from a finished program */
} edc_kind;

/* Eight bytes, as programs are read all over; EDC_MAX_STATES bounds arg and out. */
typedef struct {
    uint32_t what; /* its kind in the bits from EDC_KIND_SHIFT on, its arg below */
    uint32_t out;
} edc_state;

#define EDC_KIND_SHIFT 29u

/* A set of bytes: bit b & 63 of word b >> 6. */
typedef struct {
    uint64_t bits[4];
} edc_byteset;

struct edc_program {
    uint32_t n_states; /* 0: the expression matches nothing */
    uint32_t n_classes;
    edc_state *states; /* the start is state 0; every state leads to acceptance */
    edc_byteset *classes;
};

static inline edc_state edc_state_of(edc_kind kind, uint32_t arg, uint32_t out) {
    return (edc_state){(uint32_t)kind << EDC_KIND_SHIFT | arg, out};
}

static inline edc_kind edc_kind_of(edc_state state) {
    return (edc_kind)(state.what >> EDC_KIND_SHIFT);
}

static inline uint32_t edc_arg_of(edc_state state) {
    return state.what & ((1u << EDC_KIND_SHIFT) - 1);
}

static inline int edc_byteset_has(const edc_byteset *set, uint32_t byte) {
    return (int)(set->bits[byte >> 6] >> (byte & 63u) & 1u);
}

static inline void edc_byteset_add(edc_byteset *set, uint32_t byte) {
    set->bits[byte >> 6] |= (uint64_t)1 << (byte & 63u);
}

/* Places in which equal classes find each other: expressions use few different ones, again and again. A power of two,
 * at most 256. */
#define EDC_RECENT_CLASSES 256u

/* What decoding gives: states as they were built, with PASS and DEAD among them, and where to begin. */
typedef struct {
    edc_state *states;
    edc_byteset *classes;
    uint32_t n_states;
    uint32_t room;
    uint32_t n_classes;
    uint32_t class_room;
    uint32_t start;
    int has_dead; /* some state may not lead to acceptance */
    uint32_t recent[EDC_RECENT_CLASSES]; /* the class that was last asked for in each place */
} edc_draft;

/* Builds the states that the code describes. The draft is the caller's to free, whatever the status. */
EDC_MUST_CHECK edc_status edc_decode(const uint8_t *code, size_t length, edc_draft *draft);

/* Rewrites the draft in place to states that are reachable, lead to acceptance and are no PASS; the start becomes 0. */
EDC_MUST_CHECK edc_status edc_prune(edc_draft *draft);

#endif
