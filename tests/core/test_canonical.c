/* Canonical tokens, with a tokenizer that always takes the longest token: rows of its tokens depend on their neighbours
 * just as those of a real one do. */
#include <stdlib.h>

#include "edc_ahead.h"
#include "edc_canonical.h"
#include "unit.h"

enum { A, B, AB, C, ABC, KIT, KITCHEN, CHEN, K, QUOTE, HIGH, MIDDLE, LOW, WHOLE, BLANK, N_TOKENS };
static const char *const TOKENS[N_TOKENS] = {"a",    "b", "ab", "c",    "abc",  "kit",  "kitchen",      "chen",
                                             "k",    "\"", "\xEA", "\xB1", "\xB0", "\xEA\xB1\xB0", " "};

static unsigned n_asked;
static int32_t last_asked[EDC_ROW_TOKENS + 1];
static size_t n_last_asked;

static int32_t longest_at(const char *text) {
    int32_t longest = -1;
    for (int32_t i = 0; i < N_TOKENS; i++) {
        size_t length = strlen(TOKENS[i]);
        if (strncmp(text, TOKENS[i], length) != 0) continue;
        if (longest < 0 || length > strlen(TOKENS[longest])) longest = i;
    }
    return longest;
}

static int takes_the_longest(void *tokenizer, const int32_t *tokens, size_t n_tokens) {
    (void)tokenizer;
    n_asked++;
    n_last_asked = n_tokens;
    memcpy(last_asked, tokens, n_tokens * sizeof *tokens);
    char text[64] = "";
    for (size_t i = 0; i < n_tokens; i++) strcat(text, TOKENS[tokens[i]]);
    const char *at = text;
    for (size_t i = 0; i < n_tokens; i++) {
        if (longest_at(at) != tokens[i]) return 0;
        at += strlen(TOKENS[tokens[i]]);
    }
    return *at == 0;
}

static int refuses_all(void *tokenizer, const int32_t *tokens, size_t n_tokens) {
    (void)tokenizer;
    (void)tokens;
    (void)n_tokens;
    return 0;
}

static int takes_even_right_ones(void *tokenizer, const int32_t *tokens, size_t n_tokens) {
    (void)tokenizer;
    n_asked++;
    return tokens[n_tokens - 1] % 2 == 0;
}

static edc_vocab *vocab;
static edc_program *program;
static edc_canonical *canonical;
static edc_matcher *matcher;

static void begin(const unit_code *code, edc_ask ask, size_t budget) {
    n_asked = 0;
    vocab = vocab_of(TOKENS, N_TOKENS);
    program = program_of(code);
    if (edc_canonical_new(ask, NULL, -1, &canonical) != EDC_OK) abort();
    if (edc_matcher_new_canonical(vocab, program, canonical, budget, &matcher) != EDC_OK) abort();
}

static void begin_with(const char *text, edc_ask ask) {
    unit_code code = {.length = 0};
    put_literal(&code, text);
    begin(&code, ask, 0);
}

static void end(void) {
    edc_matcher_free(matcher);
    edc_canonical_free(canonical);
    edc_program_free(program);
    edc_vocab_free(vocab);
}

static void only_the_tokenizers_own_token_is_legal(void) {
    begin_with("abc", takes_the_longest);
    CHECK(legal_is(matcher, (const int32_t[]){ABC}, 1));
    end();
}

static void a_token_that_leads_to_a_dead_end_is_not_legal(void) {
    unit_code code = {.length = 0};
    put_literal(&code, "kitchen");
    put_literal(&code, "kit");
    put_choice(&code, 2);
    put_literal(&code, "\"");
    put_sequence(&code, 2);
    begin(&code, takes_the_longest, 0);
    CHECK(legal_is(matcher, (const int32_t[]){KIT, KITCHEN}, 2));
    CHECK(edc_matcher_advance(matcher, KIT) == EDC_OK);
    CHECK(legal_is(matcher, (const int32_t[]){QUOTE}, 1)); /* "chen" would have been "kitchen" */
    end();
}

