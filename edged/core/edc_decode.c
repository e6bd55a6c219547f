/* Expression code to states. Each operand on the stack is a fragment: a run of states of its own, with one way in and
 * one way out, the way out being a PASS that leads nowhere yet. */
#include <stdlib.h>

#include "edc_draft.h"
#include "edc_limits.h"

enum {
    OP_LITERAL = 1,
    OP_CLASS = 2,
    OP_SEQUENCE = 3,
    OP_CHOICE = 4,
    OP_REPEAT = 5,
    OP_GRAPH = 6,
    OP_WORDS = 7,
    OP_DIGITS = 8
};

#define NO_END 0xFFFFu

typedef struct {
    uint32_t low; /* its states are low up to the next fragment's low, or the last state */
    uint32_t entry;
    uint32_t exit;
} edc_fragment;

typedef struct {
    const uint8_t *code;
    size_t length;
    size_t at;
    edc_draft *draft;
    edc_fragment *stack;
    size_t depth;
    size_t room; /* of the stack */
} edc_decoder;

static void link_to(edc_draft *draft, uint32_t from, uint32_t to) {
    draft->states[from].out = to;
}

static edc_status push(edc_decoder *decoder, edc_fragment fragment) {
    if (decoder->depth == decoder->room) return EDC_TOO_DEEP;
    decoder->stack[decoder->depth++] = fragment;
    return EDC_OK;
}

/* Reads a number, and stops at code that is too short. */
static edc_status read_u16(edc_decoder *decoder, uint32_t *value) {
    if (decoder->length - decoder->at < 2) return EDC_TRUNCATED_CODE;
    *value = (uint32_t)decoder->code[decoder->at] | (uint32_t)decoder->code[decoder->at + 1] << 8;
    decoder->at += 2;
    return EDC_OK;
}

static edc_status decode_literal(edc_decoder *decoder) {
    edc_draft *draft = decoder->draft;
    uint32_t n = 0;
    edc_status status = read_u16(decoder, &n);
    if (status != EDC_OK) return status;
    if (decoder->length - decoder->at < n) return EDC_TRUNCATED_CODE;
    status = edc_draft_reserve(draft, (uint64_t)n + 1);
    if (status != EDC_OK) return status;
    uint32_t low = draft->n_states;
    for (uint32_t i = 0; i < n; i++) edc_draft_add(draft, EDC_BYTE, decoder->code[decoder->at++], low + i + 1);
    uint32_t exit = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    return push(decoder, (edc_fragment){low, low, exit});
}

static edc_status decode_class(edc_decoder *decoder) {
    edc_draft *draft = decoder->draft;
    if (decoder->length - decoder->at < 32) return EDC_TRUNCATED_CODE;
    edc_status status = edc_draft_reserve(draft, 2);
    if (status != EDC_OK) return status;
    const uint8_t *bitmap = decoder->code + decoder->at;
    edc_byteset set = {{0}};
    uint8_t any = 0;
    for (size_t i = 0; i < 32; i++) {
        set.bits[i >> 3] |= (uint64_t)bitmap[i] << (i & 7) * 8;
        any |= bitmap[i];
    }
    decoder->at += 32;
    uint32_t number = 0;
    if (any != 0) status = edc_draft_class(draft, &set, &number);
    if (status != EDC_OK) return status;
    uint32_t low = draft->n_states;
    edc_draft_add(draft, any != 0 ? EDC_CLASS : EDC_DEAD, number, low + 1);
    edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    return push(decoder, (edc_fragment){low, low, low + 1});
}

static edc_status decode_sequence(edc_decoder *decoder) {
    edc_draft *draft = decoder->draft;
    uint32_t n = 0;
    edc_status status = read_u16(decoder, &n);
    if (status != EDC_OK) return status;
    if (n > decoder->depth) return EDC_BAD_CODE;
    if (n == 0) {
        status = edc_draft_reserve(draft, 1);
        if (status != EDC_OK) return status;
        uint32_t only = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
        return push(decoder, (edc_fragment){only, only, only});
    }
    edc_fragment *parts = decoder->stack + (decoder->depth - n);
    for (uint32_t i = 1; i < n; i++) link_to(draft, parts[i - 1].exit, parts[i].entry);
    parts[0].exit = parts[n - 1].exit;
    decoder->depth -= n - 1;
    return EDC_OK;
}

