#include "edc_ahead.h"

#include <string.h>

#include "edc_canonical.h"
#include "edc_legal.h"

static void forget_nodes(edc_matcher *m) {
    memset(m->ahead->nodes, 0, sizeof m->ahead->nodes);
    m->ahead->n_nodes = 0;
    m->ahead->epoch = m->epoch;
}

/* The node of a state and what stands left of it; new where there is none yet. Null where no more can be made. */
static edc_node *node_of(edc_matcher *m, uint32_t state, uint32_t last) {
    edc_ahead *ahead = m->ahead;
    uint32_t hash = (state * 0x9E3779B9u ^ last) * 0x85EBCA6Bu; /* odd factors, to spread both over the high bits */
    uint32_t slot = (hash >> 16) & (EDC_NODE_SLOTS - 1);
    for (; ahead->nodes[slot].state != 0; slot = (slot + 1) & (EDC_NODE_SLOTS - 1)) {
        if (ahead->nodes[slot].state == state && ahead->nodes[slot].last == last) return &ahead->nodes[slot];
    }
    if (ahead->n_nodes >= EDC_NODE_SLOTS / 4 * 3) return NULL;
    ahead->n_nodes++;
    ahead->nodes[slot] = (edc_node){.state = state, .last = last, .verdict = NODE_NEW};
    return &ahead->nodes[slot];
}

/* The state behind a legal token. Void once the epoch has changed. */
static uint32_t behind(edc_matcher *m, uint32_t state, uint32_t token) {
    const uint32_t *offset = m->vocab->offsets + token;
    uint32_t epoch = m->epoch;
    for (uint32_t i = offset[0]; i < offset[1] && m->epoch == epoch; i++) {
        uint32_t next = edc_states_step(m, &state, m->vocab->bytes[i]);
        state = next;
    }
    return state;
}

/* What can be said of a node without looking behind it; NODE_NEW where nothing can, and its state then has its list.
 * Whatever a cap cuts off counts as alive: nothing that could be canonical is ever lost to a cap. */
static edc_verdict glance(edc_matcher *m, edc_node *node, uint32_t depth) {
    uint32_t epoch = m->epoch;
    if (node == NULL || depth == EDC_MAX_AHEAD || m->ahead->n_tries == 0) return NODE_ALIVE;
    if (node->verdict != NODE_NEW) return node->verdict == NODE_DEAD ? NODE_DEAD : NODE_ALIVE;
    uint32_t state = node->state;
    if (m->words[state + D_ACCEPT] != 0) return NODE_ALIVE;
    uint32_t n_ids = 0;
    const uint32_t *ids = NULL;
    int found = edc_legal_bytewise(m, &state, EDC_MAX_FILTERED, &ids, &n_ids);
    return found && m->epoch == epoch && n_ids <= EDC_MAX_FILTERED && m->words[state + D_LEGAL_AT] != 0 ? NODE_NEW
                                                                                                      : NODE_ALIVE;
}

static void push(edc_matcher *m, edc_node *node, uint32_t depth) {
    node->verdict = NODE_OPEN;
    m->ahead->stack[depth] = (edc_step){node->state, node->last, m->words[node->state + D_LEGAL]};
}

/* The next token to try at a node on the stack: the last of the list first, as a walk of the trie gives the longer
 * tokens last, and those lead on soonest. EDC_NONE where none is left that the tokenizer writes there. */
static uint32_t next_token(edc_matcher *m, edc_step *step) {
    while (step->n_left > 0 && m->ahead->n_tries > 0) {
        uint32_t token = m->words[m->words[step->state + D_LEGAL_AT] + --step->n_left];
        m->ahead->n_tries--;
        if (edc_canonical_allows(m->canonical, step->last, token)) return token;
    }
    return EDC_NONE;
}

