/* Expressions and vocabularies by chance: what the parts say must agree, whatever they are; and no memory is enough
 * to be without. The comparison with an independent matcher is in tests/property. */
#include "edc_states.h"
#include "unit.h"

enum { SEED = 20261122, ROUNDS = 400, STEPS = 6, N_TOKENS = 40, TOKEN_BYTES = 5 };

/* Edges in the order that the code asks for: one from a state to another at chance, for every pair. */
static void put_random_graph(unit_code *code, uint32_t *seed) {
    unit_edge edges[32];
    uint32_t n_edges = 0;
    uint32_t n_states = 1 + next_random(seed) % 4;
    for (uint32_t pair = 0; pair < 2 * n_states * n_states; pair++) {
        uint8_t first = (uint8_t)('a' + next_random(seed) % 4);
        uint8_t last = (uint8_t)(first + next_random(seed) % 2);
        unit_edge edge = {pair / 2 / n_states, first, last, pair / 2 % n_states};
        if (next_random(seed) % 3 == 0) edges[n_edges++] = edge;
    }
    put_graph(code, n_states, next_random(seed) & ((1u << n_states) - 1), edges, n_edges);
}

static void random_code(unit_code *code, uint32_t *seed) {
    uint32_t depth = 0;
    code->length = 0;
    for (uint32_t i = next_random(seed) % 14; i > 0 || depth == 0; i -= i > 0) {
        uint32_t chance = next_random(seed) % 9;
        if (chance == 8) {
            put_random_graph(code, seed);
            depth++;
        } else if (depth == 0 || chance < 2) {
            static const char *const texts[] = {"", "a", "ab", "cab", "bb"};
            put_literal(code, texts[next_random(seed) % 5]);
            depth++;
        } else if (chance < 4) {
            uint32_t low = 'a' + next_random(seed) % 3;
            put_class(code, low, low + next_random(seed) % 2);
            depth++;
        } else if (chance < 6) {
            uint32_t least = next_random(seed) % 3;
            put_repeat(code, least, next_random(seed) % 3 == 0 ? 0xFFFF : least + next_random(seed) % 20);
        } else {
            uint32_t n = next_random(seed) % (depth < 3 ? depth + 1 : 4);
            if (chance == 6) put_sequence(code, n);
            if (chance == 7) put_choice(code, n);
            depth -= n;
            depth++;
        }
    }
    if (depth > 1) put_sequence(code, depth);
}

static edc_vocab *random_vocab(uint32_t *seed) {
    uint8_t bytes[N_TOKENS * TOKEN_BYTES];
    uint32_t offsets[N_TOKENS + 1] = {0};
    for (uint32_t i = 0; i < N_TOKENS; i++) {
        offsets[i + 1] = offsets[i] + next_random(seed) % (TOKEN_BYTES + 1);
        for (uint32_t k = offsets[i]; k < offsets[i + 1]; k++) bytes[k] = (uint8_t)('a' + next_random(seed) % 4);
    }
    edc_vocab *vocab = NULL;
    CHECK(edc_vocab_new(bytes, offsets, N_TOKENS, &vocab) == EDC_OK);
    return vocab;
}

/* A token is on the list just when a second matcher, led along the same path, takes it. */
static void check_list(edc_matcher *matcher, const edc_vocab *vocab, const edc_program *program, const int32_t *path,
                       size_t n_path) {
    const int32_t *ids = NULL;
    size_t n_ids = 0;
    uint8_t listed[N_TOKENS] = {0};
    CHECK(edc_matcher_legal(matcher, &ids, &n_ids) == EDC_OK);
    for (size_t i = 0; i < n_ids; i++) CHECK(++listed[ids[i]] == 1);
    edc_matcher *other = NULL;
    CHECK(edc_matcher_new(vocab, program, 1, &other) == EDC_OK);
    for (int32_t token = 0; token < N_TOKENS; token++) {
        edc_matcher_reset(other);
        for (size_t i = 0; i < n_path; i++) CHECK(edc_matcher_advance(other, path[i]) == EDC_OK);
        CHECK((edc_matcher_advance(other, token) == EDC_OK) == listed[token]);
    }
    edc_matcher_free(other);
}

