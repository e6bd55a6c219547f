/* The words operation: any one of several texts, as a tree. A text that begins as the one before it shares those
 * states; so one that lies beside its like costs but the bytes in which they differ. */
#include <string.h>

#include "edc_draft.h"

/* Beginnings longer than that are not shared in full. */
enum { MOST_SHARED = 256 };

/* The text that came last, and the state at which each of its bytes, and its end, is waited for. Before the first text
 * it is that text itself, of no bytes. */
typedef struct {
    const uint8_t *text;
    size_t length;
    uint32_t path[MOST_SHARED + 1];
} edc_branch;

/* How many bytes of the last branch a text can share. */
static size_t count_shared(const edc_branch *branch, const uint8_t *text, size_t length) {
    size_t most = length < branch->length ? length : branch->length;
    size_t n = 0;
    if (most > MOST_SHARED) most = MOST_SHARED;
    while (n < most && text[n] == branch->text[n]) n++;
    return n;
}

/* Makes a split of a state that is reached already: to what it was, and to the state appended next. */
static void split(edc_draft *draft, uint32_t place) {
    edc_state state = draft->states[place];
    uint32_t moved = edc_draft_add(draft, edc_kind_of(state), edc_arg_of(state), state.out);
    draft->states[place] = edc_state_of(EDC_SPLIT, draft->n_states, moved);
}

/* Appends what a text does not share with the branch; it is then the branch itself. */
static edc_status add_text(edc_draft *draft, edc_branch *branch, const uint8_t *text, size_t length, uint32_t exit) {
    size_t n_shared = count_shared(branch, text, length);
    edc_status status = edc_draft_reserve(draft, (uint64_t)(length - n_shared) + 2);
    if (status != EDC_OK) return status;
    if (text != branch->text) split(draft, branch->path[n_shared]);
    for (size_t i = n_shared; i <= length; i++) {
        if (i <= MOST_SHARED) branch->path[i] = draft->n_states;
        if (i < length) edc_draft_add(draft, EDC_BYTE, text[i], draft->n_states + 1);
    }
    edc_draft_add(draft, EDC_PASS, 0, exit);
    branch->text = text;
    branch->length = length;
    return EDC_OK;
}

edc_status edc_words(const uint8_t *code, size_t length, edc_draft *draft, edc_ends *ends) {
    edc_status status = edc_draft_reserve(draft, 1);
    if (status != EDC_OK) return status;
    ends->exit = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    ends->entry = draft->n_states;
    edc_branch branch = {.text = code};
    const uint8_t *end = code + length;
    for (const uint8_t *text = code; status == EDC_OK && text <= end;) {
        const uint8_t *zero = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
        if (zero == NULL) zero = end;
        status = add_text(draft, &branch, text, (size_t)(zero - text), ends->exit);
        text = zero + 1;
    }
    return status;
}
