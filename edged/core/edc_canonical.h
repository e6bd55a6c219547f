/* Which neighbours the model's own tokenizer would write, as far as it was asked.
 *
 * Left of a pair stands a token, EDC_NONE where it is not known which, or a row of tokens. A row is kept where the last
 * token alone does not tell how the text goes on: it ends in signs or blanks that began before it (an apostrophe begins
 * a word of its own behind a letter, and none behind another sign), or tokens are cut inside a character. */
#ifndef EDC_CANONICAL_H
#define EDC_CANONICAL_H

#include "edc_limits.h"
#include "edc_vocab.h"

typedef struct {
    uint32_t n_tokens; /* 0: a free place */
    uint32_t tokens[EDC_ROW_TOKENS];
} edc_row;

struct edc_canonical {
    edc_ask ask;
    void *tokenizer;
    uint32_t before;  /* the token in front of a text; EDC_NONE where that is not known */
    uint32_t n_rows;  /* places taken */
    uint32_t n_pairs; /* places taken */
    edc_row *rows;    /* [EDC_ROW_SLOTS] open addressing; row i is known as EDC_MAX_TOKENS + i and is never forgotten */
    uint64_t *pairs;  /* [EDC_PAIR_SLOTS] open addressing; a pair and its verdict, or 0 */
};

/* Whether `right` may stand behind `left`. Asks the tokenizer once a pair, and again after the table was full and
 * emptied. */
int edc_canonical_allows(edc_canonical *canonical, uint32_t left, uint32_t right);

/* What stands left of the next token once `token` was written behind `left`: the token itself, or a row that ends in
 * it. */
uint32_t edc_canonical_join(edc_canonical *canonical, const edc_vocab *vocab, uint32_t left, uint32_t token);

#endif
