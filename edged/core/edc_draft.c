#include "edc_draft.h"

#include <stdlib.h>

#include "edc_limits.h"

/* Room for states and for classes to begin with; it doubles when full. */
#define FIRST_ROOM 64u

edc_status edc_draft_begin(edc_draft *draft) {
    *draft = (edc_draft){0};
    draft->states = malloc(FIRST_ROOM * sizeof *draft->states);
    draft->classes = malloc(FIRST_ROOM * sizeof *draft->classes);
    draft->room = FIRST_ROOM;
    draft->class_room = FIRST_ROOM;
    return draft->states != NULL && draft->classes != NULL ? EDC_OK : EDC_NO_MEMORY;
}

edc_status edc_draft_reserve(edc_draft *draft, uint64_t more) {
    uint64_t needed = draft->n_states + more;
    if (needed > EDC_MAX_STATES) return EDC_TOO_MANY_STATES;
    if (needed <= draft->room) return EDC_OK;
    uint64_t room = 2 * (uint64_t)draft->room;
    if (room < needed) room = needed;
    edc_state *states = realloc(draft->states, (size_t)room * sizeof *states);
    if (states == NULL) return EDC_NO_MEMORY;
    draft->states = states;
    draft->room = (uint32_t)room;
    return EDC_OK;
}

/* Where a class of these bytes is looked for: any mixing will do, as a miss only costs a second copy. */
static uint32_t *place_of(edc_draft *draft, const edc_byteset *set) {
    uint64_t mixed = 0;
    for (size_t i = 0; i < 4; i++) mixed = (mixed ^ set->bits[i]) * 0x9E3779B97F4A7C15u;
    return &draft->recent[mixed >> 56 & (EDC_RECENT_CLASSES - 1)];
}

static int is_same(const edc_byteset *one, const edc_byteset *other) {
    uint64_t difference = 0;
    for (size_t i = 0; i < 4; i++) difference |= one->bits[i] ^ other->bits[i];
    return difference == 0;
}

edc_status edc_draft_class(edc_draft *draft, const edc_byteset *set, uint32_t *number) {
    uint32_t *place = place_of(draft, set);
    if (*place < draft->n_classes && is_same(&draft->classes[*place], set)) {
        *number = *place;
        return EDC_OK;
    }
    if (draft->n_classes == draft->class_room) {
        size_t room = 2 * (size_t)draft->class_room; /* a class goes with a state: EDC_MAX_STATES bounds both */
        edc_byteset *classes = realloc(draft->classes, room * sizeof *classes);
        if (classes == NULL) return EDC_NO_MEMORY;
        draft->classes = classes;
        draft->class_room = (uint32_t)room;
    }
    *number = *place = draft->n_classes;
    draft->classes[draft->n_classes++] = *set;
    return EDC_OK;
}
