/* Status, vocabulary and program. */
#include <stdlib.h>

#include "edc_limits.h"
#include "edc_program.h"
#include "edc_vocab.h"
#include "unit.h"

static void every_status_has_a_text(void) {
    const char *unknown = edc_status_text(-1);
    for (int status = EDC_OK; status <= EDC_BAD_LOGITS; status++) CHECK(strcmp(edc_status_text(status), unknown) != 0);
    CHECK(strcmp(edc_status_text(EDC_BAD_LOGITS + 1), unknown) == 0);
}

void status_tests(void) {
    RUN(every_status_has_a_text);
}

static void a_trie_holds_each_token_where_its_bytes_lead(void) {
    const char *tokens[] = {"b", "", "ab", "a", "ab", "abc", "\xff"};
    edc_vocab *vocab = vocab_of(tokens, 7);
    CHECK(edc_vocab_size(vocab) == 7);
    CHECK(vocab->n_nodes == 6);
    CHECK(vocab->children[1] - vocab->children[0] == 3);
    CHECK(memcmp(vocab->labels, "\0ab\xff" "bc", 6) == 0);
    CHECK(vocab->ends[6] == 6);
    CHECK(vocab->ends[5] - vocab->ends[4] == 2);
    CHECK(vocab->ids[vocab->ends[4]] == 2 && vocab->ids[vocab->ends[4] + 1] == 4);
    edc_vocab_free(vocab);
}

/* Both ways of sorting children: by counting where there are many tokens, by insertion where few. */
static void children_of_a_crowded_node_rise(void) {
    uint8_t bytes[1024];
    uint32_t offsets[513];
    for (uint32_t i = 0; i <= 512; i++) offsets[i] = 2 * i;
    for (uint32_t i = 0; i < 512; i++) {
        bytes[2 * i] = (uint8_t)(i * 37);
        bytes[2 * i + 1] = (uint8_t)(i >> 8);
    }
    edc_vocab *vocab = NULL;
    CHECK(edc_vocab_new(bytes, offsets, 512, &vocab) == EDC_OK);
    if (vocab == NULL) return;
    CHECK(vocab->n_nodes == 1 + 256 + 512);
    for (uint32_t i = 1; i <= 256; i++) CHECK(vocab->labels[i] == i - 1);
    for (uint32_t i = 1; i <= 256; i++) CHECK(vocab->children[i + 1] - vocab->children[i] == 2);
    CHECK(edc_vocab_bytes(vocab) > 1024);
    edc_vocab_free(vocab);
}

static void a_vocabulary_refuses_what_it_cannot_hold(void) {
    edc_vocab *vocab = (edc_vocab *)&vocab;
    uint32_t backwards[3] = {0, 2, 1};
    uint32_t huge[2] = {0, EDC_MAX_VOCAB_BYTES + 1};
    uint32_t some[2] = {0, 1};
    CHECK(edc_vocab_new((const uint8_t *)"ab", backwards, 2, &vocab) == EDC_BAD_OFFSETS && vocab == NULL);
    CHECK(edc_vocab_new((const uint8_t *)"ab", huge, 1, &vocab) == EDC_TOO_LARGE);
    CHECK(edc_vocab_new((const uint8_t *)"ab", some, EDC_MAX_TOKENS + 1, &vocab) == EDC_TOO_LARGE);
    CHECK(edc_vocab_new(NULL, some, 1, &vocab) == EDC_BAD_ARGUMENT);
    CHECK(edc_vocab_new((const uint8_t *)"a", NULL, 1, &vocab) == EDC_BAD_ARGUMENT);
    CHECK(edc_vocab_new((const uint8_t *)"a", some, 1, NULL) == EDC_BAD_ARGUMENT);
    edc_vocab_free(NULL);
}

void vocab_tests(void) {
    RUN(a_trie_holds_each_token_where_its_bytes_lead);
    RUN(children_of_a_crowded_node_rise);
    RUN(a_vocabulary_refuses_what_it_cannot_hold);
}

static size_t states_of(const unit_code *code) {
    edc_program *program = program_of(code);
    size_t n = edc_program_states(program);
    CHECK(edc_program_bytes(program) >= n * sizeof(edc_state));
    edc_program_free(program);
    return n;
}

