/* The states of an automaton while it is built. */
#ifndef EDC_DRAFT_H
#define EDC_DRAFT_H

#include "edc_program.h"

/* Prepares an empty draft. Its tables are the caller's to free, whatever the status. */
EDC_MUST_CHECK edc_status edc_draft_begin(edc_draft *draft);

/* Makes room for that many more states. */
EDC_MUST_CHECK edc_status edc_draft_reserve(edc_draft *draft, uint64_t more);

/* Appends a state into room that was reserved. Returns its number. */
static inline uint32_t edc_draft_add(edc_draft *draft, edc_kind kind, uint32_t arg, uint32_t out) {
    draft->has_dead |= kind == EDC_DEAD;
    draft->states[draft->n_states] = edc_state_of(kind, arg, out);
    return draft->n_states++;
}

/* The number of a class: of an equal one that was asked for lately, or of a new one. */
EDC_MUST_CHECK edc_status edc_draft_class(edc_draft *draft, const edc_byteset *set, uint32_t *number);

/* The way in of states that were appended, and their way out, a PASS that leads nowhere yet. */
typedef struct {
    uint32_t entry;
    uint32_t exit;
} edc_ends;

/* Appends the states of texts, which zero bytes in code[0..length) keep apart. */
EDC_MUST_CHECK edc_status edc_words(const uint8_t *code, size_t length, edc_draft *draft, edc_ends *ends);

/* Appends the states of all strings of n digits from code[0..n) to code[n..2n). */
EDC_MUST_CHECK edc_status edc_digits(const uint8_t *code, size_t n, edc_draft *draft, edc_ends *ends);

/* Appends the states of a graph: code[0..length) begins behind its operation byte. State 0 of the graph, its way in, is
 * the first state appended; its way out, a PASS that leads nowhere yet, is *exit. *used is how many bytes were read. */
EDC_MUST_CHECK edc_status edc_graph(const uint8_t *code, size_t length, edc_draft *draft, size_t *used, uint32_t *exit);

#endif