static void a_token_refused_by_what_stood_before_is_legal_behind_another(void) {
    unit_code code = {.length = 0};
    put_class(&code, 'a', 'c');
    put_literal(&code, "b");
    put_sequence(&code, 2);
    begin(&code, takes_the_longest, 0);
    CHECK(legal_is(matcher, (const int32_t[]){AB, B, C}, 3));
    CHECK(edc_matcher_advance(matcher, C) == EDC_OK);
    CHECK(legal_is(matcher, (const int32_t[]){B}, 1));
    end();
}

static void a_circle_counts_as_a_way(void) {
    unit_code code = {.length = 0};
    put_literal(&code, "c");
    put_repeat(&code, 0, 0xFFFF);
    put_literal(&code, "abc");
    put_sequence(&code, 2);
    begin(&code, takes_the_longest, 0);
    CHECK(legal_is(matcher, (const int32_t[]){ABC, C}, 2));
    end();
}

static void all_tokens_stay_legal_where_none_is_canonical(void) {
    begin_with("abc", refuses_all);
    CHECK(legal_is(matcher, (const int32_t[]){A, AB, ABC}, 3));
    end();
}

static void the_tokenizer_is_asked_once_a_pair(void) {
    begin_with("abc\"kitchen", takes_the_longest);
    CHECK(legal_is(matcher, (const int32_t[]){ABC}, 1));
    unsigned n_first = n_asked;
    CHECK(n_first > 0 && edc_canonical_pairs(canonical) == n_first);
    edc_matcher *other = NULL;
    CHECK(edc_matcher_new_canonical(vocab, program, canonical, 0, &other) == EDC_OK);
    CHECK(legal_is(other, (const int32_t[]){ABC}, 1));
    CHECK(n_asked == n_first);
    edc_matcher_free(other);
    end();
}

static void the_token_in_front_is_part_of_the_first_pair(void) {
    unit_code code = {.length = 0};
    put_literal(&code, "chen");
    put_literal(&code, "c");
    put_choice(&code, 2);
    begin(&code, takes_the_longest, 0);
    edc_canonical *behind_kit = NULL;
    edc_matcher *other = NULL;
    CHECK(edc_canonical_new(takes_the_longest, NULL, KIT, &behind_kit) == EDC_OK);
    CHECK(edc_matcher_new_canonical(vocab, program, behind_kit, 0, &other) == EDC_OK);
    CHECK(legal_is(matcher, (const int32_t[]){C, CHEN}, 2));
    CHECK(legal_is(other, (const int32_t[]){C}, 1));
    edc_matcher_free(other);
    edc_canonical_free(behind_kit);
    end();
}

static void parts_of_a_character_are_asked_about_with_what_stood_before(void) {
    begin_with("\"\xEA\xB1\xB0\"", takes_the_longest);
    CHECK(legal_is(matcher, (const int32_t[]){QUOTE}, 1));
    CHECK(edc_matcher_advance(matcher, QUOTE) == EDC_OK);
    CHECK(edc_matcher_advance(matcher, HIGH) == EDC_OK);
    CHECK(edc_matcher_advance(matcher, MIDDLE) == EDC_OK);
    CHECK(!edc_canonical_allows(canonical, matcher->last, LOW));
    CHECK(n_last_asked == 4 && last_asked[0] == QUOTE && last_asked[1] == HIGH && last_asked[3] == LOW);
    end();
}