static edc_status decode_choice(edc_decoder *decoder) {
    edc_draft *draft = decoder->draft;
    uint32_t n = 0;
    edc_status status = read_u16(decoder, &n);
    if (status != EDC_OK) return status;
    if (n > decoder->depth) return EDC_BAD_CODE;
    status = edc_draft_reserve(draft, (uint64_t)n + 2);
    if (status != EDC_OK) return status;
    edc_fragment *parts = decoder->stack + (decoder->depth - n);
    uint32_t low = n > 0 ? parts[0].low : draft->n_states;
    uint32_t exit = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    uint32_t entry = n > 0 ? parts[n - 1].entry : edc_draft_add(draft, EDC_DEAD, 0, exit);
    for (uint32_t i = 0; i < n; i++) link_to(draft, parts[i].exit, exit);
    for (uint32_t i = n; i > 1; i--) entry = edc_draft_add(draft, EDC_SPLIT, entry, parts[i - 2].entry);
    decoder->depth -= n;
    return push(decoder, (edc_fragment){low, entry, exit});
}

/* Appends a copy of the last fragment's states, moved by as much as they lie further on. */
static void copy(edc_draft *draft, uint32_t low, uint32_t size) {
    uint32_t shift = draft->n_states - low;
    for (uint32_t i = 0; i < size; i++) {
        edc_state state = draft->states[low + i];
        if (edc_kind_of(state) == EDC_SPLIT) state.what += shift; /* which is its arg: EDC_MAX_STATES keeps it in bounds */
        if (state.out != EDC_NONE) state.out += shift;
        draft->states[draft->n_states++] = state;
    }
}

/* Leads the open end of `whole` to `entry`; the open end is now `exit`. */
static void append(edc_draft *draft, edc_fragment *whole, uint32_t entry, uint32_t exit) {
    link_to(draft, whole->exit, entry);
    whole->exit = exit;
}

/* Repeats the top fragment: the needed copies, then a loop over the last, or optional copies that may all stop at one
 * exit. Every copy is made before any is linked, since copies are taken of the untouched original. */
static edc_status repeat(edc_draft *draft, edc_fragment *top, uint32_t least, uint32_t most) {
    uint32_t size = draft->n_states - top->low;
    uint32_t n_copies = most != NO_END ? most : least > 0 ? least : 1;
    uint64_t n_copied = n_copies > 1 ? (uint64_t)(n_copies - 1) * size : 0;
    edc_status status = edc_draft_reserve(draft, 2 + n_copied + n_copies); /* the last: at most a split each time */
    if (status != EDC_OK) return status;
    edc_fragment original = *top;
    uint32_t first = draft->n_states;
    uint32_t exit = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    uint32_t begin = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    edc_fragment whole = {original.low, begin, begin};
    for (uint32_t i = 1; i < n_copies; i++) copy(draft, original.low, size);
    for (uint32_t i = 0; i < n_copies; i++) {
        uint32_t shift = i == 0 ? 0 : first + 2 + (i - 1) * size - original.low;
        uint32_t entry = original.entry + shift;
        uint32_t split = i >= least ? edc_draft_add(draft, EDC_SPLIT, exit, entry) : entry;
        append(draft, &whole, split, original.exit + shift);
        if (most == NO_END && i + 1 == n_copies) {
            append(draft, &whole, least > 0 ? edc_draft_add(draft, EDC_SPLIT, exit, entry) : split, exit);
        }
    }
    if (most != NO_END) append(draft, &whole, exit, exit);
    *top = whole;
    return EDC_OK;
}

static edc_status decode_repeat(edc_decoder *decoder) {
    uint32_t least = 0;
    uint32_t most = 0;
    edc_status status = read_u16(decoder, &least);
    if (status == EDC_OK) status = read_u16(decoder, &most);
    if (status != EDC_OK) return status;
    if (decoder->depth == 0 || least == NO_END || least > most) return EDC_BAD_CODE;
    return repeat(decoder->draft, &decoder->stack[decoder->depth - 1], least, most);
}