/* Whether a canonical way leads on from a state. Meaningless once the epoch has changed. */
static int is_alive(edc_matcher *m, uint32_t state, uint32_t last) {
    uint32_t epoch = m->epoch;
    edc_step *stack = m->ahead->stack;
    uint32_t depth = 0;
    edc_node *node = node_of(m, state, last);
    for (;;) {
        edc_verdict verdict = glance(m, node, depth);
        if (m->epoch != epoch) return 1;
        if (verdict == NODE_ALIVE) break; /* and so is all that leads to it; a node on the stack closes a circle */
        if (verdict == NODE_NEW) push(m, node, depth++);
        uint32_t next = EDC_NONE;
        while (depth > 0 && (next = next_token(m, &stack[depth - 1])) == EDC_NONE) {
            if (stack[depth - 1].n_left > 0) break; /* no tries are left */
            depth--;
            node_of(m, stack[depth].state, stack[depth].last)->verdict = NODE_DEAD;
        }
        if (depth == 0) return 0;
        if (next == EDC_NONE) break;
        uint32_t target = behind(m, stack[depth - 1].state, next);
        if (m->epoch != epoch) return 1;
        last = edc_canonical_join(m->canonical, m->vocab, stack[depth - 1].last, next);
        node = node_of(m, target, last);
    }
    if (node != NULL) node->verdict = NODE_ALIVE;
    while (depth-- > 0) node_of(m, stack[depth].state, stack[depth].last)->verdict = NODE_ALIVE;
    return 1;
}

/* Collects the tokens of a state's list that lie on a canonical way. Returns how many; meaningless once the epoch has
 * changed. */
static uint32_t filter(edc_matcher *m, uint32_t state, uint32_t last, uint32_t kept[EDC_MAX_FILTERED]) {
    uint32_t epoch = m->epoch;
    uint32_t n_kept = 0;
    m->ahead->n_tries = EDC_MAX_TRIES;
    for (uint32_t i = 0; i < m->words[state + D_LEGAL]; i++) {
        uint32_t token = m->words[m->words[state + D_LEGAL_AT] + i];
        if (!edc_canonical_allows(m->canonical, last, token)) continue;
        uint32_t target = behind(m, state, token);
        if (m->epoch != epoch) return 0;
        int alive = is_alive(m, target, edc_canonical_join(m->canonical, m->vocab, last, token));
        if (m->epoch != epoch) return 0;
        if (alive) kept[n_kept++] = token;
    }
    return n_kept;
}

/* Works out the list of a node and keeps it. Returns 0 where the arena was emptied meanwhile, or cannot hold it. */
static int work_out(edc_matcher *m, uint32_t *state, uint32_t last, uint32_t n_ids) {
    uint32_t epoch = m->epoch;
    uint32_t kept[EDC_MAX_FILTERED];
    uint32_t n_kept = n_ids == 1 ? 1 : filter(m, *state, last, kept); /* an only token has no rival */
    if (m->epoch != epoch) return 0;
    uint32_t at = m->words[*state + D_LEGAL_AT];
    if (n_kept == 0 || n_kept == n_ids) {
        n_kept = n_ids;
    } else {
        at = edc_states_take(m, state, n_kept);
        if (at == 0 || m->epoch != epoch) return 0;
        memcpy(m->words + at, kept, n_kept * sizeof *kept);
    }
    edc_node *node = node_of(m, *state, last);
    if (node == NULL) return 0;
    node->list_at = at;
    node->n_list = n_kept;
    return 1;
}

/* One attempt at the list. Returns 0 where the arena was emptied meanwhile. */
static int try_list(edc_matcher *m, uint32_t *state, uint32_t last, const uint32_t **ids, uint32_t *n_ids) {
    uint32_t epoch = m->epoch;
    if (!edc_legal_bytewise(m, state, EDC_MAX_TOKENS, ids, n_ids) || m->epoch != epoch) return 0;
    if (*n_ids == 0 || *n_ids > EDC_MAX_FILTERED || m->words[*state + D_LEGAL_AT] == 0) return 1;
    if (work_out(m, state, last, *n_ids)) {
        const edc_node *node = node_of(m, *state, last);
        *ids = m->words + node->list_at;
        *n_ids = node->n_list;
    }
    return m->epoch == epoch;
}

int edc_ahead_list(edc_matcher *m, uint32_t *state, uint32_t last, const uint32_t **ids, uint32_t *n_ids) {
    int is_current = *state == m->current;
    for (int attempt = 0; attempt < 2; attempt++) { /* the second in an arena that was just emptied */
        if (m->ahead->epoch != m->epoch || m->ahead->n_nodes > EDC_NODE_SLOTS / 2) forget_nodes(m);
        const edc_node *node = node_of(m, *state, last);
        if (node != NULL && node->list_at != 0) {
            *ids = m->words + node->list_at;
            *n_ids = node->n_list;
            return 1;
        }
        if (try_list(m, state, last, ids, n_ids)) return 1;
        if (!is_current) return 0;
        *state = m->current;
    }
    return edc_legal_bytewise(m, state, EDC_MAX_TOKENS, ids, n_ids);
}
