/* What takes more than one pick: a step, a draft held against rows, and a draw. The sampler is taken in whole for its
 * random numbers, under another name for its one public function. */
#define edc_matcher_sample edc_matcher_sample_of_this_file
#include "edc_sample.c"
#undef edc_matcher_sample

#include "unit.h"

edc_status edc_matcher_sample(edc_matcher *matcher, const float *logits, size_t n_logits, float temperature,
                              uint64_t *state, edc_choice *out);

static const char *const TOKENS[] = {"a", "b", "c", "ab", "x"};
enum { N_TOKENS = sizeof TOKENS / sizeof *TOKENS };

static edc_vocab *vocab;
static edc_program *program;
static edc_matcher *matcher;

/* Two letters of a to c, and then an x. */
static void begin(void) {
    unit_code code = {.length = 0};
    put_class(&code, 'a', 'c');
    put_repeat(&code, 2, 2);
    put_literal(&code, "x");
    put_sequence(&code, 2);
    vocab = vocab_of(TOKENS, N_TOKENS);
    program = program_of(&code);
    matcher = matcher_of(vocab, program);
}

static void end(void) {
    edc_matcher_free(matcher);
    edc_program_free(program);
    edc_vocab_free(vocab);
}

static int32_t step(const float *logits) {
    return edc_matcher_step(matcher, (uintptr_t)logits, N_TOKENS);
}

static void a_step_picks_and_moves(void) {
    begin();
    CHECK(step((const float[]){1, 3, 2, 0, 9}) == 1);
    CHECK(legal_is(matcher, (const int32_t[]){0, 1, 2}, 3));
    CHECK(step((const float[]){1, 0, 1, 9, 9}) == 0);
    CHECK(step((const float[]){9, 9, 9, 9, -5}) == 4);
    CHECK(edc_matcher_is_finished(matcher));
    end();
}

static void a_step_that_fails_does_not_move(void) {
    begin();
    const float logits[N_TOKENS] = {1, NAN, 2, 0, 9};
    CHECK(step(logits) == -EDC_BAD_LOGITS);
    CHECK(step(NULL) == -EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_step(NULL, (uintptr_t)logits, N_TOKENS) == -EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_step(matcher, (uintptr_t)logits, N_TOKENS - 1) == -EDC_BAD_LOGITS);
    CHECK(legal_is(matcher, (const int32_t[]){0, 1, 2, 3}, 4));
    CHECK(edc_matcher_advance_bytes(matcher, (const uint8_t *)"abx", 3) == EDC_OK);
    CHECK(step((const float[]){1, 1, 2, 0, 9}) == -EDC_NO_LEGAL_TOKEN);
    end();
}

/* Rows that want a, b and x. */
static const float ROW_A[N_TOKENS] = {3, 1, 0, 2, 9};
static const float ROW_B[N_TOKENS] = {1, 3, 0, 9, 9};
static const float ROW_X[N_TOKENS] = {9, 9, 9, 9, 1};
static const float ROW_BAD[N_TOKENS] = {NAN, NAN, NAN, NAN, NAN};
static const float *const ROWS[4] = {ROW_A, ROW_B, ROW_X, ROW_BAD};

static edc_choice choices[4];

static size_t verify(size_t n_rows, int32_t first, int32_t second, int32_t third) {
    const int32_t draft[3] = {first, second, third};
    size_t n = 99;
    edc_matcher_reset(matcher);
    CHECK(edc_matcher_verify(matcher, ROWS, n_rows, N_TOKENS, draft, 1, choices, &n) == EDC_OK);
    return n;
}