static void a_program_keeps_only_states_that_count(void) {
    unit_code literal = {.length = 0};
    put_literal(&literal, "abc");
    CHECK(states_of(&literal) == 4);

    unit_code dead_way = literal;
    put_literal(&dead_way, "x");
    put_choice(&dead_way, 0);
    put_sequence(&dead_way, 2);
    put_choice(&dead_way, 2);
    CHECK(states_of(&dead_way) == 4);

    unit_code nothing = literal;
    put_class(&nothing, 1, 0);
    put_sequence(&nothing, 2);
    CHECK(states_of(&nothing) == 0);

    unit_code only_empty = {.length = 0};
    put_choice(&only_empty, 0);
    put_repeat(&only_empty, 0, 0xFFFF);
    CHECK(states_of(&only_empty) == 1);
}

static void a_repeat_takes_a_copy_for_each_time(void) {
    static const uint32_t bounds[][3] = {{0, 0, 1}, {1, 1, 3}, {3, 3, 7}, {0, 2, 7}, {0, 0xFFFF, 4}, {2, 0xFFFF, 6}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        unit_code repeated = {.length = 0};
        put_literal(&repeated, "ab");
        put_repeat(&repeated, bounds[i][0], bounds[i][1]);
        CHECK(states_of(&repeated) == bounds[i][2]);
    }
}

static edc_status status_of(const void *bytes, size_t length) {
    edc_program *program = NULL;
    edc_status status = edc_program_new(bytes, length, &program);
    CHECK((status == EDC_OK) == (program != NULL));
    edc_program_free(program);
    return status;
}

static void malformed_code_is_refused(void) {
    CHECK(status_of("", 0) == EDC_BAD_CODE);
    CHECK(status_of("\0", 1) == EDC_BAD_CODE);
    CHECK(status_of("\6\0\0", 3) == EDC_BAD_CODE);
    CHECK(status_of("\3\1\0", 3) == EDC_BAD_CODE);
    CHECK(status_of("\4\1\0", 3) == EDC_BAD_CODE);
    CHECK(status_of("\5\0\0\0\0", 5) == EDC_BAD_CODE);
    CHECK(status_of("\3\0\0\3\0\0", 6) == EDC_BAD_CODE);
    CHECK(status_of("\3\0\0\5\2\0\1\0", 8) == EDC_BAD_CODE);
    CHECK(status_of("\3\0\0\5\xff\xff\xff\xff", 8) == EDC_BAD_CODE);
    CHECK(status_of("\3\0\0", 3) == EDC_OK);
    edc_program *program = NULL;
    CHECK(edc_program_new(NULL, 1, &program) == EDC_BAD_ARGUMENT);
    CHECK(edc_program_new((const uint8_t *)"", 0, NULL) == EDC_BAD_ARGUMENT);
    edc_program_free(NULL);
}

static void code_cut_short_anywhere_is_refused(void) {
    unit_code whole = {.length = 0};
    put_literal(&whole, "ab");
    put_class(&whole, 'a', 'z');
    put_repeat(&whole, 1, 2);
    put_sequence(&whole, 2);
    CHECK(status_of(whole.bytes, whole.length) == EDC_OK);
    /* Cut behind the first operand alone, what is left is a whole program. */
    for (size_t n = 0; n < whole.length; n++) CHECK((status_of(whole.bytes, n) == EDC_OK) == (n == 5));
}

static void costs_are_bounded(void) {
    unit_code bomb = {.length = 0};
    put_literal(&bomb, "a");
    for (int i = 0; i < 9; i++) put_repeat(&bomb, 0xFFFE, 0xFFFE);
    CHECK(status_of(bomb.bytes, bomb.length) == EDC_TOO_MANY_STATES);

    size_t length = 3 * ((size_t)EDC_MAX_OPERANDS + 1);
    uint8_t *deep = calloc(length, 1);
    if (deep == NULL) abort();
    for (size_t i = 0; i < length; i += 3) deep[i] = 3;
    CHECK(status_of(deep, length) == EDC_TOO_DEEP);
    free(deep);
    CHECK(status_of(&bomb, EDC_MAX_CODE_BYTES + 1) == EDC_TOO_LARGE);
}

void program_tests(void) {
    RUN(a_program_keeps_only_states_that_count);
    RUN(a_repeat_takes_a_copy_for_each_time);
    RUN(malformed_code_is_refused);
    RUN(code_cut_short_anywhere_is_refused);
    RUN(costs_are_bounded);
}
