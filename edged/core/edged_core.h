/* The sampling core: expression code -> byte automaton x vocabulary trie -> the few legal tokens, picked on raw logits.
 *
 * Every call gives a status that has to be looked at. Vocabularies and programs never change once made, so threads may
 * share them; a matcher belongs to one thread. A matcher only borrows its vocabulary and its program: free it first.
 * Memory is taken in the _new functions alone. Nothing here does I/O, recurses or keeps globals.
 *
 * build.py hands this file to cffi less its preprocessor lines and EDC_MUST_CHECK: plain declarations only.
 */
#ifndef EDGED_CORE_H
#define EDGED_CORE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EDC_MUST_CHECK __attribute__((warn_unused_result))
#else
#define EDC_MUST_CHECK
#endif

typedef enum edc_status {
    EDC_OK = 0,
    EDC_BAD_ARGUMENT,     /* a null pointer or a size that cannot be */
    EDC_NO_MEMORY,        /* the system gave none */
    EDC_TOO_LARGE,        /* a cap of edc_limits.h on sizes was met */
    EDC_BAD_OFFSETS,      /* token offsets go backwards */
    EDC_TRUNCATED_CODE,   /* the code ends inside an operation */
    EDC_BAD_CODE,         /* an unknown operation, missing operands, or operands left over */
    EDC_TOO_DEEP,         /* more operands wait than EDC_MAX_OPERANDS */
    EDC_TOO_MANY_STATES,  /* the expression needs more than EDC_MAX_STATES */
    EDC_ILLEGAL_TOKEN,    /* no such token, or not legal here; the matcher has not moved */
    EDC_ILLEGAL_BYTE,     /* a byte that is not legal at its place; the matcher has not moved */
    EDC_NO_LEGAL_TOKEN,   /* no token of the vocabulary can come next */
    EDC_BAD_LOGITS        /* wrong count, a NaN, +infinity, or nothing finite at all */
} edc_status;

typedef struct edc_vocab edc_vocab;
typedef struct edc_program edc_program;
typedef struct edc_matcher edc_matcher;

/* What was picked. The logarithms are natural. */
typedef struct edc_choice {
    int32_t token;
    uint32_t legal_count; /* how many tokens were legal */
    float log_prob;       /* of the token's softmax probability over the whole vocabulary; NaN if not scored */
    float log_legal;      /* of the mass of all legal tokens over the whole vocabulary, <= 0; NaN if not scored */
    float margin;         /* logit lead over the best other legal token; infinity if there is no other */
} edc_choice;

/* A sentence in English for any status, known or not. Static memory. */
const char *edc_status_text(int status);

/* Makes the trie of n_tokens tokens; token i is bytes[offsets[i]] up to bytes[offsets[i + 1]].
 *
 * Tokens of zero length, and those above EDC_MAX_TOKEN_BYTES, are kept as ids but are never legal.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_BAD_OFFSETS, EDC_TOO_LARGE or EDC_NO_MEMORY, and *out is null.
 * In:  bytes    the tokens, end to end; copied
 *      offsets  n_tokens + 1 of them, never decreasing
 * Out: out      the caller's, to be given to edc_vocab_free
 */
EDC_MUST_CHECK edc_status edc_vocab_new(const uint8_t *bytes, const uint32_t *offsets, size_t n_tokens,
                                        edc_vocab **out);
void edc_vocab_free(edc_vocab *vocab);
size_t edc_vocab_size(const edc_vocab *vocab);  /* tokens, legal or not */
size_t edc_vocab_bytes(const edc_vocab *vocab); /* memory held, in bytes */

