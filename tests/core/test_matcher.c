#include "edc_limits.h"
#include "edc_states.h"
#include "unit.h"

static const char *const TOKENS[] = {"", "a", "b", "ab", "abc", "c", "ab", "\"", "\"o", "on", "n\"", "}"};
enum { N_TOKENS = sizeof TOKENS / sizeof *TOKENS };

static edc_vocab *vocab;
static edc_program *program;
static edc_matcher *matcher;

static void begin(const unit_code *code) {
    vocab = vocab_of(TOKENS, N_TOKENS);
    program = program_of(code);
    matcher = matcher_of(vocab, program);
}

static void end(void) {
    edc_matcher_free(matcher);
    edc_program_free(program);
    edc_vocab_free(vocab);
}

static void begin_quoted_on(void) {
    unit_code code = {.length = 0};
    put_literal(&code, "\"on\"");
    begin(&code);
}

static void a_walk_ends_at_acceptance(void) {
    begin_quoted_on();
    CHECK(legal_is(matcher, (const int32_t[]){7, 8}, 2));
    CHECK(edc_matcher_advance(matcher, 8) == EDC_OK);
    CHECK(!edc_matcher_is_accepting(matcher));
    CHECK(legal_is(matcher, (const int32_t[]){10}, 1));
    CHECK(edc_matcher_advance(matcher, 10) == EDC_OK);
    CHECK(edc_matcher_is_accepting(matcher) && edc_matcher_is_finished(matcher));
    CHECK(legal_is(matcher, NULL, 0));
    edc_matcher_reset(matcher);
    CHECK(legal_is(matcher, (const int32_t[]){7, 8}, 2));
    end();
}

static void a_refused_token_moves_nothing(void) {
    begin_quoted_on();
    static const int32_t refused[] = {-1, INT32_MIN, INT32_MAX, N_TOKENS, 0, 1, 9};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK(edc_matcher_advance(matcher, refused[i]) == EDC_ILLEGAL_TOKEN);
    }
    CHECK(edc_matcher_advance_bytes(matcher, (const uint8_t *)"\"ox", 3) == EDC_ILLEGAL_BYTE);
    CHECK(legal_is(matcher, (const int32_t[]){7, 8}, 2));
    CHECK(edc_matcher_advance_bytes(matcher, NULL, 0) == EDC_OK);
    end();
}

static void forced_bytes_stop_at_a_choice_at_acceptance_and_at_capacity(void) {
    unit_code code = {.length = 0};
    put_literal(&code, "ab");
    put_class(&code, '0', '1');
    put_literal(&code, "c");
    put_literal(&code, "d");
    put_repeat(&code, 0, 1);
    put_sequence(&code, 4);
    begin(&code);
    uint8_t buffer[8];
    size_t n = 0;
    CHECK(edc_matcher_forced(matcher, buffer, sizeof buffer, &n) == EDC_OK && n == 2 && memcmp(buffer, "ab", 2) == 0);
    CHECK(edc_matcher_forced(matcher, buffer, 1, &n) == EDC_OK && n == 1);
    CHECK(edc_matcher_forced(matcher, NULL, 0, &n) == EDC_OK && n == 0);
    CHECK(edc_matcher_advance_bytes(matcher, (const uint8_t *)"ab1", 3) == EDC_OK);
    CHECK(edc_matcher_forced(matcher, buffer, sizeof buffer, &n) == EDC_OK && n == 1 && buffer[0] == 'c');
    end();
}

static void next_bytes_cover_both_ends_of_the_range(void) {
    unit_code code = {.length = 0};
    put_class(&code, 0, 3);
    put_class(&code, 252, 255);
    put_class(&code, 2, 9);
    put_choice(&code, 3);
    begin(&code);
    uint8_t bitmap[32];
    CHECK(edc_matcher_next_bytes(matcher, bitmap) == EDC_OK);
    CHECK(bitmap[0] == 0xFF && bitmap[1] == 0x03 && bitmap[31] == 0xF0);
    for (size_t i = 2; i < 31; i++) CHECK(bitmap[i] == 0);
    end();
}

static void a_ready_list_is_kept(void) {
    begin_quoted_on();
    const int32_t *first = NULL;
    const int32_t *second = NULL;
    size_t n = 0;
    CHECK(edc_matcher_legal(matcher, &first, &n) == EDC_OK);
    CHECK(edc_matcher_legal(matcher, &second, &n) == EDC_OK);
    CHECK(first == second);
    end();
}

static void marks_survive_the_wrap_of_their_counter(void) {
    begin_quoted_on();
    matcher->mark = UINT32_MAX - 1;
    CHECK(edc_matcher_advance_bytes(matcher, (const uint8_t *)"\"on\"", 4) == EDC_OK);
    CHECK(edc_matcher_is_finished(matcher));
    CHECK(matcher->mark < 16);
    end();
}

/* The arena counts as full, so that the next step empties it: the matcher's own state and the one stepped from must
 * both be what they were, whichever lies lower, and so must the step's result. */
