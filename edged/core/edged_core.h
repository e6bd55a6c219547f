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
    EDC_BAD_LOGITS,       /* wrong count, a NaN, +infinity, or nothing finite at all */
    EDC_BAD_IMAGE,        /* no image of a vocabulary, a damaged one, or one of another version or machine */
    EDC_BAD_TEMPERATURE   /* negative, infinite or NaN */
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
    float log_share;      /* of the token's softmax probability among the legal tokens alone */
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
size_t edc_vocab_bytes(const edc_vocab *vocab); /* memory held, in bytes, less an image that is borrowed */

/* The whole vocabulary as bytes that may be written to a file; valid until edc_vocab_free. */
const uint8_t *edc_vocab_image(const edc_vocab *vocab, size_t *length);

/* Makes a vocabulary of an image, copying nothing.
 *
 * The image is not trusted: all that a walk relies on is looked at first, in one pass. The tokens' bytes are held
 * against a sum alone, which finds damage and no forgery: a forged image can make wrong tokens legal, and no more.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_BAD_IMAGE or EDC_NO_MEMORY, and *out is null.
 * In:  image  length bytes at a multiple of 8; borrowed, and must not change, until edc_vocab_free
 * Out: out    the caller's, to be given to edc_vocab_free
 */
EDC_MUST_CHECK edc_status edc_vocab_map(const uint8_t *image, size_t length, edc_vocab **out);

/* The bytes of a token, however many; valid as long as the vocabulary.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_ILLEGAL_TOKEN if there is no such token.
 */
EDC_MUST_CHECK edc_status edc_vocab_token(const edc_vocab *vocab, int32_t token, const uint8_t **bytes, size_t *length);

/* Makes an automaton of expression code: postfix operations, numbers little-endian.
 *
 *   0x01 u16 n, n bytes    push a literal          0x03 u16 n       join the top n in their order
 *   0x02 32-byte bitmap    push a byte class       0x04 u16 n       any one of the top n
 *   0x05 u16 min, u16 max  repeat the top one min to max times; max 0xFFFF: no end
 *   0x06 u16 n, u32 m, (n + 7) / 8 bytes, m edges
 *                          push a graph of n >= 1 states: an automaton that begins in state 0. Bit i & 7 of byte i >> 3
 *                          marks state i as accepting. An edge is u16 from, u8 first, u8 last, u16 to: any byte of
 *                          first..last leads on. Edges rise by (from, to) and may overlap.
 *   0x07 u32 n, n bytes    push any one of the texts that zero bytes in the n bytes keep apart
 *   0x08 u16 n, n digits, n digits
 *                          push all strings of n >= 1 decimal digits from the first to the second one
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
size_t edc_matcher_used(const edc_matcher *matcher);         /* memory of it that was ever used, in bytes */
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

/* Picks unscored and takes the token, in one call; a token alone comes back, so that a binding pays for no more.
 *
 * Returns: the token, or a status of edc_matcher_pick made negative; the matcher then stays where it was.
 * In:  logits  the address of float32[n_logits]: a number, which cffi hands over faster than a pointer
 */
EDC_MUST_CHECK int32_t edc_matcher_step(edc_matcher *matcher, uintptr_t logits, size_t n_logits);

/* Holds a draft against logits that were computed for all of it at once.
 *
 * Picks on row 0; where the pick is draft[0] and does not complete the text, takes it and goes on with row 1, and so
 * on. The last choice is never taken: the matcher ends behind the *n_choices - 1 tokens that the draft had right.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT; a status of edc_matcher_pick for row *n_choices, and the matcher then stands
 *          behind all of the *n_choices tokens.
 * In:  rows       n_rows >= 1 addresses of float32[n_logits]: row i was computed behind draft[i - 1]
 *      draft      n_rows - 1 tokens; any numbers will do, as only one that is picked is taken
 *      scored     as for edc_matcher_pick
 * Out: out        room for n_rows choices
 *      n_choices  how many were made, in the order of the rows
 */