static void signs_and_blanks_are_kept_until_a_letter(void) {
    begin_with("abc", takes_the_longest);
    uint32_t left = edc_canonical_join(canonical, vocab, ABC, QUOTE);
    CHECK(left == QUOTE); /* a word begins anew behind the letter */
    left = edc_canonical_join(canonical, vocab, left, QUOTE);
    CHECK(left >= EDC_MAX_TOKENS);
    CHECK(edc_canonical_join(canonical, vocab, QUOTE, QUOTE) == left);
    CHECK(edc_canonical_join(canonical, vocab, left, A) == A);
    left = edc_canonical_join(canonical, vocab, A, BLANK); /* which may go to the word behind it */
    CHECK(edc_canonical_allows(canonical, left, QUOTE));
    CHECK(n_last_asked == 3 && last_asked[0] == A && last_asked[1] == BLANK);
    for (int i = 0; i < 20; i++) left = edc_canonical_join(canonical, vocab, left, BLANK);
    CHECK(edc_canonical_join(canonical, vocab, EDC_NONE, A) == A);
    left = QUOTE;
    for (uint32_t i = 0; i < EDC_ROW_TOKENS; i++) left = edc_canonical_join(canonical, vocab, left, QUOTE);
    CHECK(left == EDC_NONE);
    end();
}

static void a_full_memory_of_rows_lets_tokens_pass(void) {
    begin_with("abc", takes_the_longest);
    canonical->n_rows = EDC_ROW_SLOTS / 4 * 3;
    CHECK(edc_canonical_join(canonical, vocab, QUOTE, QUOTE) == EDC_NONE);
    end();
}

static void a_full_memory_of_pairs_is_emptied_and_changes_no_answer(void) {
    begin_with("abc", takes_even_right_ones);
    for (uint32_t i = 0; i < EDC_PAIR_SLOTS; i++) CHECK(edc_canonical_allows(canonical, 1, i) == (i % 2 == 0));
    for (uint32_t i = 0; i < 64; i++) CHECK(edc_canonical_allows(canonical, 1, i) == (i % 2 == 0));
    CHECK(edc_canonical_pairs(canonical) < EDC_PAIR_SLOTS);
    CHECK(n_asked == EDC_PAIR_SLOTS + 64);
    end();
}

static void forced_tokens_stop_at_a_choice_at_acceptance_and_at_capacity(void) {
    unit_code code = {.length = 0};
    put_literal(&code, "abc\"");
    put_literal(&code, "kitchen");
    put_literal(&code, "c");
    put_choice(&code, 2);
    put_literal(&code, "\"abc");
    put_literal(&code, "c");
    put_repeat(&code, 0, 1);
    put_sequence(&code, 4);
    begin(&code, takes_the_longest, 0);
    int32_t tokens[8];
    size_t n = 0;
    CHECK(edc_matcher_forced_tokens(matcher, tokens, 8, &n) == EDC_OK && n == 2);
    CHECK(tokens[0] == ABC && tokens[1] == QUOTE);
    CHECK(edc_matcher_forced_tokens(matcher, tokens, 1, &n) == EDC_OK && n == 1);
    CHECK(edc_matcher_forced_tokens(matcher, NULL, 0, &n) == EDC_OK && n == 0);
    CHECK(legal_is(matcher, (const int32_t[]){ABC}, 1));
    CHECK(edc_matcher_advance(matcher, ABC) == EDC_OK);
    CHECK(edc_matcher_advance(matcher, QUOTE) == EDC_OK);
    CHECK(edc_matcher_advance(matcher, KITCHEN) == EDC_OK);
    CHECK(edc_matcher_forced_tokens(matcher, tokens, 8, &n) == EDC_OK && n == 2 && tokens[1] == ABC);
    end();
}