static void a_draft_is_taken_as_far_as_it_is_right(void) {
    begin();
    CHECK(verify(3, 0, 1, -1) == 3);
    CHECK(choices[0].token == 0 && choices[1].token == 1 && choices[2].token == 4);
    CHECK(legal_is(matcher, (const int32_t[]){4}, 1));
    CHECK(choices[0].legal_count == 4 && choices[0].margin == 1.0f && choices[0].log_prob < 0);
    CHECK(verify(3, 0, 2, -1) == 2);
    CHECK(choices[1].token == 1);
    CHECK(legal_is(matcher, (const int32_t[]){0, 1, 2}, 3));
    CHECK(verify(3, 4, 1, -1) == 1); /* the draft's first token is not even legal */
    CHECK(legal_is(matcher, (const int32_t[]){0, 1, 2, 3}, 4));
    CHECK(verify(1, -1, -1, -1) == 1);
    CHECK(verify(3, INT32_MAX, INT32_MIN, -1) == 1);
    end();
}

static void a_draft_stops_where_the_text_is_complete(void) {
    begin();
    CHECK(verify(4, 0, 1, 4) == 3); /* the fourth row is not looked at */
    CHECK(choices[2].token == 4 && !edc_matcher_is_finished(matcher));
    CHECK(edc_matcher_advance(matcher, 4) == EDC_OK && edc_matcher_is_finished(matcher));
    end();
}

static void a_bad_row_leaves_the_matcher_behind_what_was_right(void) {
    begin();
    const float *const rows[2] = {ROW_A, ROW_BAD};
    size_t n = 99;
    CHECK(edc_matcher_verify(matcher, rows, 2, N_TOKENS, (const int32_t[]){0}, 0, choices, &n) == EDC_BAD_LOGITS);
    CHECK(n == 1 && choices[0].token == 0);
    CHECK(legal_is(matcher, (const int32_t[]){0, 1, 2}, 3));
    end();
}

