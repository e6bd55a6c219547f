/* The legal tokens of a state: a walk of the vocabulary's trie together with the automaton. */
#ifndef EDC_LEGAL_H
#define EDC_LEGAL_H

#include "edc_states.h"

/* Gives the legal tokens of the current state; valid until the next call on this matcher. */
void edc_legal_list(edc_matcher *matcher, const uint32_t **ids, uint32_t *n_ids);

#endif