EDC_MUST_CHECK edc_status edc_matcher_verify(edc_matcher *matcher, const float *const *rows, size_t n_rows,
                                             size_t n_logits, const int32_t *draft, int scored, edc_choice *out,
                                             size_t *n_choices);

/* Draws a legal token with the probability that softmax(logits / temperature) gives it among the legal ones. The
 * matcher does not move. A temperature of 0 is the unscored pick and uses no random number. The margin is negative if
 * the token drawn is not the best; log_share knows no temperature.
 *
 * Returns: EDC_OK; EDC_BAD_TEMPERATURE, or a status of edc_matcher_pick, and *out and *state are untouched.
 * In:  temperature  >= 0, finite
 *      state        of SplitMix64 (Steele, Lea and Flood 2014): any number is a seed; moves on. The same state and
 *                   logits give the same token
 */
EDC_MUST_CHECK edc_status edc_matcher_sample(edc_matcher *matcher, const float *logits, size_t n_logits,
                                             float temperature, uint64_t *state, edc_choice *out);

/* Takes a token, or bytes, as what came next.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT, EDC_ILLEGAL_TOKEN or EDC_ILLEGAL_BYTE, and the matcher stays where it was.
 */
EDC_MUST_CHECK edc_status edc_matcher_advance(edc_matcher *matcher, int32_t token);
EDC_MUST_CHECK edc_status edc_matcher_advance_bytes(edc_matcher *matcher, const uint8_t *bytes, size_t length);

/* --- canonical tokens: of all the ways to write a text in tokens, only the one that the model's tokenizer takes --- */

typedef struct edc_canonical edc_canonical;

/* Asks whether a model's own tokenizer writes the bytes of these tokens as just these. They are two neighbours, or one
 * where it is not known what stands before, or up to nine where some of them are parts of a character. Answers 0 where
 * it does not; all else, also where it cannot say, lets them pass. */
typedef int (*edc_ask)(void *tokenizer, const int32_t *tokens, size_t n_tokens);

/* Makes a memory of what the tokenizer answered, for any number of matchers of one vocabulary in one thread.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT or EDC_NO_MEMORY, and *out is null.
 * In:  ask        called while a list of legal tokens is worked out; it must not use the matcher
 *      tokenizer  handed to `ask`
 *      before     the token that stands in front of every text; below 0: not known
 * Out: out        the caller's, to be given to edc_canonical_free once no matcher uses it
 */
EDC_MUST_CHECK edc_status edc_canonical_new(edc_ask ask, void *tokenizer, int32_t before, edc_canonical **out);
void edc_canonical_free(edc_canonical *canonical);
size_t edc_canonical_bytes(const edc_canonical *canonical); /* memory held, in bytes */
size_t edc_canonical_pairs(const edc_canonical *canonical); /* answers kept */

/* edc_matcher_new for a matcher whose legal tokens are those on a canonical way: a row of tokens to an end of the text,
 * each next to a neighbour that `canonical` allows. All tokens are legal whose bytes are where there are too many to
 * look at (EDC_MAX_FILTERED), or where none is on such a way. Tokens and bytes that are taken need not be canonical. A
 * null `canonical` stands for edc_matcher_new. */
EDC_MUST_CHECK edc_status edc_matcher_new_canonical(const edc_vocab *vocab, const edc_program *program,
                                                    edc_canonical *canonical, size_t budget, edc_matcher **out);

/* The tokens that are certain from here: while exactly one is legal and the text cannot end. Does not move.
 *
 * Returns: EDC_OK; EDC_BAD_ARGUMENT.
 * Out: tokens    the first capacity of them at most; fewer where the arena had to be emptied
 *      n_forced  how many were written
 */
EDC_MUST_CHECK edc_status edc_matcher_forced_tokens(edc_matcher *matcher, int32_t *tokens, size_t capacity,
                                                    size_t *n_forced);

/* --- bytes --- */

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