static void follow_a_random_path(const edc_vocab *vocab, const edc_program *program, uint32_t *seed) {
    edc_matcher *matcher = NULL;
    int32_t path[STEPS];
    CHECK(edc_matcher_new(vocab, program, next_random(seed) % 2, &matcher) == EDC_OK);
    for (size_t n = 0; n < STEPS; n++) {
        check_list(matcher, vocab, program, path, n);
        const int32_t *ids = NULL;
        size_t n_ids = 0;
        CHECK(edc_matcher_legal(matcher, &ids, &n_ids) == EDC_OK);
        if (n_ids == 0) break;
        path[n] = ids[next_random(seed) % n_ids];
        CHECK(edc_matcher_advance(matcher, path[n]) == EDC_OK);
    }
    edc_matcher_free(matcher);
}

static void lists_and_steps_agree(void) {
    uint32_t seed = SEED;
    printf("random tests: seed %u\n", seed);
    for (int round = 0; round < ROUNDS; round++) {
        unit_code code;
        random_code(&code, &seed);
        edc_vocab *vocab = random_vocab(&seed);
        edc_program *program = NULL;
        edc_status status = edc_program_new(code.bytes, code.length, &program);
        CHECK(status == EDC_OK || status == EDC_TOO_MANY_STATES);
        if (status == EDC_OK && edc_program_states(program) < 2000) follow_a_random_path(vocab, program, &seed);
        edc_program_free(program);
        edc_vocab_free(vocab);
    }
}

enum { LONG_TOKENS = 300, LONG_BYTES = 8 };

/* A set of NFA states for each way of choosing among the last twelve letters: far more than the least arena holds. */
static void put_many_states(unit_code *code) {
    put_class(code, 'a', 'b');
    put_repeat(code, 0, 0xFFFF);
    put_literal(code, "a");
    put_class(code, 'a', 'b');
    put_repeat(code, 12, 12);
    put_literal(code, "!");
    put_sequence(code, 4);
}

static edc_vocab *long_vocab(void) {
    uint8_t bytes[LONG_TOKENS * LONG_BYTES];
    uint32_t offsets[LONG_TOKENS + 1];
    for (uint32_t i = 0; i <= LONG_TOKENS; i++) offsets[i] = i * LONG_BYTES;
    for (uint32_t i = 0; i < LONG_TOKENS * LONG_BYTES; i++) {
        uint32_t bit = i / LONG_BYTES >> i % LONG_BYTES & 1;
        bytes[i] = i % 23 == 22 ? '!' : (uint8_t)('a' + bit);
    }
    edc_vocab *vocab = NULL;
    CHECK(edc_vocab_new(bytes, offsets, LONG_TOKENS, &vocab) == EDC_OK);
    return vocab;
}

static int same_lists(edc_matcher *one, edc_matcher *other) {
    const int32_t *ids = NULL;
    const int32_t *other_ids = NULL;
    size_t n = 0;
    size_t n_other = 0;
    CHECK(edc_matcher_legal(one, &ids, &n) == EDC_OK);
    CHECK(edc_matcher_legal(other, &other_ids, &n_other) == EDC_OK);
    return n > 0 && n == n_other && memcmp(ids, other_ids, n * sizeof *ids) == 0;
}

/* Follows chance letters with an ample and a small arena. Returns how often the small one was full. */
static uint32_t compare_arenas(const edc_vocab *vocab, const edc_program *program, size_t budget, uint32_t *seed) {
    edc_matcher *ample = matcher_of(vocab, program);
    edc_matcher *small = NULL;
    CHECK(edc_matcher_new(vocab, program, budget, &small) == EDC_OK);
    for (int round = 0; round < 24; round++) {
        const uint8_t letters[5] = {'a', (uint8_t)('a' + next_random(seed) % 2), 'a', 'b', 'b'};
        const size_t n = 1 + next_random(seed) % sizeof letters;
        CHECK(same_lists(ample, small));
        CHECK(edc_matcher_advance_bytes(ample, letters, n) == EDC_OK);
        CHECK(edc_matcher_advance_bytes(small, letters, n) == EDC_OK);
        if (round % 8 == 7) {
            edc_matcher_reset(ample);
            edc_matcher_reset(small);
        }
    }
    uint32_t n_flushes = edc_matcher_flushes(small);
    CHECK(edc_matcher_flushes(ample) == 0);
    edc_matcher_free(ample);
    edc_matcher_free(small);
    return n_flushes;
}

