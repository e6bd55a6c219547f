#include "edc_program.h"

#include <stdlib.h>

/* Moves the draft's tables to the program, less the room that was not needed. */
static void take_over(edc_program *program, edc_draft *draft) {
    program->n_states = draft->n_states;
    program->n_classes = draft->n_classes;
    edc_state *states = realloc(draft->states, ((size_t)draft->n_states + 1) * sizeof *states);
    program->states = states != NULL ? states : draft->states;
    edc_byteset *classes = realloc(draft->classes, ((size_t)draft->n_classes + 1) * sizeof *classes);
    program->classes = classes != NULL ? classes : draft->classes;
    draft->states = NULL;
    draft->classes = NULL;
}

edc_status edc_program_new(const uint8_t *code, size_t length, edc_program **out) {
    if (out == NULL) return EDC_BAD_ARGUMENT;
    *out = NULL;
    if (code == NULL && length > 0) return EDC_BAD_ARGUMENT;
    edc_draft draft;
    edc_status status = edc_decode(code, length, &draft);
    if (status == EDC_OK) status = edc_prune(&draft);
    if (status == EDC_OK) {
        *out = calloc(1, sizeof **out);
        status = *out != NULL ? EDC_OK : EDC_NO_MEMORY;
    }
    if (status == EDC_OK) take_over(*out, &draft);
    free(draft.states);
    free(draft.classes);
    return status;
}

void edc_program_free(edc_program *program) {
    if (program == NULL) return;
    free(program->states);
    free(program->classes);
    free(program);
}

size_t edc_program_states(const edc_program *program) {
    return program->n_states;
}

size_t edc_program_bytes(const edc_program *program) {
    return sizeof *program + program->n_states * sizeof *program->states +
           program->n_classes * sizeof *program->classes;
}
