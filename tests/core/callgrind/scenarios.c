/* Calls of the core in fixed situations; count.py has valgrind count the instructions of each.
 *
 *   scenarios TOKENS
 *
 * What is between the braces of COUNTED is what is counted, callees included, under that name. A new one is counted as
 * soon as main calls it. Nothing here depends on chance, time or place, so a count is the same in every run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edged_core.h"

enum { MOST_TOKENS = 1 << 18, MOST_TOKEN = 12, MOST_CODE = 1 << 14, MOST_STEPS = 200 };

/* The first tokens are the bytes, then come pieces of answers, then words. */
enum { N_BYTES = 256, N_PIECES = 1500 };

typedef struct {
    edc_vocab *vocab;
    edc_program *program;
    edc_matcher *matcher;
    float *logits;
    size_t n_tokens;
    edc_choice choice;
} scene;

#define COUNTED(name) static __attribute__((noinline)) void counted_##name(scene *s)

static void insist(int condition) {
    if (!condition) abort();
}

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* --- the answers: what a catalogue of twelve intents and fifteen areas allows --- */

static const char *const intents[] = {"switch_on", "switch_off", "dim",   "set_heat", "open",  "close",
                                      "play",      "pause",      "timer", "say",      "query", "scene"};
static const char *const areas[] = {"kitchen", "living room", "bedroom", "bath",  "hall",  "office", "garage", "garden",
                                    "cellar",  "attic",       "nursery", "porch", "study", "guest room", "terrace"};

enum { N_INTENTS = sizeof intents / sizeof *intents, N_AREAS = sizeof areas / sizeof *areas };

typedef struct {
    uint8_t bytes[MOST_CODE];
    size_t length;
} code;

static void put(code *c, const void *bytes, size_t n) {
    insist(n <= sizeof c->bytes - c->length);
    memcpy(c->bytes + c->length, bytes, n);
    c->length += n;
}

static void put_operation(code *c, uint8_t operation, size_t number) {
    put(c, (uint8_t[]){operation, (uint8_t)number, (uint8_t)(number >> 8)}, 3);
}

static void put_literal(code *c, const char *text) {
    put_operation(c, 1, strlen(text));
    put(c, text, strlen(text));
}

/* Any byte of first..last, 1 to `most` times. */
static void put_run(code *c, uint8_t first, uint8_t last, size_t most) {
    uint8_t bitmap[32] = {0};
    for (unsigned byte = first; byte <= last; byte++) bitmap[byte >> 3] = (uint8_t)(bitmap[byte >> 3] | 1u << (byte & 7u));
    put(c, (uint8_t[]){2}, 1);
    put(c, bitmap, sizeof bitmap);
    put_operation(c, 5, 1);
    put(c, (uint8_t[]){(uint8_t)most, (uint8_t)(most >> 8)}, 2);
}

/* {"intent":"dim","area":"kitchen","value":20}, or {"text":"..."} */
static edc_program *answers(void) {
    static code c;
    for (size_t i = 0; i < N_INTENTS; i++) {
        put_literal(&c, "{\"intent\":\"");
        put_literal(&c, intents[i]);
        put_literal(&c, "\",\"area\":\"");
        for (size_t k = 0; k < N_AREAS; k++) put_literal(&c, areas[k]);
        put_operation(&c, 4, N_AREAS);
        put_literal(&c, "\",\"value\":");
        put_run(&c, '0', '9', 3);
        put_literal(&c, "}");
        put_operation(&c, 3, 7);
    }
    put_literal(&c, "{\"text\":\"");
    put_run(&c, ' ', 'z', 64); /* the quotation mark is one of these: the automaton has to keep both ways open */
    put_literal(&c, "\"}");
    put_operation(&c, 3, 3);
    put_operation(&c, 4, N_INTENTS + 1);
    edc_program *program = NULL;
    insist(edc_program_new(c.bytes, c.length, &program) == EDC_OK);
    return program;
}

/* --- the vocabulary --- */

static size_t put_piece(uint8_t *out, uint32_t *seed) {
    char answer[128];
    const char *intent = intents[next_random(seed) % N_INTENTS];
    const char *area = areas[next_random(seed) % N_AREAS];
    int length = snprintf(answer, sizeof answer, "{\"intent\":\"%s\",\"area\":\"%s\",\"value\":%u}", intent, area,
                          next_random(seed) % 100);
    size_t n = 2 + next_random(seed) % 7;
    memcpy(out, answer + next_random(seed) % ((size_t)length - n + 1), n);
    return n;
}

static size_t put_word(uint8_t *out, uint32_t *seed) {
    size_t n = 0;
    size_t n_letters = 2 + next_random(seed) % 9;
    if (next_random(seed) % 2 == 0) out[n++] = ' ';
    while (n < n_letters) out[n++] = (uint8_t)('a' + next_random(seed) % 26);
    return n;
}