static edc_status decode_graph(edc_decoder *decoder) {
    edc_draft *draft = decoder->draft;
    uint32_t low = draft->n_states;
    uint32_t exit = 0;
    size_t used = 0;
    edc_status status = edc_graph(decoder->code + decoder->at, decoder->length - decoder->at, draft, &used, &exit);
    if (status != EDC_OK) return status;
    decoder->at += used;
    return push(decoder, (edc_fragment){low, low, exit});
}

static edc_status decode_words(edc_decoder *decoder) {
    uint32_t low = decoder->draft->n_states;
    uint32_t n = 0;
    uint32_t more = 0;
    edc_status status = read_u16(decoder, &n);
    if (status == EDC_OK) status = read_u16(decoder, &more);
    if (status != EDC_OK) return status;
    n |= more << 16;
    if (decoder->length - decoder->at < n) return EDC_TRUNCATED_CODE;
    edc_ends ends = {0, 0};
    status = edc_words(decoder->code + decoder->at, n, decoder->draft, &ends);
    if (status != EDC_OK) return status;
    decoder->at += n;
    return push(decoder, (edc_fragment){low, ends.entry, ends.exit});
}

static edc_status decode_digits(edc_decoder *decoder) {
    uint32_t low = decoder->draft->n_states;
    uint32_t n = 0;
    edc_status status = read_u16(decoder, &n);
    if (status != EDC_OK) return status;
    if (decoder->length - decoder->at < 2 * (size_t)n) return EDC_TRUNCATED_CODE;
    edc_ends ends = {0, 0};
    status = edc_digits(decoder->code + decoder->at, n, decoder->draft, &ends);
    if (status != EDC_OK) return status;
    decoder->at += 2 * (size_t)n;
    return push(decoder, (edc_fragment){low, ends.entry, ends.exit});
}

static edc_status decode_operation(edc_decoder *decoder) {
    switch (decoder->code[decoder->at++]) {
    case OP_LITERAL:
        return decode_literal(decoder);
    case OP_CLASS:
        return decode_class(decoder);
    case OP_SEQUENCE:
        return decode_sequence(decoder);
    case OP_CHOICE:
        return decode_choice(decoder);
    case OP_REPEAT:
        return decode_repeat(decoder);
    case OP_GRAPH:
        return decode_graph(decoder);
    case OP_WORDS:
        return decode_words(decoder);
    case OP_DIGITS:
        return decode_digits(decoder);
    default:
        return EDC_BAD_CODE;
    }
}

/* Links the one fragment that must be left to acceptance. */
static edc_status finish(edc_decoder *decoder) {
    if (decoder->depth != 1) return EDC_BAD_CODE;
    edc_status status = edc_draft_reserve(decoder->draft, 1);
    if (status != EDC_OK) return status;
    uint32_t accept = edc_draft_add(decoder->draft, EDC_ACCEPT, 0, EDC_NONE);
    link_to(decoder->draft, decoder->stack[0].exit, accept);
    decoder->draft->start = decoder->stack[0].entry;
    return EDC_OK;
}

edc_status edc_decode(const uint8_t *code, size_t length, edc_draft *draft) {
    edc_status status = edc_draft_begin(draft);
    if (status != EDC_OK) return status;
    if (length > EDC_MAX_CODE_BYTES) return EDC_TOO_LARGE;
    edc_decoder decoder = {.code = code, .length = length, .draft = draft};
    decoder.room = length / 3 + 1; /* no operation is shorter than three bytes */
    if (decoder.room > EDC_MAX_OPERANDS) decoder.room = EDC_MAX_OPERANDS;
    decoder.stack = malloc(decoder.room * sizeof *decoder.stack);
    if (decoder.stack == NULL) return EDC_NO_MEMORY;
    while (status == EDC_OK && decoder.at < length) status = decode_operation(&decoder);
    if (status == EDC_OK) status = finish(&decoder);
    free(decoder.stack);
    return status;
}