static void a_draft_without_what_it_needs_is_refused(void) {
    begin();
    size_t n = 99;
    const int32_t draft[1] = {0};
    const float *const rows[2] = {ROW_A, NULL};
    CHECK(edc_matcher_verify(matcher, ROWS, 2, N_TOKENS, draft, 0, choices, NULL) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_verify(NULL, ROWS, 2, N_TOKENS, draft, 0, choices, &n) == EDC_BAD_ARGUMENT && n == 0);
    CHECK(edc_matcher_verify(matcher, NULL, 2, N_TOKENS, draft, 0, choices, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_verify(matcher, ROWS, 0, N_TOKENS, draft, 0, choices, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_verify(matcher, ROWS, 2, N_TOKENS, NULL, 0, choices, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_verify(matcher, ROWS, 2, N_TOKENS, draft, 0, NULL, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_verify(matcher, ROWS, 2, N_TOKENS - 1, draft, 0, choices, &n) == EDC_BAD_LOGITS);
    CHECK(edc_matcher_verify(matcher, rows, 2, N_TOKENS, draft, 0, choices, &n) == EDC_BAD_ARGUMENT && n == 1);
    CHECK(edc_matcher_verify(matcher, ROWS, 1, N_TOKENS, NULL, 0, choices, &n) == EDC_OK && n == 1);
    end();
}

/* The first numbers that Vigna's public-domain splitmix64.c gives for this seed. */
static void random_numbers_are_those_of_the_published_generator(void) {
    uint64_t state = 1234567;
    CHECK(next_number(&state) == 6457827717110365317u);
    CHECK(next_number(&state) == 3203168211198807973u);
    CHECK(next_number(&state) == 9817491932198370423u);
}

static edc_choice sample(const float *logits, float temperature, uint64_t *state) {
    edc_choice choice = {.token = -7};
    CHECK(edc_matcher_sample(matcher, logits, N_TOKENS, temperature, state, &choice) == EDC_OK);
    return choice;
}

static void a_draw_knows_what_it_drew(void) {
    begin();
    const float logits[N_TOKENS] = {1, 2, 1.5f, -INFINITY, 9};
    uint64_t state = 5;
    uint32_t seen[N_TOKENS] = {0};
    double sum = exp(-1) + 1 + exp(-0.5);
    for (int i = 0; i < 300; i++) {
        edc_choice choice = sample(logits, 1, &state);
        seen[choice.token]++;
        CHECK(fabs((double)choice.log_share - ((double)logits[choice.token] - 2 - log(sum))) < 1e-5);
        CHECK(choice.margin == (choice.token == 1 ? 0.5f : logits[choice.token] - 2));
        CHECK(choice.legal_count == 4 && isnan(choice.log_prob) && isnan(choice.log_legal));
    }
    CHECK(seen[0] > 20 && seen[1] > 100 && seen[2] > 40 && seen[3] == 0 && seen[4] == 0);
    CHECK(legal_is(matcher, (const int32_t[]){0, 1, 2, 3}, 4));
    end();
}

static void a_draw_without_heat_is_the_pick(void) {
    begin();
    uint64_t state = 5;
    CHECK(sample((const float[]){1, 2, 2, 0, 9}, 0, &state).token == 1 && state == 5);
    const float ruled_out[N_TOKENS] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY, 9};
    edc_choice choice = sample(ruled_out, 1, &state);
    CHECK(choice.token == 0 && state == 5 && choice.log_share == -INFINITY && choice.margin == 0);
    CHECK(sample((const float[]){1, 2, 0, 0, 9}, 1e-42f, &state).token == 1 && state != 5);
    end();
}

/* The generator's state before the one that gives 0: the very first weight above nothing is drawn. */
static void a_token_that_the_logits_rule_out_is_never_drawn(void) {
    begin();
    uint64_t state = 0 - 0x9E3779B97F4A7C15u;
    CHECK(sample((const float[]){-INFINITY, 5, -100, -INFINITY, 9}, 1, &state).token == 1 && state == 0);
    end();
}

static void a_draw_with_endless_heat_is_even(void) {
    begin();
    uint64_t state = 5;
    uint32_t seen[N_TOKENS] = {0};
    for (int i = 0; i < 400; i++) seen[sample((const float[]){1, 60, 0, -60, 9}, FLT_MAX, &state).token]++;
    for (size_t i = 0; i < 4; i++) CHECK(seen[i] > 70);
    CHECK(seen[4] == 0);
    end();
}

static void a_draw_that_cannot_be_made_is_refused(void) {
    begin();
    edc_choice choice = {.token = -7};
    uint64_t state = 5;
    const float temperatures[] = {NAN, -1, -INFINITY, INFINITY, -1e-30f};
    for (size_t i = 0; i < sizeof temperatures / sizeof *temperatures; i++) {
        CHECK(edc_matcher_sample(matcher, ROW_A, N_TOKENS, temperatures[i], &state, &choice) == EDC_BAD_TEMPERATURE);
    }
    CHECK(edc_matcher_sample(NULL, ROW_A, N_TOKENS, 1, &state, &choice) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_sample(matcher, NULL, N_TOKENS, 1, &state, &choice) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_sample(matcher, ROW_A, N_TOKENS, 1, NULL, &choice) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_sample(matcher, ROW_A, N_TOKENS, 1, &state, NULL) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_sample(matcher, ROW_A, 3, 1, &state, &choice) == EDC_BAD_LOGITS);
    CHECK(edc_matcher_sample(matcher, ROW_BAD, N_TOKENS, 1, &state, &choice) == EDC_BAD_LOGITS);
    CHECK(choice.token == -7 && state == 5);
    end();
}

void step_tests(void) {
    RUN(a_step_picks_and_moves);
    RUN(a_step_that_fails_does_not_move);
    RUN(a_draft_is_taken_as_far_as_it_is_right);
    RUN(a_draft_stops_where_the_text_is_complete);
    RUN(a_bad_row_leaves_the_matcher_behind_what_was_right);
    RUN(a_draft_without_what_it_needs_is_refused);
    RUN(random_numbers_are_those_of_the_published_generator);
    RUN(a_draw_knows_what_it_drew);
    RUN(a_draw_without_heat_is_the_pick);
    RUN(a_token_that_the_logits_rule_out_is_never_drawn);
    RUN(a_draw_with_endless_heat_is_even);
    RUN(a_draw_that_cannot_be_made_is_refused);
}
