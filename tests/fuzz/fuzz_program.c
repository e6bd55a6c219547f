/* libFuzzer driver of the program decoder and the matcher; tests/fuzz/run.sh builds and runs it.
 *
 * The input is a byte that chooses the memory budget, a byte n, n bytes of code, and the text that a matcher follows.
 * Whatever it is: no fault; and at each place the list of tokens, the bitmap of bytes, the forced bytes, the pick and
 * what the matcher takes must agree with each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edged_core.h"

/* Beyond this many NFA states an input only costs time; the cap itself is tested in tests/core. */
enum { MOST_STATES = 5000, MOST_STEPS = 24, N_TOKENS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int condition) {
    if (!condition) abort();
}

static edc_vocab *small_vocab(void) {
    static const uint32_t offsets[N_TOKENS + 1] = {0, 1, 2, 4, 4, 7, 9, 10, 12};
    edc_vocab *vocab = NULL;
    insist(edc_vocab_new((const uint8_t *)"abababc\0\0\377ab", offsets, N_TOKENS, &vocab) == EDC_OK);
    return vocab;
}

/* A byte is taken just when the bitmap has it. */
static int step(edc_matcher *matcher, uint8_t byte) {
    uint8_t bitmap[32];
    insist(edc_matcher_next_bytes(matcher, bitmap) == EDC_OK);
    int is_legal = bitmap[byte >> 3] >> (byte & 7) & 1;
    insist((edc_matcher_advance_bytes(matcher, &byte, 1) == EDC_OK) == is_legal);
    return is_legal;
}

static void check_forced(edc_matcher *matcher) {
    uint8_t forced[16];
    uint8_t bitmap[32];
    uint8_t only[32] = {0};
    size_t n_forced = 0;
    insist(edc_matcher_forced(matcher, forced, sizeof forced, &n_forced) == EDC_OK);
    if (n_forced == 0) return;
    only[forced[0] >> 3] = (uint8_t)(1u << (forced[0] & 7));
    insist(edc_matcher_next_bytes(matcher, bitmap) == EDC_OK);
    insist(memcmp(bitmap, only, sizeof only) == 0 && !edc_matcher_is_accepting(matcher));
}

/* Every listed token is a known one that is taken from here, along the text so far. */
static void check_list(edc_matcher *matcher, const uint8_t *text, size_t n_text) {
    const int32_t *ids = NULL;
    size_t n_ids = 0;
    int32_t listed[N_TOKENS];
    insist(edc_matcher_legal(matcher, &ids, &n_ids) == EDC_OK && n_ids <= N_TOKENS);
    for (size_t i = 0; i < n_ids; i++) listed[i] = ids[i];
    int32_t n_taken = 0;
    for (int32_t token = 0; token < N_TOKENS; token++) {
        if (edc_matcher_advance(matcher, token) != EDC_OK) continue;
        n_taken++;
        edc_matcher_reset(matcher);
        insist(edc_matcher_advance_bytes(matcher, text, n_text) == EDC_OK);
        int found = 0;
        for (size_t i = 0; i < n_ids; i++) found += listed[i] == token;
        insist(found == 1);
    }
    insist((size_t)n_taken == n_ids);
}

/* Logits of few different values, so that many are equal; now and then one that is no number or has no end. */
static void draw_logits(uint32_t seed, float logits[N_TOKENS]) {
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < N_TOKENS; i++) {
        seed = seed * 1664525u + 1013904223u;
        logits[i] = seed >> 27 == 0 ? odd[(seed >> 20) % 3] : (float)((seed >> 24) % 8) - 4.0f;
    }
}

/* What edged_core.h says of an unscored pick, worked out plainly. */
static edc_status expected_pick(const float *logits, const int32_t *ids, size_t n_ids, edc_choice *choice) {
    if (n_ids == 0) return EDC_NO_LEGAL_TOKEN;
    float second = -INFINITY;
    choice->token = ids[0];
    for (size_t i = 0; i < n_ids; i++) {
        float x = logits[ids[i]];
        if (isnan(x) || x == INFINITY) return EDC_BAD_LOGITS;
        if (x > logits[choice->token] || (x == logits[choice->token] && ids[i] < choice->token)) choice->token = ids[i];
    }
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] != choice->token) second = fmaxf(second, logits[ids[i]]);
    }
    float best = logits[choice->token];
    choice->margin = n_ids == 1 ? INFINITY : best == second ? 0 : best - second;
    return EDC_OK;
}

static int is_scorable(const float *logits) {
    float highest = -INFINITY;
    for (size_t i = 0; i < N_TOKENS; i++) {
        if (isnan(logits[i])) return 0;
        highest = fmaxf(highest, logits[i]);
    }
    return isfinite(highest);
}

static void check_pick(edc_matcher *matcher, uint32_t seed) {
    float logits[N_TOKENS];
    draw_logits(seed, logits);
    const int32_t *ids = NULL;
    size_t n_ids = 0;
    insist(edc_matcher_legal(matcher, &ids, &n_ids) == EDC_OK);
    edc_choice expected = {0};
    edc_status status = expected_pick(logits, ids, n_ids, &expected);
    edc_choice plain = {0};
    edc_choice scored = {0};
    insist(edc_matcher_pick(matcher, logits, N_TOKENS, 0, &plain) == status);
    edc_status scored_status = status == EDC_OK && !is_scorable(logits) ? EDC_BAD_LOGITS : status;
    insist(edc_matcher_pick(matcher, logits, N_TOKENS, 1, &scored) == scored_status);
    if (status != EDC_OK) return;
    insist(plain.token == expected.token && plain.margin == expected.margin && plain.legal_count == n_ids);
    insist(isnan(plain.log_prob) && isnan(plain.log_legal));
    if (scored_status != EDC_OK) return;
    insist(scored.token == plain.token && scored.margin == plain.margin && scored.legal_count == n_ids);
    insist(scored.log_prob <= 0 && scored.log_legal <= 0 && scored.log_prob <= scored.log_legal + 1e-4f);
}

static void follow(edc_matcher *matcher, const uint8_t *text, size_t n_text) {
    for (size_t n = 0; n <= n_text && n < MOST_STEPS; n++) {
        check_forced(matcher);
        check_list(matcher, text, n);
        check_pick(matcher, (uint32_t)n * 251u + (n < n_text ? text[n] : 256u));
        insist(!edc_matcher_is_finished(matcher) || edc_matcher_is_accepting(matcher));
        if (n == n_text || !step(matcher, text[n])) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    size_t n_code = data[1] < size - 2 ? data[1] : size - 2;
    edc_program *program = NULL;
    if (edc_program_new(data + 2, n_code, &program) != EDC_OK) return 0;
    if (edc_program_states(program) <= MOST_STATES) {
        edc_vocab *vocab = small_vocab();
        edc_matcher *matcher = NULL;
        insist(edc_matcher_new(vocab, program, 1 + (size_t)data[0] * 64, &matcher) == EDC_OK);
        follow(matcher, data + 2 + n_code, size - 2 - n_code);
        edc_matcher_free(matcher);
        edc_vocab_free(vocab);
    }
    edc_program_free(program);
    return 0;
}