static edc_vocab *vocab_of(size_t n_tokens) {
    static uint8_t bytes[MOST_TOKENS * MOST_TOKEN];
    static uint32_t offsets[MOST_TOKENS + 1];
    uint32_t seed = 20261122;
    for (size_t i = 0; i < n_tokens; i++) {
        uint8_t *token = bytes + offsets[i];
        size_t n = 1;
        if (i < N_BYTES) {
            token[0] = (uint8_t)i;
        } else {
            n = i < N_BYTES + N_PIECES ? put_piece(token, &seed) : put_word(token, &seed);
        }
        offsets[i + 1] = offsets[i] + (uint32_t)n;
    }
    edc_vocab *vocab = NULL;
    insist(edc_vocab_new(bytes, offsets, n_tokens, &vocab) == EDC_OK);
    return vocab;
}

static float *logits_of(size_t n_tokens) {
    static float logits[MOST_TOKENS];
    uint32_t seed = 42;
    for (size_t i = 0; i < n_tokens; i++) logits[i] = (float)(next_random(&seed) % 40000) / 1000.0f - 20.0f;
    return logits;
}

/* --- what is counted: each once, so that its count is that of one call --- */

static void list(scene *s) {
    const int32_t *ids = NULL;
    size_t n = 0;
    insist(edc_matcher_legal(s->matcher, &ids, &n) == EDC_OK);
}

static void pick(scene *s, int scored) {
    insist(edc_matcher_pick(s->matcher, s->logits, s->n_tokens, scored, &s->choice) == EDC_OK);
}

static void advance(scene *s) {
    insist(edc_matcher_advance(s->matcher, s->choice.token) == EDC_OK);
}

static void decode(scene *s) {
    for (size_t step = 0; step < MOST_STEPS && !edc_matcher_is_finished(s->matcher); step++) {
        pick(s, 0);
        advance(s);
    }
    insist(edc_matcher_is_finished(s->matcher));
}

COUNTED(list_cold) { list(s); }
COUNTED(pick_warm) { pick(s, 0); }
COUNTED(pick_scored) { pick(s, 1); }
COUNTED(advance_warm) { advance(s); }
COUNTED(step_warm) { insist(edc_matcher_step(s->matcher, (uintptr_t)s->logits, s->n_tokens) >= 0); }
COUNTED(reset) { edc_matcher_reset(s->matcher); }
COUNTED(list_cold_free_text) { list(s); }
COUNTED(pick_warm_free_text) { pick(s, 0); }
COUNTED(answer_cold) { decode(s); }
COUNTED(answer_warm) { decode(s); }

COUNTED(forced_cold) {
    uint8_t bytes[64];
    size_t n = 0;
    insist(edc_matcher_forced(s->matcher, bytes, sizeof bytes, &n) == EDC_OK && n > 0);
}

static void begin(scene *s) {
    edc_matcher_free(s->matcher);
    insist(edc_matcher_new(s->vocab, s->program, 0, &s->matcher) == EDC_OK);
}

static void go_to(scene *s, const char *text) {
    edc_matcher_reset(s->matcher);
    insist(edc_matcher_advance_bytes(s->matcher, (const uint8_t *)text, strlen(text)) == EDC_OK);
}

static void count_calls(scene *s) {
    go_to(s, "{\"intent\":\"");
    counted_list_cold(s);
    counted_pick_warm(s);
    counted_pick_scored(s);
    advance(s); /* the states behind the token are known from here on */
    go_to(s, "{\"intent\":\"");
    counted_advance_warm(s);
    go_to(s, "{\"intent\":\"");
    counted_step_warm(s);
    counted_reset(s);
    go_to(s, "{\"intent\":\"di");
    counted_forced_cold(s);
    go_to(s, "{\"text\":\"a");
    counted_list_cold_free_text(s);
    counted_pick_warm_free_text(s);
}

static void count_answers(scene *s) {
    begin(s);
    counted_answer_cold(s);
    edc_matcher_reset(s->matcher);
    counted_answer_warm(s);
}

int main(int argc, char **argv) {
    size_t n_tokens = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (n_tokens < N_BYTES + N_PIECES || n_tokens > MOST_TOKENS) return 2;
    scene s = {.n_tokens = n_tokens, .vocab = vocab_of(n_tokens), .program = answers(), .logits = logits_of(n_tokens)};
    begin(&s);
    count_calls(&s);
    count_answers(&s);
    edc_matcher_free(s.matcher);
    edc_program_free(s.program);
    edc_vocab_free(s.vocab);
    return 0;
}