static void check_full_step(uint32_t n_current, uint32_t n_other) {
    static const uint8_t text[] = "abcdef";
    unit_code code = {.length = 0};
    put_literal(&code, (const char *)text);
    begin(&code);
    uint32_t states[7] = {matcher->current};
    for (uint32_t i = 0; i < 6; i++) states[i + 1] = edc_states_step(matcher, &states[i], text[i]);
    matcher->current = states[n_current];
    uint32_t other = states[n_other];
    edc_states_expand(matcher, &other);
    matcher->words[matcher->words[other + D_RUNS_AT] + 1] = 0; /* forgotten: where the run leads, and every name */
    memset(matcher->table, 0, matcher->n_slots * sizeof *matcher->table);
    matcher->used = matcher->n_words;
    uint32_t next = edc_states_step(matcher, &other, text[n_other]);
    CHECK(edc_matcher_flushes(matcher) == 1);
    CHECK((other == matcher->current) == (n_other == n_current));
    CHECK(edc_states_step(matcher, &other, text[n_other]) == next);
    for (uint32_t i = n_other + 1; i < 6 && next != 0; i++) next = edc_states_step(matcher, &next, text[i]);
    CHECK(next != 0 && matcher->words[next + D_ACCEPT] == 1);
    CHECK(edc_matcher_advance_bytes(matcher, text + n_current, 6 - n_current) == EDC_OK);
    CHECK(edc_matcher_is_finished(matcher));
    end();
}

static void a_full_arena_keeps_the_two_states_in_use(void) {
    for (uint32_t n_current = 0; n_current < 6; n_current++) {
        for (uint32_t n_other = 0; n_other < 6; n_other++) {
            /* A step to the current state would have found it, had its name not been wiped. */
            if (n_current != n_other + 1) check_full_step(n_current, n_other);
        }
    }
}

static void null_pointers_are_refused(void) {
    begin_quoted_on();
    const int32_t *ids = NULL;
    size_t n = 0;
    uint8_t buffer[32];
    edc_matcher *other = NULL;
    CHECK(edc_matcher_new(NULL, program, 0, &other) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_new(vocab, NULL, 0, &other) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_new(vocab, program, 0, NULL) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_new(vocab, program, EDC_MAX_BUDGET_BYTES + 1, &other) == EDC_TOO_LARGE);
    CHECK(edc_matcher_legal(NULL, &ids, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_legal(matcher, NULL, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_legal(matcher, &ids, NULL) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_advance(NULL, 0) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_advance_bytes(NULL, buffer, 1) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_advance_bytes(matcher, NULL, 1) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_next_bytes(NULL, buffer) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_next_bytes(matcher, NULL) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_forced(NULL, buffer, 32, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_forced(matcher, NULL, 32, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_forced(matcher, buffer, 32, NULL) == EDC_BAD_ARGUMENT);
    edc_matcher_free(NULL);
    end();
}

static void the_size_that_is_told_covers_the_arena(void) {
    begin_quoted_on();
    CHECK(edc_matcher_bytes(matcher) > EDC_DEFAULT_BUDGET_BYTES);
    CHECK(edc_matcher_flushes(matcher) == 0);
    end();
}

/* More states than a table has places for at first: each is found again in the larger one. */
static void a_table_that_is_full_is_enlarged(void) {
    enum { LENGTH = 3000 };
    static uint8_t text[LENGTH + 1];
    memset(text, 'a', LENGTH);
    unit_code code = {.length = 0};
    put_literal(&code, (const char *)text);
    begin(&code);
    uint32_t n_slots = matcher->n_slots;
    size_t n_used = edc_matcher_used(matcher);
    CHECK(edc_matcher_advance_bytes(matcher, text, LENGTH) == EDC_OK && edc_matcher_is_finished(matcher));
    CHECK(matcher->n_slots > n_slots && matcher->n_states == LENGTH + 1);
    CHECK(edc_matcher_used(matcher) > n_used + (size_t)LENGTH * (D_SET + 1) * sizeof(uint32_t));
    CHECK(edc_matcher_used(matcher) < edc_matcher_bytes(matcher));
    n_used = edc_matcher_used(matcher);
    edc_matcher_reset(matcher);
    CHECK(edc_matcher_advance_bytes(matcher, text, LENGTH) == EDC_OK && edc_matcher_is_finished(matcher));
    CHECK(edc_matcher_used(matcher) == n_used && edc_matcher_flushes(matcher) == 0);
    end();
}

void matcher_tests(void) {
    RUN(a_walk_ends_at_acceptance);
    RUN(a_refused_token_moves_nothing);
    RUN(forced_bytes_stop_at_a_choice_at_acceptance_and_at_capacity);
    RUN(next_bytes_cover_both_ends_of_the_range);
    RUN(a_ready_list_is_kept);
    RUN(marks_survive_the_wrap_of_their_counter);
    RUN(a_full_arena_keeps_the_two_states_in_use);
    RUN(null_pointers_are_refused);
    RUN(the_size_that_is_told_covers_the_arena);
    RUN(a_table_that_is_full_is_enlarged);
}
