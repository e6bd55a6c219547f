/* A harness of a few lines: CHECK counts and reports, RUN names the test. */
#ifndef UNIT_H
#define UNIT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "edged_core.h"

extern unsigned unit_checks;
extern unsigned unit_failures;
extern const char *unit_test;

#define CHECK(condition)                                                                              \
    do {                                                                                              \
        unit_checks++;                                                                                \
        if (!(condition)) {                                                                           \
            unit_failures++;                                                                          \
            printf("%s:%d: in %s: not so: %s\n", __FILE__, __LINE__, unit_test, #condition);          \
        }                                                                                             \
    } while (0)

#define RUN(test)          \
    do {                   \
        unit_test = #test; \
        test();            \
    } while (0)

/* --- what several files of tests make --- */

/* Expression code being written; enough for any test. */
typedef struct {
    uint8_t bytes[4096];
    size_t length;
} unit_code;

void put_literal(unit_code *code, const char *text);
void put_class(unit_code *code, uint32_t low, uint32_t high);
void put_sequence(unit_code *code, uint32_t n);
void put_choice(unit_code *code, uint32_t n);
void put_repeat(unit_code *code, uint32_t least, uint32_t most);

/* An edge of a graph: any byte of first..last leads on. */
typedef struct {
    uint32_t from;
    uint8_t first;
    uint8_t last;
    uint32_t to;
} unit_edge;

/* A graph of at most 32 states, its edges in the given order; bit i of `accepting` marks state i. */
void put_graph(unit_code *code, uint32_t n_states, uint32_t accepting, const unit_edge *edges, uint32_t n_edges);

edc_vocab *vocab_of(const char *const *tokens, size_t n);
edc_program *program_of(const unit_code *code);
edc_matcher *matcher_of(const edc_vocab *vocab, const edc_program *program);

/* Whether exactly these ids are legal, given rising. */
int legal_is(edc_matcher *matcher, const int32_t *expected, size_t n);

/* xorshift32 (Marsaglia 2003): the tests' only chance, with a seed that is printed. */
uint32_t next_random(uint32_t *state);

/* The next allocation but n fails, and all after it; UINT32_MAX: none does. */
void fail_allocation(uint32_t n);

void status_tests(void);
void vocab_tests(void);
void image_tests(void);
void program_tests(void);
void matcher_tests(void);
void pick_tests(void);
void step_tests(void);
void random_tests(void);
void memory_tests(void);
void canonical_tests(void);

#endif
