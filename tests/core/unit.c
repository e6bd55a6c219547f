#include "unit.h"

#include <stdlib.h>

unsigned unit_checks;
unsigned unit_failures;
const char *unit_test = "";

static uint32_t allocations_left = UINT32_MAX;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static int may_allocate(void) {
    if (allocations_left == UINT32_MAX) return 1;
    if (allocations_left == 0) return 0;
    allocations_left--;
    return 1;
}

void *__wrap_malloc(size_t size) {
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size) {
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *block, size_t size) {
    return may_allocate() ? __real_realloc(block, size) : NULL;
}

void fail_allocation(uint32_t n) {
    allocations_left = n;
}

static void put(unit_code *code, const void *bytes, size_t n) {
    if (code->length + n > sizeof code->bytes) abort();
    memcpy(code->bytes + code->length, bytes, n);
    code->length += n;
}

static void put_operation(unit_code *code, uint8_t operation, uint32_t number) {
    uint8_t bytes[3] = {operation, (uint8_t)number, (uint8_t)(number >> 8)};
    put(code, bytes, sizeof bytes);
}

void put_literal(unit_code *code, const char *text) {
    put_operation(code, 1, (uint32_t)strlen(text));
    put(code, text, strlen(text));
}

void put_class(unit_code *code, uint32_t low, uint32_t high) {
    uint8_t bytes[33] = {2};
    for (uint32_t byte = low; byte <= high; byte++) {
        bytes[1 + (byte >> 3)] = (uint8_t)(bytes[1 + (byte >> 3)] | 1u << (byte & 7u));
    }
    put(code, bytes, sizeof bytes);
}

void put_sequence(unit_code *code, uint32_t n) {
    put_operation(code, 3, n);
}

void put_choice(unit_code *code, uint32_t n) {
    put_operation(code, 4, n);
}

void put_repeat(unit_code *code, uint32_t least, uint32_t most) {
    uint8_t high[2] = {(uint8_t)most, (uint8_t)(most >> 8)};
    put_operation(code, 5, least);
    put(code, high, sizeof high);
}

void put_graph(unit_code *code, uint32_t n_states, uint32_t accepting, const unit_edge *edges, uint32_t n_edges) {
    uint8_t head[4] = {(uint8_t)n_edges, (uint8_t)(n_edges >> 8), 0, 0};
    put_operation(code, 6, n_states);
    put(code, head, sizeof head);
    for (uint32_t i = 0; i < n_states; i += 8) put(code, &(uint8_t){(uint8_t)(accepting >> i)}, 1);
    for (uint32_t i = 0; i < n_edges; i++) {
        const unit_edge *edge = &edges[i];
        uint8_t bytes[6] = {(uint8_t)edge->from, (uint8_t)(edge->from >> 8), edge->first, edge->last,
                            (uint8_t)edge->to,   (uint8_t)(edge->to >> 8)};
        put(code, bytes, sizeof bytes);
    }
}

edc_vocab *vocab_of(const char *const *tokens, size_t n) {
    uint8_t bytes[4096];
    uint32_t offsets[513] = {0};
    if (n > 512) abort();
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(tokens[i]);
        if (offsets[i] + length > sizeof bytes) abort();
        memcpy(bytes + offsets[i], tokens[i], length);
        offsets[i + 1] = offsets[i] + (uint32_t)length;
    }
    edc_vocab *vocab = NULL;
    if (edc_vocab_new(bytes, offsets, n, &vocab) != EDC_OK) abort();
    return vocab;
}

edc_program *program_of(const unit_code *code) {
    edc_program *program = NULL;
    if (edc_program_new(code->bytes, code->length, &program) != EDC_OK) abort();
    return program;
}

edc_matcher *matcher_of(const edc_vocab *vocab, const edc_program *program) {
    edc_matcher *matcher = NULL;
    if (edc_matcher_new(vocab, program, 0, &matcher) != EDC_OK) abort();
    return matcher;
}

int legal_is(edc_matcher *matcher, const int32_t *expected, size_t n) {
    const int32_t *ids = NULL;
    size_t n_ids = 0;
    if (edc_matcher_legal(matcher, &ids, &n_ids) != EDC_OK || n_ids != n) return 0;
    for (size_t i = 0; i < n; i++) {
        size_t found = 0;
        for (size_t k = 0; k < n; k++) found += ids[k] == expected[i];
        if (found != 1) return 0;
    }
    return 1;
}

uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

int main(void) {
    status_tests();
    vocab_tests();
    image_tests();
    program_tests();
    matcher_tests();
    pick_tests();
    step_tests();
    random_tests();
    memory_tests();
    canonical_tests();
    printf("%u checks, %u failures\n", unit_checks, unit_failures);
    return unit_failures != 0;
}
