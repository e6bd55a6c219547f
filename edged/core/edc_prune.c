/* From a draft to what a matcher steps through: no state that cannot be reached, none that cannot be accepted, no PASS.
 * With those gone a set of states that is not empty is always alive, so a matcher never has to look ahead. */
#include <stdlib.h>

#include "edc_program.h"

/* The edges turned round: the states that lead to state i are sources[starts[i]] up to sources[starts[i + 1]]. */
typedef struct {
    uint32_t *starts;
    uint32_t *sources;
    uint32_t *queue;
    uint8_t *alive;
} edc_reversal;

/* The ways on from a state: 0, 1 or 2 of them. */
static uint32_t targets_of(const edc_state *state, uint32_t targets[2]) {
    if (edc_kind_of(*state) == EDC_DEAD || state->out == EDC_NONE) return 0;
    targets[0] = state->out;
    targets[1] = edc_arg_of(*state);
    return edc_kind_of(*state) == EDC_SPLIT ? 2 : 1;
}

static void turn_edges(const edc_draft *draft, edc_reversal *reversal) {
    uint32_t *starts = reversal->starts;
    uint32_t targets[2];
    for (uint32_t i = 0; i < draft->n_states; i++) {
        uint32_t n = targets_of(&draft->states[i], targets);
        for (uint32_t k = 0; k < n; k++) starts[targets[k]]++;
    }
    for (uint32_t i = 0; i < draft->n_states; i++) starts[i + 1] += starts[i];
    /* Each start is now the end of its run, and filling the run backwards makes it the start. */
    for (uint32_t i = 0; i < draft->n_states; i++) {
        uint32_t n = targets_of(&draft->states[i], targets);
        for (uint32_t k = 0; k < n; k++) reversal->sources[--starts[targets[k]]] = i;
    }
}

static void mark_alive(const edc_draft *draft, const edc_reversal *reversal) {
    uint32_t accept = draft->n_states - 1; /* decoding appends it last */
    uint32_t n_queue = 1;
    reversal->queue[0] = accept;
    reversal->alive[accept] = 1;
    while (n_queue > 0) {
        uint32_t state = reversal->queue[--n_queue];
        for (uint32_t i = reversal->starts[state]; i < reversal->starts[state + 1]; i++) {
            uint32_t source = reversal->sources[i];
            if (reversal->alive[source]) continue;
            reversal->alive[source] = 1;
            reversal->queue[n_queue++] = source;
        }
    }
}

/* Finds the states that lead to acceptance. Returns null where memory is out; else the caller's to free. */
static uint8_t *find_alive(const edc_draft *draft) {
    size_t n = draft->n_states;
    edc_reversal reversal = {
        .starts = calloc(n + 1, sizeof(uint32_t)),
        .sources = malloc(2 * n * sizeof(uint32_t)),
        .queue = malloc(n * sizeof(uint32_t)),
        .alive = calloc(n, 1),
    };
    if (reversal.starts != NULL && reversal.sources != NULL && reversal.queue != NULL && reversal.alive != NULL) {
        turn_edges(draft, &reversal);
        mark_alive(draft, &reversal);
    } else {
        free(reversal.alive);
        reversal.alive = NULL;
    }
    free(reversal.starts);
    free(reversal.sources);
    free(reversal.queue);
    return reversal.alive;
}

/* A split that has one living way left is a pass. */
static void drop_dead_ways(edc_draft *draft, const uint8_t *alive) {
    for (uint32_t i = 0; i < draft->n_states; i++) {
        edc_state *state = &draft->states[i];
        if (!alive[i] || edc_kind_of(*state) != EDC_SPLIT) continue;
        if (alive[state->out] && alive[edc_arg_of(*state)]) continue;
        *state = edc_state_of(EDC_PASS, 0, alive[state->out] ? state->out : edc_arg_of(*state));
    }
}

/* The first state behind any passes; shortens their chain, so that no chain is walked twice. A living pass leads to
 * acceptance and has one way on, so the chain ends. */
static uint32_t behind_passes(edc_draft *draft, uint32_t state) {
    uint32_t end = state;
    while (edc_kind_of(draft->states[end]) == EDC_PASS) end = draft->states[end].out;
    while (edc_kind_of(draft->states[state]) == EDC_PASS) {
        uint32_t next = draft->states[state].out;
        draft->states[state].out = end;
        state = next;
    }
    return end;
}

/* The number of a state in the pruned automaton; gives out the next one where it has none yet. */
static uint32_t number_of(edc_draft *draft, uint32_t *numbers, uint32_t *order, uint32_t *n_order, uint32_t state) {
    uint32_t end = behind_passes(draft, state);
    if (numbers[end] == EDC_NONE) {
        numbers[end] = *n_order;
        order[(*n_order)++] = end;
    }
    return numbers[end];
}

/* Copies the states that can be reached from the start, breadth first, to `pruned`. Returns how many. */
static uint32_t renumber(edc_draft *draft, uint32_t *numbers, uint32_t *order, edc_state *pruned) {
    uint32_t n_order = 0;
    for (uint32_t i = 0; i < draft->n_states; i++) numbers[i] = EDC_NONE;
    number_of(draft, numbers, order, &n_order, draft->start);
    for (uint32_t i = 0; i < n_order; i++) {
        edc_state state = draft->states[order[i]];
        edc_kind kind = edc_kind_of(state);
        uint32_t arg = edc_arg_of(state);
        uint32_t out = state.out;
        if (kind != EDC_ACCEPT) out = number_of(draft, numbers, order, &n_order, out);
        if (kind == EDC_SPLIT) arg = number_of(draft, numbers, order, &n_order, arg);
        pruned[i] = edc_state_of(kind, arg, out);
    }
    return n_order;
}

static edc_status keep_reached(edc_draft *draft) {
    size_t n = draft->n_states;
    uint32_t *numbers = malloc(n * sizeof *numbers);
    uint32_t *order = malloc(n * sizeof *order);
    edc_state *pruned = malloc(n * sizeof *pruned);
    edc_status status = EDC_NO_MEMORY;
    if (numbers != NULL && order != NULL && pruned != NULL) {
        draft->n_states = renumber(draft, numbers, order, pruned);
        draft->room = (uint32_t)n;
        draft->start = 0;
        edc_state *old = draft->states;
        draft->states = pruned;
        pruned = old;
        status = EDC_OK;
    }
    free(numbers);
    free(order);
    free(pruned);
    return status;
}

/* Sees to it that each state that is reached leads to acceptance; a draft that accepts nothing becomes empty. */
static edc_status drop_dead(edc_draft *draft) {
    uint8_t *alive = find_alive(draft);
    if (alive == NULL) return EDC_NO_MEMORY;
    if (alive[draft->start]) {
        drop_dead_ways(draft, alive);
    } else {
        draft->n_states = 0;
    }
    free(alive);
    return EDC_OK;
}

edc_status edc_prune(edc_draft *draft) {
    edc_status status = draft->has_dead ? drop_dead(draft) : EDC_OK;
    return status == EDC_OK && draft->n_states > 0 ? keep_reached(draft) : status;
}
