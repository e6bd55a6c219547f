/* Status, vocabulary and program. */
#include <stdlib.h>

#include "edc_limits.h"
#include "edc_program.h"
#include "edc_vocab.h"
#include "unit.h"

static void every_status_has_a_text(void) {
    const char *unknown = edc_status_text(-1);
    const int last = EDC_BAD_TEMPERATURE;
    for (int status = EDC_OK; status <= last; status++) CHECK(strcmp(edc_status_text(status), unknown) != 0);
    CHECK(strcmp(edc_status_text(last + 1), unknown) == 0);
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

/* "ab" and "cb" share the state before "b". Edges with the same ends come in any order. */
static const unit_edge SHARED[] = {{0, 'c', 'c', 1}, {0, 'a', 'a', 1}, {1, 'b', 'b', 2}};

static void a_graph_keeps_its_states_shared(void) {
    unit_code code = {.length = 0};
    put_graph(&code, 3, 1u << 2, SHARED, 3);
    edc_program *program = program_of(&code);
    CHECK(program->n_states == 3 && program->n_classes == 1);
    CHECK(edc_kind_of(program->states[0]) == EDC_CLASS && edc_kind_of(program->states[1]) == EDC_BYTE);
    CHECK(edc_arg_of(program->states[1]) == 'b' && edc_kind_of(program->states[2]) == EDC_ACCEPT);
    edc_program_free(program);
}

static void edges_from_different_states_stay_apart(void) {
    static const unit_edge edges[] = {{0, 'a', 'a', 7}, {7, 'b', 'b', 7}};
    unit_code code = {.length = 0};
    put_graph(&code, 8, 1u << 7, edges, 2);
    edc_program *program = program_of(&code);
    CHECK(program->n_states == 4 && program->n_classes == 0);
    CHECK(edc_kind_of(program->states[0]) == EDC_BYTE && edc_arg_of(program->states[0]) == 'a');
    CHECK(edc_kind_of(program->states[1]) == EDC_SPLIT);
    edc_program_free(program);
}

static void edges_of_the_same_bytes_share_a_class(void) {
    static const unit_edge edges[] = {
        {0, 0, 255, 1}, {1, '0', '9', 0}, {1, 0, 63, 2}, {1, 64, 255, 2}, {2, '0', '9', 0},
    };
    unit_code code = {.length = 0};
    put_graph(&code, 3, 1, edges, 5);
    put_class(&code, '0', '9');
    put_sequence(&code, 2);
    edc_program *program = program_of(&code);
    CHECK(program->n_classes == 2);
    edc_program_free(program);
}

static void different_classes_are_never_taken_for_each_other(void) {
    unit_code code = {.length = 0};
    uint32_t n = 0;
    for (uint32_t low = 0; low < 10; low++) {
        for (uint32_t high = low + 1; high < 11; high++, n++) put_class(&code, low, high);
    }
    put_choice(&code, n);
    put_repeat(&code, 0, 3);
    edc_program *program = program_of(&code);
    CHECK(program->n_classes == n);
    for (uint32_t i = 0; i < program->n_states; i++) {
        if (edc_kind_of(program->states[i]) == EDC_CLASS) CHECK(edc_arg_of(program->states[i]) < n);
    }
    edc_program_free(program);
}

static void a_graph_is_pruned_like_all_else(void) {
    static const unit_edge edges[] = {{0, 'a', 'a', 1}, {0, 'b', 'b', 2}, {1, 'a', 'a', 1}, {3, 'a', 'a', 0}};
    unit_code blind = {.length = 0};
    put_graph(&blind, 4, 1u << 2, edges, 4);
    CHECK(states_of(&blind) == 2);
    unit_code nothing = {.length = 0};
    put_graph(&nothing, 4, 1u << 3, edges, 4);
    CHECK(states_of(&nothing) == 0);
    unit_code only_empty = {.length = 0};
    put_graph(&only_empty, 1, 1, NULL, 0);
    CHECK(states_of(&only_empty) == 1);
}

/* A start that is accepting and can be come back to, repeated: the worst that free moves can be. */
static void a_graph_can_be_repeated(void) {
    static const unit_edge edges[] = {{0, 'a', 'a', 0}, {0, 'b', 'b', 1}, {1, 'c', 'c', 0}};
    static const uint32_t bounds[][2] = {{0, 0}, {0, 1}, {2, 2}, {1, 3}, {0, 0xFFFF}, {2, 0xFFFF}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        unit_code code = {.length = 0};
        put_literal(&code, "");
        put_graph(&code, 2, 1, edges, 3);
        put_repeat(&code, bounds[i][0], bounds[i][1]);
        put_literal(&code, "d");
        put_sequence(&code, 3);
        edc_vocab *vocab = vocab_of((const char *const[]){"aabca", "bcd", "d", "ba"}, 4);
        edc_program *program = program_of(&code);
        edc_matcher *matcher = matcher_of(vocab, program);
        if (bounds[i][1] > 0) {
            CHECK(legal_is(matcher, (const int32_t[]){0, 1, 2}, 3));
            CHECK(edc_matcher_advance(matcher, 0) == EDC_OK && edc_matcher_advance(matcher, 1) == EDC_OK);
            CHECK(edc_matcher_is_finished(matcher));
        } else {
            CHECK(legal_is(matcher, (const int32_t[]){2}, 1));
        }
        edc_matcher_free(matcher);
        edc_program_free(program);
        edc_vocab_free(vocab);
    }
}

static edc_status graph_status(uint32_t n_states, uint32_t accepting, const unit_edge *edges, uint32_t n_edges) {
    unit_code code = {.length = 0};
    put_graph(&code, n_states, accepting, edges, n_edges);
    return status_of(code.bytes, code.length);
}

static void a_malformed_graph_is_refused(void) {
    CHECK(graph_status(0, 0, NULL, 0) == EDC_BAD_CODE);
    CHECK(graph_status(3, 1u << 3, NULL, 0) == EDC_BAD_CODE);
    CHECK(graph_status(8, 1u << 7, NULL, 0) == EDC_OK);
    CHECK(graph_status(9, 1u << 9, NULL, 0) == EDC_BAD_CODE);
    CHECK(graph_status(2, 1, &(unit_edge){0, 'b', 'a', 1}, 1) == EDC_BAD_CODE);
    CHECK(graph_status(2, 1, &(unit_edge){2, 'a', 'a', 1}, 1) == EDC_BAD_CODE);
    CHECK(graph_status(2, 1, &(unit_edge){1, 'a', 'a', 2}, 1) == EDC_BAD_CODE);
    CHECK(graph_status(2, 1, &(unit_edge){1, 'a', 'a', 0xFFFF}, 1) == EDC_BAD_CODE);
    CHECK(graph_status(2, 1, (const unit_edge[]){{1, 'a', 'a', 0}, {0, 'a', 'a', 0}}, 2) == EDC_BAD_CODE);
    CHECK(graph_status(2, 1, (const unit_edge[]){{1, 'a', 'a', 1}, {1, 'a', 'a', 0}}, 2) == EDC_BAD_CODE);
    CHECK(graph_status(2, 1, (const unit_edge[]){{1, 'a', 'a', 1}, {1, 'a', 'a', 1}}, 2) == EDC_OK);
    CHECK(graph_status(2, 1, (const unit_edge[]){{0, 'a', 'a', 1}, {1, 'a', 'a', 0}}, 2) == EDC_OK);
    CHECK(graph_status(8, 1, (const unit_edge[]){{1, 'a', 'a', 1}}, 1) == EDC_OK);
    CHECK(status_of("\6\1\0\xff\xff\xff\xff\1", 8) == EDC_TRUNCATED_CODE);
    CHECK(status_of("\6\1\0\0\0\1\0\1", 8) == EDC_TRUNCATED_CODE);
}

/* Code of words in \0, or of digits; the program of it alone. */
static edc_program *program_of_words(const char *texts, uint8_t length) {
    unit_code code = {.length = 0};
    memcpy(code.bytes, (const uint8_t[]){7, length, 0, 0, 0}, 5);
    memcpy(code.bytes + 5, texts, length);
    code.length = 5 + (size_t)length;
    return program_of(&code);
}

/* "on", "off" and "offer": o, a split, n, f, f, a split, e, r and the end. */
static void words_share_what_they_begin_with(void) {
    edc_program *program = program_of_words("off\0offer\0on", 12);
    CHECK(program->n_states == 9 && edc_kind_of(program->states[0]) == EDC_BYTE);
    edc_program_free(program);
    program = program_of_words("", 0);
    CHECK(program->n_states == 1 && edc_kind_of(program->states[0]) == EDC_ACCEPT);
    edc_program_free(program);
    program = program_of_words("a\0\0a", 4);
    edc_vocab *vocab = vocab_of((const char *[]){"a", "aa"}, 2);
    edc_matcher *matcher = NULL;
    CHECK(edc_matcher_new(vocab, program, 0, &matcher) == EDC_OK);
    CHECK(edc_matcher_is_accepting(matcher) && edc_matcher_advance(matcher, 1) == EDC_ILLEGAL_TOKEN);
    CHECK(edc_matcher_advance(matcher, 0) == EDC_OK && edc_matcher_is_finished(matcher));
    edc_matcher_free(matcher);
    edc_vocab_free(vocab);
    edc_program_free(program);
}

/* Any digit in the middle takes one state, however many ways lead to it. */
static void digits_share_what_may_be_any(void) {
    edc_program *program = NULL;
    CHECK(edc_program_new((const uint8_t *)"\10\3\0" "000999", 9, &program) == EDC_OK);
    CHECK(program->n_states == 4 && program->n_classes == 1);
    edc_program_free(program);
    CHECK(edc_program_new((const uint8_t *)"\10\3\0" "077077", 9, &program) == EDC_OK);
    CHECK(program->n_states == 4 && program->n_classes == 0);
    edc_program_free(program);
    CHECK(status_of("\10\2\0" "1009", 7) == EDC_BAD_CODE);
    CHECK(status_of("\10\2\0" "1:19", 7) == EDC_BAD_CODE);
    CHECK(status_of("\10\2\0" "101/", 7) == EDC_BAD_CODE);
    CHECK(status_of("\10\0\0", 3) == EDC_BAD_CODE);
}

static void malformed_code_is_refused(void) {
    CHECK(status_of("", 0) == EDC_BAD_CODE);
    CHECK(status_of("\0", 1) == EDC_BAD_CODE);
    CHECK(status_of("\11\0\0", 3) == EDC_BAD_CODE);
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
    put_graph(&whole, 3, 1u << 2, SHARED, 3);
    memcpy(whole.bytes + whole.length, "\7\3\0\0\0a\0b\10\1\0" "19", 13);
    whole.length += 13;
    put_sequence(&whole, 5);
    CHECK(status_of(whole.bytes, whole.length) == EDC_OK);
    for (size_t n = 1; n < whole.length; n++) {
        uint8_t *part = malloc(n); /* as long as the code, so that a sanitiser sees a read beyond it */
        if (part == NULL) abort();
        memcpy(part, whole.bytes, n);
        /* Cut behind the first operand alone, what is left is a whole program. */
        CHECK((status_of(part, n) == EDC_OK) == (n == 5));
        free(part);
    }
}

/* Graphs of as many states as one can have and no edges, as many as it takes to pass the cap. */
static void check_large_graphs(void) {
    enum { N_STATES = 0xFFFF, LENGTH = 1 + 6 + (N_STATES + 7) / 8 };
    size_t n_graphs = EDC_MAX_STATES / N_STATES + 1;
    uint8_t *code = calloc(n_graphs, LENGTH);
    if (code == NULL) abort();
    for (size_t i = 0; i < n_graphs; i++) memcpy(code + i * LENGTH, "\6\xff\xff", 3);
    CHECK(status_of(code, LENGTH) == EDC_OK);
    CHECK(status_of(code, n_graphs * LENGTH) == EDC_TOO_MANY_STATES);
    free(code);
}

/* The states of what is repeated count once for each time, and no more. */
static void a_repeat_may_fill_the_cap(void) {
    enum { TEXT = 0xFFFF, TIMES = EDC_MAX_STATES / (TEXT + 1) - 1 };
    uint8_t *code = calloc(3 + TEXT + 5, 1);
    if (code == NULL) abort();
    memcpy(code, "\1\xff\xff", 3);
    memcpy(code + 3 + TEXT, (const uint8_t[]){5, TIMES, 0, TIMES, 0}, 5);
    CHECK(status_of(code, 3 + TEXT + 5) == EDC_OK);
    memcpy(code + 3 + TEXT, (const uint8_t[]){5, 0, 0, TIMES + 1, 0}, 5);
    CHECK(status_of(code, 3 + TEXT + 5) == EDC_TOO_MANY_STATES);
    free(code);
}

static void costs_are_bounded(void) {
    unit_code bomb = {.length = 0};
    put_literal(&bomb, "a");
    for (int i = 0; i < 9; i++) put_repeat(&bomb, 0xFFFE, 0xFFFE);
    CHECK(status_of(bomb.bytes, bomb.length) == EDC_TOO_MANY_STATES);
    check_large_graphs();

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
    RUN(a_graph_keeps_its_states_shared);
    RUN(edges_from_different_states_stay_apart);
    RUN(edges_of_the_same_bytes_share_a_class);
    RUN(different_classes_are_never_taken_for_each_other);
    RUN(a_graph_is_pruned_like_all_else);
    RUN(a_graph_can_be_repeated);
    RUN(a_malformed_graph_is_refused);
    RUN(words_share_what_they_begin_with);
    RUN(digits_share_what_may_be_any);
    RUN(malformed_code_is_refused);
    RUN(code_cut_short_anywhere_is_refused);
    RUN(a_repeat_may_fill_the_cap);
    RUN(costs_are_bounded);
}
