/* libFuzzer driver of the matcher's memory; tests/fuzz/run.sh builds and runs it.
 *
 * Two matchers take the same moves, one in the least memory and one in plenty: emptying the arena must change no
 * result. The input is a byte n, n bytes of code, a byte t, t lengths of tokens and their bytes, and then the moves. */
#include <stdlib.h>
#include <string.h>

#include "edged_core.h"

/* Beyond these an input only costs time. PLENTY holds all that an input can make. */
enum { MOST_STATES = 2000, MOST_MOVES = 200, MOST_TOKENS = 64, MOST_TOKEN = 12, PLENTY = 1 << 18 };

enum { RESET, LEGAL, PICK, SCORED, TOKEN, BYTES, FORCED, WALK, N_MOVES };

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int condition) {
    if (!condition) abort();
}

static uint8_t take(input *in) {
    if (in->left == 0) return 0;
    in->left--;
    return *in->at++;
}

/* As many of n bytes as there are. */
static const uint8_t *take_bytes(input *in, size_t *n) {
    const uint8_t *bytes = in->at;
    if (*n > in->left) *n = in->left;
    in->at += *n;
    in->left -= *n;
    return bytes;
}

static edc_vocab *read_vocab(input *in) {
    uint32_t offsets[MOST_TOKENS + 1] = {0};
    size_t n_tokens = take(in) % MOST_TOKENS + 1u;
    for (size_t i = 0; i < n_tokens; i++) offsets[i + 1] = offsets[i] + take(in) % (MOST_TOKEN + 1u);
    size_t n_bytes = offsets[n_tokens];
    const uint8_t *bytes = take_bytes(in, &n_bytes);
    for (size_t i = 0; i <= n_tokens; i++) {
        if (offsets[i] > n_bytes) offsets[i] = (uint32_t)n_bytes;
    }
    edc_vocab *vocab = NULL;
    insist(edc_vocab_new(bytes, offsets, n_tokens, &vocab) == EDC_OK);
    return vocab;
}

static int by_id(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static size_t sorted_legal(edc_matcher *matcher, int32_t sorted[MOST_TOKENS]) {
    const int32_t *ids = NULL;
    size_t n = 0;
    insist(edc_matcher_legal(matcher, &ids, &n) == EDC_OK && n <= MOST_TOKENS);
    if (n > 0) memcpy(sorted, ids, n * sizeof *ids);
    qsort(sorted, n, sizeof *sorted, by_id);
    return n;
}

static void check_legal(edc_matcher *small, edc_matcher *large) {
    int32_t few[MOST_TOKENS];
    int32_t many[MOST_TOKENS];
    size_t n = sorted_legal(small, few);
    insist(sorted_legal(large, many) == n && memcmp(few, many, n * sizeof *few) == 0);
}

/* Picks by both, and goes on with what was picked. */
static void pick(edc_matcher *small, edc_matcher *large, size_t n_tokens, int scored, uint32_t seed) {
    float logits[MOST_TOKENS];
    for (size_t i = 0; i < n_tokens; i++) {
        seed = seed * 1664525u + 1013904223u;
        logits[i] = (float)((seed >> 24) % 32) - 16.0f;
    }
    edc_choice first = {0};
    edc_choice second = {0};
    edc_status status = edc_matcher_pick(small, logits, n_tokens, scored, &first);
    insist(edc_matcher_pick(large, logits, n_tokens, scored, &second) == status);
    if (status != EDC_OK) return;
    insist(first.token == second.token && first.margin == second.margin && first.legal_count == second.legal_count);
    insist(!scored || first.log_prob == second.log_prob);
    insist(edc_matcher_advance(small, first.token) == EDC_OK && edc_matcher_advance(large, first.token) == EDC_OK);
}

static void go_by_bytes(edc_matcher *small, edc_matcher *large, const uint8_t *bytes, size_t n) {
    edc_status status = edc_matcher_advance_bytes(small, bytes, n);
    insist(edc_matcher_advance_bytes(large, bytes, n) == status);
}

/* Compares the forced bytes, and goes on by them. */
static void check_forced(edc_matcher *small, edc_matcher *large, size_t capacity) {
    uint8_t first[64];
    uint8_t second[64];
    size_t n_first = 0;
    size_t n_second = 0;
    insist(edc_matcher_forced(small, first, capacity, &n_first) == EDC_OK);
    insist(edc_matcher_forced(large, second, capacity, &n_second) == EDC_OK);
    insist(n_first == n_second && memcmp(first, second, n_first) == 0);
    go_by_bytes(small, large, first, n_first);
}

/* A legal byte, or any where there is none. */
static uint8_t legal_byte(const uint8_t bitmap[32], uint32_t seed) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t byte = (seed + i) & 255u;
        if (((uint32_t)bitmap[byte >> 3] >> (byte & 7u) & 1u) != 0) return (uint8_t)byte;
    }
    return (uint8_t)seed;
}

