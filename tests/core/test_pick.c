/* The pick, and its exponential: the unit is taken in whole, under other names for its public functions. */
#define edc_matcher_pick edc_matcher_pick_of_this_file
#define edc_matcher_step edc_matcher_step_of_this_file
#include "edc_pick.c"
#undef edc_matcher_pick
#undef edc_matcher_step

#include "unit.h"

edc_status edc_matcher_pick(edc_matcher *matcher, const float *logits, size_t n_logits, int scored, edc_choice *out);
int32_t edc_matcher_step(edc_matcher *matcher, uintptr_t logits, size_t n_logits);

static void the_exponential_keeps_its_stated_error(void) {
    double worst = 0;
    for (double x = -87; x <= 0; x += 1e-4) {
        double exact = exp((double)(float)x);
        double error = fabs((double)edc_exp((float)x) - exact) / exact;
        if (error > worst) worst = error;
    }
    CHECK(worst < 3e-7);
    CHECK(edc_exp(0) == 1.0f);
    CHECK(edc_exp(-INFINITY) < 2e-38f);
}

enum { MANY = 5000 };

static void a_long_sum_keeps_its_stated_error(void) {
    static float logits[MANY];
    uint32_t seed = 20261122;
    for (size_t n = 1; n <= MANY; n += 7) {
        double exact = 0;
        for (size_t i = 0; i < n; i++) logits[i] = (float)(next_random(&seed) % 4000) / 100.0f - 20.0f;
        float highest = highest_of(logits, n);
        for (size_t i = 0; i < n; i++) exact += exp((double)logits[i] - (double)highest);
        CHECK(fabs(sum_all(logits, n, highest) - exact) < 1e-5 * exact);
    }
}

static void the_highest_is_found_in_every_place(void) {
    float logits[100];
    for (size_t place = 0; place < 100; place++) {
        for (size_t i = 0; i < 100; i++) logits[i] = -5.0f;
        logits[place] = 2.5f;
        CHECK(highest_of(logits, 100) == 2.5f);
        logits[place] = NAN;
        CHECK(isnan(highest_of(logits, 100)));
    }
}

static void a_pick_says_what_is_wrong(void) {
    const char *tokens[] = {"a", "b", "x"};
    unit_code code = {.length = 0};
    put_class(&code, 'a', 'b');
    edc_vocab *vocab = vocab_of(tokens, 3);
    edc_program *program = program_of(&code);
    edc_matcher *matcher = matcher_of(vocab, program);
    float logits[3] = {1, 3, 7};
    edc_choice choice = {.token = -7};
    CHECK(edc_matcher_pick(matcher, logits, 2, 1, &choice) == EDC_BAD_LOGITS);
    CHECK(edc_matcher_pick(NULL, logits, 3, 1, &choice) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_pick(matcher, NULL, 3, 1, &choice) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_pick(matcher, logits, 3, 1, NULL) == EDC_BAD_ARGUMENT);
    logits[2] = NAN; /* not legal: seen only when scored */
    CHECK(edc_matcher_pick(matcher, logits, 3, 1, &choice) == EDC_BAD_LOGITS);
    CHECK(choice.token == -7);
    CHECK(edc_matcher_pick(matcher, logits, 3, 0, &choice) == EDC_OK);
    CHECK(choice.token == 1 && choice.legal_count == 2 && choice.margin == 2.0f && isnan(choice.log_prob));
    CHECK(fabs((double)choice.log_share + log(1 + exp(-2))) < 1e-6);
    logits[1] = NAN;
    CHECK(edc_matcher_pick(matcher, logits, 3, 0, &choice) == EDC_BAD_LOGITS);
    for (size_t i = 0; i < 3; i++) logits[i] = -INFINITY;
    CHECK(edc_matcher_pick(matcher, logits, 3, 1, &choice) == EDC_BAD_LOGITS);
    CHECK(edc_matcher_advance(matcher, 0) == EDC_OK);
    CHECK(edc_matcher_pick(matcher, logits, 3, 1, &choice) == EDC_NO_LEGAL_TOKEN);
    edc_matcher_free(matcher);
    edc_program_free(program);
    edc_vocab_free(vocab);
}

void pick_tests(void) {
    RUN(the_exponential_keeps_its_stated_error);
    RUN(a_long_sum_keeps_its_stated_error);
    RUN(the_highest_is_found_in_every_place);
    RUN(a_pick_says_what_is_wrong);
}