/* Many sizes, so that the arena is full at many different steps of the work. */
static void a_full_arena_changes_no_list(void) {
    uint32_t seed = SEED;
    unit_code code = {.length = 0};
    put_many_states(&code);
    edc_vocab *vocab = long_vocab();
    edc_program *program = program_of(&code);
    size_t least = (size_t)edc_states_floor(program) * sizeof(uint32_t);
    for (size_t more = 0; more < 1600; more += 20) {
        CHECK(compare_arenas(vocab, program, least + more, &seed) > 20);
    }
    edc_program_free(program);
    edc_vocab_free(vocab);
}

void random_tests(void) {
    RUN(lists_and_steps_agree);
    RUN(a_full_arena_changes_no_list);
}

/* The n-th allocation fails, for every n until none does. */
static void a_vocabulary_survives_a_lack_of_memory(void) {
    edc_status status = EDC_NO_MEMORY;
    for (uint32_t n = 0; n < 64 && status != EDC_OK; n++) {
        edc_vocab *vocab = NULL;
        uint32_t offsets[3] = {0, 1, 3};
        fail_allocation(n);
        status = edc_vocab_new((const uint8_t *)"abc", offsets, 2, &vocab);
        fail_allocation(UINT32_MAX);
        CHECK(status == (vocab != NULL ? EDC_OK : EDC_NO_MEMORY));
        edc_vocab_free(vocab);
    }
    CHECK(status == EDC_OK);
}

static void a_mapped_vocabulary_survives_a_lack_of_memory(void) {
    edc_vocab *vocab = vocab_of((const char *const[]){"ab"}, 1);
    edc_vocab *mapped = (edc_vocab *)&mapped;
    size_t length = 0;
    const uint8_t *image = edc_vocab_image(vocab, &length);
    fail_allocation(0);
    edc_status status = edc_vocab_map(image, length, &mapped);
    fail_allocation(UINT32_MAX);
    CHECK(status == EDC_NO_MEMORY && mapped == NULL);
    edc_vocab_free(vocab);
}

static void a_program_survives_a_lack_of_memory(void) {
    edc_status status = EDC_NO_MEMORY;
    unit_code code = {.length = 0};
    unit_edge edges[80];
    put_literal(&code, "a");
    put_repeat(&code, 200, 300);
    /* Enough classes and splits for the tables to grow. */
    for (uint32_t i = 0; i < 80; i++) edges[i] = (unit_edge){i / 4, (uint8_t)i, (uint8_t)(2 * i + 1), i % 4};
    put_graph(&code, 20, 1, edges, 80);
    put_sequence(&code, 2);
    for (uint32_t n = 0; n < 64 && status != EDC_OK; n++) {
        edc_program *program = NULL;
        fail_allocation(n);
        status = edc_program_new(code.bytes, code.length, &program);
        fail_allocation(UINT32_MAX);
        CHECK(status == (program != NULL ? EDC_OK : EDC_NO_MEMORY));
        edc_program_free(program);
    }
    CHECK(status == EDC_OK);
}

static void a_matcher_survives_a_lack_of_memory(void) {
    const char *tokens[] = {"a", "b"};
    edc_status status = EDC_NO_MEMORY;
    unit_code code = {.length = 0};
    put_literal(&code, "a");
    edc_vocab *vocab = vocab_of(tokens, 2);
    edc_program *program = program_of(&code);
    for (uint32_t n = 0; n < 64 && status != EDC_OK; n++) {
        edc_matcher *matcher = NULL;
        fail_allocation(n);
        status = edc_matcher_new(vocab, program, 0, &matcher);
        CHECK(matcher == NULL || edc_matcher_advance(matcher, 0) == EDC_OK); /* nothing is allocated after _new */
        fail_allocation(UINT32_MAX);
        CHECK(status == (matcher != NULL ? EDC_OK : EDC_NO_MEMORY));
        edc_matcher_free(matcher);
    }
    CHECK(status == EDC_OK);
    edc_program_free(program);
    edc_vocab_free(vocab);
}

void memory_tests(void) {
    RUN(a_vocabulary_survives_a_lack_of_memory);
    RUN(a_mapped_vocabulary_survives_a_lack_of_memory);
    RUN(a_program_survives_a_lack_of_memory);
    RUN(a_matcher_survives_a_lack_of_memory);
}
