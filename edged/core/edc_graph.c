/* The graph operation: an automaton over bytes, written state by state, becomes states of the draft.
 *
 * State i of the graph is state low + i of the draft, low being the first one appended. A state that has several ways
 * on is a split there, and a chain of splits and ways follows behind the states of all. */
#include "edc_draft.h"

enum { HEAD_BYTES = 6, EDGE_BYTES = 6 };

typedef struct {
    uint32_t from;
    uint32_t first;
    uint32_t last;
    uint32_t to;
} edc_edge;

typedef struct {
    const uint8_t *accepting; /* bit i & 7 of byte i >> 3 */
    const uint8_t *edges;
    uint32_t n_states;
    uint32_t n_edges;
    uint32_t at;   /* the next edge to look at */
    uint32_t low;  /* the draft's state for state 0 */
    uint32_t exit; /* where accepting states lead */
} edc_graph_reader;

static uint32_t u16_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static edc_edge edge_at(const edc_graph_reader *reader, uint32_t i) {
    const uint8_t *bytes = reader->edges + (size_t)i * EDGE_BYTES;
    return (edc_edge){u16_at(bytes), bytes[2], bytes[3], u16_at(bytes + 4)};
}

static int is_accepting(const edc_graph_reader *reader, uint32_t state) {
    return reader->accepting[state >> 3] >> (state & 7u) & 1;
}

/* Whether the next edge leaves this state. */
static int leaves(const edc_graph_reader *reader, uint32_t state) {
    return reader->at < reader->n_edges && edge_at(reader, reader->at).from == state;
}

/* Finds the tables in the code, and looks at nothing in them. */
static edc_status open_graph(const uint8_t *code, size_t length, edc_graph_reader *reader, size_t *used) {
    if (length < HEAD_BYTES) return EDC_TRUNCATED_CODE;
    reader->n_states = u16_at(code);
    reader->n_edges = u16_at(code + 2) | u16_at(code + 4) << 16;
    size_t n_accepting = ((size_t)reader->n_states + 7) / 8;
    size_t left = length - HEAD_BYTES;
    if (left < n_accepting || (left - n_accepting) / EDGE_BYTES < reader->n_edges) return EDC_TRUNCATED_CODE;
    reader->accepting = code + HEAD_BYTES;
    reader->edges = reader->accepting + n_accepting;
    *used = HEAD_BYTES + n_accepting + (size_t)reader->n_edges * EDGE_BYTES;
    return EDC_OK;
}

/* Refuses a graph without a start, marks of states that it does not have, and edges that are out of range or order. */
static int is_sound(const edc_graph_reader *reader) {
    uint32_t n = reader->n_states;
    if (n == 0 || ((n & 7u) != 0 && reader->accepting[n >> 3] >> (n & 7u) != 0)) return 0;
    edc_edge before = {0, 0, 0, 0};
    for (uint32_t i = 0; i < reader->n_edges; i++) {
        edc_edge edge = edge_at(reader, i);
        if (edge.from >= n || edge.to >= n || edge.first > edge.last) return 0;
        if (edge.from < before.from || (edge.from == before.from && edge.to < before.to)) return 0;
        before = edge;
    }
    return 1;
}

static void add_range(edc_byteset *set, uint32_t first, uint32_t last) {
    for (uint32_t word = first >> 6; word <= last >> 6; word++) {
        uint32_t low = word == first >> 6 ? first & 63u : 0;
        uint32_t high = word == last >> 6 ? last & 63u : 63;
        set->bits[word] |= UINT64_MAX >> (63 - high) & UINT64_MAX << low;
    }
}

/* Reads the next edge and those that share both of its ends: one state of the draft takes the bytes of all. */
static edc_status read_way(edc_graph_reader *reader, edc_draft *draft, edc_state *way) {
    edc_edge edge = edge_at(reader, reader->at);
    uint32_t from = edge.from;
    uint32_t to = edge.to;
    uint32_t lowest = edge.first;
    uint32_t highest = edge.last;
    edc_byteset set = {{0}};
    while (edge.from == from && edge.to == to) {
        if (edge.first < lowest) lowest = edge.first;
        if (edge.last > highest) highest = edge.last;
        add_range(&set, edge.first, edge.last);
        if (++reader->at == reader->n_edges) break;
        edge = edge_at(reader, reader->at);
    }
    uint32_t arg = lowest;
    edc_status status = lowest == highest ? EDC_OK : edc_draft_class(draft, &set, &arg);
    *way = edc_state_of(lowest == highest ? EDC_BYTE : EDC_CLASS, arg, reader->low + to);
    return status;
}

/* Fills in a state of the graph, and appends what follows from its having several ways on. */
static edc_status put_state(edc_graph_reader *reader, edc_draft *draft, uint32_t state) {
    uint32_t place = reader->low + state;
    int accepts = is_accepting(reader, state);
    edc_state way = edc_state_of(accepts ? EDC_PASS : EDC_DEAD, 0, reader->exit);
    while (leaves(reader, state)) {
        edc_state edge;
        edc_status status = read_way(reader, draft, &edge);
        if (status != EDC_OK) return status;
        if (!accepts && !leaves(reader, state)) {
            way = edge;
            break;
        }
        status = edc_draft_reserve(draft, 2);
        if (status != EDC_OK) return status;
        uint32_t first = edc_draft_add(draft, edc_kind_of(edge), edc_arg_of(edge), edge.out);
        uint32_t rest = edc_draft_add(draft, EDC_DEAD, 0, reader->exit);
        draft->states[place] = edc_state_of(EDC_SPLIT, rest, first);
        place = rest;
    }
    draft->states[place] = way;
    return EDC_OK;
}

edc_status edc_graph(const uint8_t *code, size_t length, edc_draft *draft, size_t *used, uint32_t *exit) {
    edc_graph_reader reader = {.low = draft->n_states};
    edc_status status = open_graph(code, length, &reader, used);
    if (status != EDC_OK) return status;
    if (!is_sound(&reader)) return EDC_BAD_CODE;
    status = edc_draft_reserve(draft, (uint64_t)reader.n_states + 1);
    if (status != EDC_OK) return status;
    reader.exit = reader.low + reader.n_states;
    for (uint32_t i = 0; i < reader.n_states; i++) edc_draft_add(draft, EDC_DEAD, 0, reader.exit);
    *exit = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    for (uint32_t i = 0; i < reader.n_states && status == EDC_OK; i++) status = put_state(&reader, draft, i);
    return status;
}