/* Makes an automaton of expression code: postfix operations, numbers little-endian.
 *
 *   0x01 u16 n, n bytes    push a literal          0x03 u16 n       join the top n in their order
 *   0x02 32-byte bitmap    push a byte class       0x04 u16 n       any one of the top n
 *   0x05 u16 min, u16 max  repeat the top one min to max times; max 0xFFFF: no end
 *   0x06 u16 n, u32 m, (n + 7) / 8 bytes, m edges
 *                          push a graph of n >= 1 states: an automaton that begins in state 0. Bit i & 7 of byte i >> 3
 *                          marks state i as accepting. An edge is u16 from, u8 first, u8 last, u16 to: any byte of
 *                          first..last leads on. Edges rise by (from, to) and may overlap.
 *
 * One operand must be left. A join of none is the empty string; a choice of none matches nothing. The code is not
 * trusted: whatever the bytes are, a status comes back and every cost is bounded by edc_limits.h.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_TRUNCATED_CODE, EDC_BAD_CODE, EDC_TOO_DEEP, EDC_TOO_MANY_STATES,
 *          EDC_TOO_LARGE or EDC_NO_MEMORY, and *out is null.
 * In:  code  length bytes; not kept
 * Out: out   the caller's, to be given to edc_program_free
 */
EDC_MUST_CHECK edc_status edc_program_new(const uint8_t *code, size_t length, edc_program **out);
void edc_program_free(edc_program *program);
size_t edc_program_states(const edc_program *program); /* NFA states left after pruning */
size_t edc_program_bytes(const edc_program *program);  /* memory held, in bytes */

/* Makes a matcher at the start of its program.
 *
 * States of the automaton are worked out when first needed and kept in an arena of budget bytes. A full arena is
 * emptied, all but the state in use: that costs time and changes no result. A budget of 0 stands for the default; one
 * that could not hold the states of a single step is raised to what can.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_TOO_LARGE or EDC_NO_MEMORY, and *out is null.
 * In:  vocab, program  borrowed until edc_matcher_free
 * Out: out             the caller's, to be given to edc_matcher_free
 */
EDC_MUST_CHECK edc_status edc_matcher_new(const edc_vocab *vocab, const edc_program *program, size_t budget,
                                          edc_matcher **out);
void edc_matcher_free(edc_matcher *matcher);
void edc_matcher_reset(edc_matcher *matcher);                /* back to the start; what was worked out stays */
size_t edc_matcher_bytes(const edc_matcher *matcher);        /* memory reserved, in bytes */
uint32_t edc_matcher_flushes(const edc_matcher *matcher);    /* how often the arena was emptied; wraps */

/* The tokens that may come next: those all of whose bytes keep a way to acceptance open.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT.
 * Out: ids      each once, in no order; valid until the next call on this matcher
 *      n_ids    may be 0
 */
EDC_MUST_CHECK edc_status edc_matcher_legal(edc_matcher *matcher, const int32_t **ids, size_t *n_ids);

/* Picks the legal token of the highest logit, the lowest id where several are equal. The matcher does not move.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_NO_LEGAL_TOKEN, EDC_BAD_LOGITS, and *out is untouched. Unscored, only the
 *          logits of legal tokens are looked at, and checked.
 * In:  logits    float32[n_logits]
 *      n_logits  the size of the vocabulary
 *      scored    0: leave out log_prob and log_legal, which take two passes over all logits
 */
EDC_MUST_CHECK edc_status edc_matcher_pick(edc_matcher *matcher, const float *logits, size_t n_logits, int scored,
                                           edc_choice *out);

/* Takes a token, or bytes, as what came next.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_ILLEGAL_TOKEN or EDC_ILLEGAL_BYTE, and the matcher stays where it was.
 */
EDC_MUST_CHECK edc_status edc_matcher_advance(edc_matcher *matcher, int32_t token);
EDC_MUST_CHECK edc_status edc_matcher_advance_bytes(edc_matcher *matcher, const uint8_t *bytes, size_t length);

/* Which bytes may come next: bit b & 7 of bitmap[b >> 3] stands for byte b. */
EDC_MUST_CHECK edc_status edc_matcher_next_bytes(edc_matcher *matcher, uint8_t bitmap[32]);

/* The bytes that are certain from here: while exactly one byte may come next and the text cannot end. Does not move.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT.
 * Out: buffer    the first capacity bytes of them at most
 *      n_forced  how many were written
 */
EDC_MUST_CHECK edc_status edc_matcher_forced(edc_matcher *matcher, uint8_t *buffer, size_t capacity, size_t *n_forced);

int edc_matcher_is_accepting(const edc_matcher *matcher); /* 1: the text may end here */
int edc_matcher_is_finished(const edc_matcher *matcher);  /* 1: it may end here and cannot go on */

#endif