/* Goes on by n legal bytes: chance alone hardly gets far enough to fill an arena. */
static void walk(edc_matcher *small, edc_matcher *large, size_t n, uint32_t seed) {
    for (size_t i = 0; i < n; i++) {
        uint8_t first[32];
        uint8_t second[32];
        insist(edc_matcher_next_bytes(small, first) == EDC_OK && edc_matcher_next_bytes(large, second) == EDC_OK);
        insist(memcmp(first, second, sizeof first) == 0);
        seed = seed * 1664525u + 1013904223u;
        uint8_t byte = legal_byte(first, seed >> 24);
        go_by_bytes(small, large, &byte, 1);
    }
}

static void move(edc_matcher *small, edc_matcher *large, size_t n_tokens, input *in) {
    uint8_t what = take(in);
    size_t operand = what / N_MOVES; /* below 32 */
    switch (what % N_MOVES) {
    case RESET:
        edc_matcher_reset(small);
        edc_matcher_reset(large);
        break;
    case LEGAL: check_legal(small, large); break;
    case PICK: pick(small, large, n_tokens, 0, (uint32_t)operand); break;
    case SCORED: pick(small, large, n_tokens, 1, (uint32_t)operand); break;
    case TOKEN: {
        int32_t token = (int32_t)take(in) - 1; /* some are none */
        insist(edc_matcher_advance(small, token) == edc_matcher_advance(large, token));
        break;
    }
    case BYTES: {
        const uint8_t *bytes = take_bytes(in, &operand);
        go_by_bytes(small, large, bytes, operand);
        break;
    }
    case FORCED: check_forced(small, large, operand * 2); break;
    default: walk(small, large, operand * 2, take(in)); break;
    }
}

static void follow(const edc_vocab *vocab, const edc_program *program, input *in) {
    edc_matcher *small = NULL;
    edc_matcher *large = NULL;
    insist(edc_matcher_new(vocab, program, 1, &small) == EDC_OK);
    insist(edc_matcher_new(vocab, program, PLENTY, &large) == EDC_OK);
    for (size_t n = 0; n < MOST_MOVES && in->left > 0; n++) {
        move(small, large, edc_vocab_size(vocab), in);
        insist(edc_matcher_is_accepting(small) == edc_matcher_is_accepting(large));
        insist(edc_matcher_is_finished(small) == edc_matcher_is_finished(large));
    }
    check_legal(small, large);
    edc_matcher_free(small);
    edc_matcher_free(large);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    size_t n_code = take(&in);
    const uint8_t *code = take_bytes(&in, &n_code);
    edc_program *program = NULL;
    if (edc_program_new(code, n_code, &program) != EDC_OK) return 0;
    if (edc_program_states(program) <= MOST_STATES) {
        edc_vocab *vocab = read_vocab(&in);
        follow(vocab, program, &in);
        edc_vocab_free(vocab);
    }
    edc_program_free(program);
    return 0;
}
