#include "edc_states.h"

/* Whether the text is complete behind a legal token. Does not move. */
static int completes(edc_matcher *m, int32_t token) {
    const uint32_t *offset = m->vocab->offsets + token;
    uint32_t state = m->current;
    for (uint32_t i = offset[0]; i < offset[1]; i++) {
        uint32_t next = edc_states_step(m, &state, m->vocab->bytes[i]);
        if (next == 0) return 0;
        state = next;
    }
    return edc_states_finished(m, state);
}

edc_status edc_matcher_verify(edc_matcher *m, const float *const *rows, size_t n_rows, size_t n_logits,
                              const int32_t *draft, int scored, edc_choice *out, size_t *n_choices) {
    if (n_choices == NULL) return EDC_BAD_ARGUMENT;
    *n_choices = 0;
    if (m == NULL || rows == NULL || n_rows == 0 || out == NULL || (draft == NULL && n_rows > 1)) {
        return EDC_BAD_ARGUMENT;
    }
    for (size_t i = 0;; i++) {
        edc_status status = edc_matcher_pick(m, rows[i], n_logits, scored, &out[i]);
        if (status != EDC_OK) return status;
        int32_t token = out[i].token;
        if (i + 1 == n_rows || token != draft[i] || completes(m, token)) {
            *n_choices = i + 1;
            return EDC_OK;
        }
        status = edc_matcher_advance(m, token);
        if (status != EDC_OK) return status;
        *n_choices = i + 1;
    }
}
