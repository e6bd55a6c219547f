/* The legal tokens of a state: a walk of the vocabulary's trie together with the automaton. */
#ifndef EDC_LEGAL_H
#define EDC_LEGAL_H

#include "edc_states.h"

/* Gives the legal tokens of the current state; valid until the next call on this matcher. */
void edc_legal_list(edc_matcher *matcher, const uint32_t **ids, uint32_t *n_ids);

/* The same for any state and what stands left of its next token. *state may be renamed. Returns
 * 0 where it is not the current one and was lost because the arena had to be emptied. */
int edc_legal_list_of(edc_matcher *matcher, uint32_t *state, uint32_t last, const uint32_t **ids, uint32_t *n_ids);

/* The same, canonical or not. A list of more than `most` is cut off: n_ids is then above `most`, and ids are void. */
int edc_legal_bytewise(edc_matcher *matcher, uint32_t *state, uint32_t most, const uint32_t **ids, uint32_t *n_ids);

#endif