/* With the smallest arena the look ahead may be given up, and lists be longer; none may lose a token. */
static void a_tiny_arena_loses_no_canonical_token(void) {
    unit_code code = {.length = 0};
    put_class(&code, 'a', 'c');
    put_literal(&code, "kitchen");
    put_literal(&code, "\"");
    put_choice(&code, 3);
    put_repeat(&code, 0, 60);
    begin(&code, takes_the_longest, 1);
    edc_matcher *ample = NULL;
    CHECK(edc_matcher_new_canonical(vocab, program, canonical, 0, &ample) == EDC_OK);
    uint32_t seed = 20261122;
    for (int step = 0; step < 40; step++) {
        const int32_t *ids = NULL;
        const int32_t *tiny_ids = NULL;
        size_t n = 0;
        size_t n_tiny = 0;
        CHECK(edc_matcher_legal(ample, &ids, &n) == EDC_OK && n > 0);
        CHECK(edc_matcher_legal(matcher, &tiny_ids, &n_tiny) == EDC_OK);
        for (size_t i = 0; i < n; i++) {
            size_t k = 0;
            while (k < n_tiny && tiny_ids[k] != ids[i]) k++;
            CHECK(k < n_tiny);
        }
        if (n == 0) break;
        int32_t token = ids[next_random(&seed) % n];
        int32_t forced[8];
        CHECK(edc_matcher_forced_tokens(matcher, forced, 8, &n) == EDC_OK);
        CHECK(edc_matcher_advance(ample, token) == EDC_OK);
        CHECK(edc_matcher_advance(matcher, token) == EDC_OK);
    }
    CHECK(edc_matcher_flushes(ample) == 0);
    CHECK(edc_matcher_flushes(matcher) > 0);
    edc_matcher_free(ample);
    end();
}

static void what_is_missing_is_refused(void) {
    begin_with("abc", takes_the_longest);
    edc_canonical *other = NULL;
    size_t n = 0;
    CHECK(edc_canonical_new(NULL, NULL, -1, &other) == EDC_BAD_ARGUMENT);
    CHECK(edc_canonical_new(takes_the_longest, NULL, INT32_MAX, &other) == EDC_BAD_ARGUMENT);
    CHECK(edc_canonical_new(takes_the_longest, NULL, -1, NULL) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_forced_tokens(NULL, NULL, 0, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_forced_tokens(matcher, NULL, 1, &n) == EDC_BAD_ARGUMENT);
    CHECK(edc_matcher_forced_tokens(matcher, NULL, 0, NULL) == EDC_BAD_ARGUMENT);
    edc_canonical_free(NULL);
    CHECK(edc_canonical_bytes(canonical) > EDC_PAIR_SLOTS * sizeof(uint64_t));
    end();
}

static void a_system_without_memory_is_told_of(void) {
    begin_with("abc", takes_the_longest);
    edc_canonical *other = NULL;
    edc_matcher *another = NULL;
    for (uint32_t n = 0; n < 3; n++) {
        fail_allocation(n);
        CHECK(edc_canonical_new(takes_the_longest, NULL, -1, &other) == EDC_NO_MEMORY && other == NULL);
    }
    edc_status status = EDC_NO_MEMORY;
    for (uint32_t n = 0; n < 7; n++) {
        fail_allocation(n);
        status = edc_matcher_new_canonical(vocab, program, canonical, 0, &another);
        CHECK(status == EDC_NO_MEMORY && another == NULL);
    }
    fail_allocation(UINT32_MAX);
    end();
}

void canonical_tests(void) {
    RUN(only_the_tokenizers_own_token_is_legal);
    RUN(a_token_that_leads_to_a_dead_end_is_not_legal);
    RUN(a_token_refused_by_what_stood_before_is_legal_behind_another);
    RUN(a_circle_counts_as_a_way);
    RUN(all_tokens_stay_legal_where_none_is_canonical);
    RUN(the_tokenizer_is_asked_once_a_pair);
    RUN(the_token_in_front_is_part_of_the_first_pair);
    RUN(parts_of_a_character_are_asked_about_with_what_stood_before);
    RUN(signs_and_blanks_are_kept_until_a_letter);
    RUN(a_full_memory_of_rows_lets_tokens_pass);
    RUN(a_full_memory_of_pairs_is_emptied_and_changes_no_answer);
    RUN(forced_tokens_stop_at_a_choice_at_acceptance_and_at_capacity);
    RUN(a_tiny_arena_loses_no_canonical_token);
    RUN(what_is_missing_is_refused);
    RUN(a_system_without_memory_is_told_of);
}
