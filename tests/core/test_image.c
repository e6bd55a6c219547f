/* The vocabulary's image: whole, damaged, and forged so that its sum is right. */
#include <stdlib.h>

#include "edc_image.h"
#include "edc_limits.h"
#include "unit.h"

enum { SEED = 20261122, N_FORGED = 4000 };

static const char *const TOKENS[] = {"b", "", "ab", "a", "ab", "abc", "\xff", "abcd", "\"o"};
enum { N_TOKENS = sizeof TOKENS / sizeof *TOKENS };

/* A copy as long as the image, so that a sanitiser sees a read beyond it. */
typedef struct {
    uint8_t *bytes;
    size_t length;
} unit_image;

static unit_image image_of(const char *const *tokens, size_t n) {
    edc_vocab *vocab = vocab_of(tokens, n);
    unit_image image;
    const uint8_t *bytes = edc_vocab_image(vocab, &image.length);
    image.bytes = malloc(image.length);
    if (image.bytes == NULL) abort();
    memcpy(image.bytes, bytes, image.length);
    edc_vocab_free(vocab);
    return image;
}

static edc_status status_of(const uint8_t *image, size_t length) {
    edc_vocab *vocab = (edc_vocab *)&vocab;
    edc_status status = edc_vocab_map(image, length, &vocab);
    CHECK((status == EDC_OK) == (vocab != NULL));
    edc_vocab_free(vocab);
    return status;
}

static void sum_up(unit_image *image) {
    uint64_t sum = edc_image_sum(image->bytes, image->length - sizeof sum);
    memcpy(image->bytes + image->length - sizeof sum, &sum, sizeof sum);
}

static void a_mapped_vocabulary_is_the_one_that_was_saved(void) {
    unit_image image = image_of(TOKENS, N_TOKENS);
    edc_vocab *vocab = NULL;
    CHECK(image.length % 8 == 0);
    CHECK(edc_vocab_map(image.bytes, image.length, &vocab) == EDC_OK);
    if (vocab == NULL) return;
    size_t length = 0;
    CHECK(edc_vocab_size(vocab) == N_TOKENS && edc_vocab_bytes(vocab) == sizeof *vocab);
    CHECK(edc_vocab_image(vocab, &length) == image.bytes && length == image.length);
    unit_code code = {.length = 0};
    put_literal(&code, "abcd");
    edc_program *program = program_of(&code);
    edc_matcher *matcher = matcher_of(vocab, program);
    CHECK(legal_is(matcher, (const int32_t[]){2, 3, 4, 5, 7}, 5));
    edc_matcher_free(matcher);
    edc_program_free(program);
    edc_vocab_free(vocab);
    free(image.bytes);
}

static void a_vocabulary_without_tokens_has_an_image(void) {
    unit_image image = image_of(TOKENS, 0);
    CHECK(status_of(image.bytes, image.length) == EDC_OK);
    free(image.bytes);
}

static void every_token_gives_its_bytes(void) {
    edc_vocab *vocab = vocab_of(TOKENS, N_TOKENS);
    const uint8_t *bytes = NULL;
    size_t length = 0;
    for (int32_t token = 0; token < N_TOKENS; token++) {
        CHECK(edc_vocab_token(vocab, token, &bytes, &length) == EDC_OK);
        CHECK(length == strlen(TOKENS[token]) && memcmp(bytes, TOKENS[token], length) == 0);
    }
    CHECK(edc_vocab_token(vocab, -1, &bytes, &length) == EDC_ILLEGAL_TOKEN);
    CHECK(edc_vocab_token(vocab, N_TOKENS, &bytes, &length) == EDC_ILLEGAL_TOKEN);
    CHECK(edc_vocab_token(NULL, 0, &bytes, &length) == EDC_BAD_ARGUMENT);
    CHECK(edc_vocab_token(vocab, 0, NULL, &length) == EDC_BAD_ARGUMENT);
    CHECK(edc_vocab_token(vocab, 0, &bytes, NULL) == EDC_BAD_ARGUMENT);
    edc_vocab_free(vocab);
}

static void an_image_must_be_there_and_aligned(void) {
    unit_image image = image_of(TOKENS, N_TOKENS);
    uint8_t *shifted = malloc(image.length + 1);
    edc_vocab *vocab = NULL;
    size_t length = 0;
    if (shifted == NULL) abort();
    memcpy(shifted + 1, image.bytes, image.length);
    CHECK(edc_vocab_map(image.bytes, image.length, NULL) == EDC_BAD_ARGUMENT);
    CHECK(edc_vocab_map(NULL, image.length, &vocab) == EDC_BAD_ARGUMENT);
    CHECK(edc_vocab_map(shifted + 1, image.length, &vocab) == EDC_BAD_ARGUMENT);
    CHECK(edc_vocab_image(NULL, &length) == NULL);
    free(shifted);
    free(image.bytes);
}

static void any_damaged_bit_is_found(void) {
    unit_image image = image_of(TOKENS, N_TOKENS);
    for (size_t bit = 0; bit < 8 * image.length; bit++) {
        image.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(status_of(image.bytes, image.length) == EDC_BAD_IMAGE);
        image.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(status_of(image.bytes, image.length) == EDC_OK);
    free(image.bytes);
}

static void an_image_of_another_length_is_refused(void) {
    unit_image image = image_of(TOKENS, N_TOKENS);
    for (size_t length = 0; length <= image.length + 16; length++) {
        uint8_t *other = calloc(length + (length == 0), 1);
        if (other == NULL) abort();
        memcpy(other, image.bytes, length < image.length ? length : image.length);
        CHECK((status_of(other, length) == EDC_OK) == (length == image.length));
        free(other);
    }
    free(image.bytes);
}

/* Changes one number of a table and mends the sum. */
static edc_status status_with(size_t at, uint32_t number) {
    unit_image image = image_of(TOKENS, N_TOKENS);
    memcpy(image.bytes + at, &number, sizeof number);
    sum_up(&image);
    edc_status status = status_of(image.bytes, image.length);
    free(image.bytes);
    return status;
}

/* The nodes are "", a, b, ", ff, ab, "o, abc, abcd: by level, and by rising byte. */
static void each_rule_of_the_tables_is_held_under_a_right_sum(void) {
    unit_image image = image_of(TOKENS, N_TOKENS);
    edc_image_header header;
    memcpy(&header, image.bytes, sizeof header);
    edc_image_layout at = edc_image_lay(&header);
    free(image.bytes);
    CHECK(header.n_nodes == 9 && header.n_ids == 8);
    CHECK(status_with(offsetof(edc_image_header, version), EDC_IMAGE_VERSION + 1) == EDC_BAD_IMAGE);
    CHECK(status_with(offsetof(edc_image_header, byte_order), 0x04030201u) == EDC_BAD_IMAGE);
    CHECK(status_with(offsetof(edc_image_header, n_tokens), EDC_MAX_TOKENS + 1) == EDC_BAD_IMAGE);
    CHECK(status_with(offsetof(edc_image_header, n_tokens), UINT32_MAX) == EDC_BAD_IMAGE);
    CHECK(status_with(offsetof(edc_image_header, n_nodes), 0) == EDC_BAD_IMAGE);
    CHECK(status_with(offsetof(edc_image_header, n_ids), N_TOKENS + 1) == EDC_BAD_IMAGE);
    CHECK(status_with(offsetof(edc_image_header, n_bytes), UINT32_MAX) == EDC_BAD_IMAGE);
    CHECK(status_with(at.offsets + 4 * N_TOKENS, header.n_bytes + 1) == EDC_BAD_IMAGE); /* past the end */
    CHECK(status_with(at.offsets + 4 * 3, 0) == EDC_BAD_IMAGE);                         /* backwards */
    CHECK(status_with(at.children, 0) == EDC_BAD_IMAGE);                                /* the root its own child */
    CHECK(status_with(at.children + 4 * 5, 5) == EDC_BAD_IMAGE);                        /* so for another node */
    CHECK(status_with(at.children + 4 * 9, 10) == EDC_BAD_IMAGE);                       /* a node that is not there */
    CHECK(status_with(at.children + 4 * 2, 9) == EDC_BAD_IMAGE);                        /* backwards behind it */
    CHECK(status_with(at.ends, 1) == EDC_BAD_IMAGE);
    CHECK(status_with(at.ends + 4 * 9, 9) == EDC_BAD_IMAGE);
    CHECK(status_with(at.ends + 4 * 2, 7) == EDC_BAD_IMAGE);
    CHECK(status_with(at.ids, N_TOKENS) == EDC_BAD_IMAGE);   /* no such token */
    CHECK(status_with(at.ids, 2) == EDC_BAD_IMAGE);          /* "ab" where one byte leads */
    CHECK(status_with(at.labels, 0xFF000000u) == EDC_BAD_IMAGE);
    CHECK(status_with(at.labels, 0x61616100u) == EDC_BAD_IMAGE); /* equal siblings */
}

/* One token, listed twice: a matcher has no room for a list longer than the vocabulary. */
static void an_image_that_lists_more_tokens_than_there_are_is_refused(void) {
    edc_image_header header = edc_image_head(1, 2, 2, 1);
    edc_image_layout at = edc_image_lay(&header);
    unit_image image = {calloc(at.length, 1), at.length};
    if (image.bytes == NULL) abort();
    memcpy(image.bytes, &header, sizeof header);
    memcpy(image.bytes + at.offsets, (const uint32_t[]){0, 1}, 8);
    memcpy(image.bytes + at.children, (const uint32_t[]){1, 2, 2}, 12);
    memcpy(image.bytes + at.ends, (const uint32_t[]){0, 0, 2}, 12);
    image.bytes[at.labels + 1] = 'a';
    image.bytes[at.bytes] = 'a';
    sum_up(&image);
    CHECK(status_of(image.bytes, image.length) == EDC_BAD_IMAGE);
    free(image.bytes);
}

/* A chain of 257 nodes below the root: a walk has no frame for the last. No token may be so long, so it is forged. */
static void a_trie_deeper_than_the_longest_token_is_refused(void) {
    char text[EDC_MAX_TOKEN_BYTES + 1];
    memset(text, 'a', EDC_MAX_TOKEN_BYTES);
    text[EDC_MAX_TOKEN_BYTES] = 0;
    const char *tokens[] = {text, "b"};
    unit_image image = image_of(tokens, 2);
    edc_image_header header;
    memcpy(&header, image.bytes, sizeof header);
    edc_image_layout at = edc_image_lay(&header);
    CHECK(header.n_nodes == EDC_MAX_TOKEN_BYTES + 2);
    CHECK(status_of(image.bytes, image.length) == EDC_OK);
    uint32_t number;
    for (uint32_t node = 0; node <= header.n_nodes; node++) { /* each the only child of the one before */
        number = node + 1 < header.n_nodes ? node + 1 : header.n_nodes;
        memcpy(image.bytes + at.children + 4 * node, &number, sizeof number);
        memset(image.bytes + at.ends + 4 * node, 0, 4);
    }
    memcpy(image.bytes + at.ends + 4 * (size_t)header.n_nodes, &header.n_ids, sizeof header.n_ids);
    number = 0; /* both tokens end at the last node and are as long as it is deep */
    memcpy(image.bytes + at.offsets + 4, &number, sizeof number);
    memcpy(image.bytes + at.ids, (const uint32_t[]){1, 1}, 8);
    sum_up(&image);
    CHECK(status_of(image.bytes, image.length) == EDC_BAD_IMAGE);
    free(image.bytes);
}

/* Walks by the lists, which a forged image may get wrong, and by whatever tokens an advance takes. */
static void walk(const edc_vocab *vocab, const edc_program *program) {
    edc_matcher *matcher = matcher_of(vocab, program);
    for (int32_t token = 0; token < N_TOKENS; token++) {
        const int32_t *ids = NULL;
        size_t n_ids = 0;
        CHECK(edc_matcher_legal(matcher, &ids, &n_ids) == EDC_OK && n_ids <= N_TOKENS);
        for (size_t i = 0; i < n_ids; i++) CHECK(ids[i] >= 0 && ids[i] < N_TOKENS);
        if (edc_matcher_advance(matcher, token) != EDC_OK) edc_matcher_reset(matcher);
    }
    edc_matcher_free(matcher);
}

static void a_forged_image_does_no_harm(void) {
    uint32_t seed = SEED;
    uint32_t n_taken = 0;
    unit_code code = {.length = 0};
    put_class(&code, 0, 255);
    put_repeat(&code, 0, 0xFFFF);
    edc_program *program = program_of(&code);
    for (int round = 0; round < N_FORGED; round++) {
        unit_image image = image_of(TOKENS, N_TOKENS);
        size_t head = sizeof(edc_image_header);
        for (uint32_t n = 1 + next_random(&seed) % 3; n > 0; n--) {
            size_t at = head + next_random(&seed) % (image.length - head);
            image.bytes[at] = (uint8_t)(next_random(&seed) % 12);
        }
        sum_up(&image);
        edc_vocab *vocab = NULL;
        edc_status status = edc_vocab_map(image.bytes, image.length, &vocab);
        CHECK(status == EDC_OK || status == EDC_BAD_IMAGE);
        if (status == EDC_OK) walk(vocab, program);
        n_taken += status == EDC_OK;
        edc_vocab_free(vocab);
        free(image.bytes);
    }
    CHECK(n_taken > N_FORGED / 20 && n_taken < N_FORGED / 2); /* both ways are tried */
    edc_program_free(program);
}

void image_tests(void) {
    RUN(a_mapped_vocabulary_is_the_one_that_was_saved);
    RUN(a_vocabulary_without_tokens_has_an_image);
    RUN(every_token_gives_its_bytes);
    RUN(an_image_must_be_there_and_aligned);
    RUN(any_damaged_bit_is_found);
    RUN(an_image_of_another_length_is_refused);
    RUN(each_rule_of_the_tables_is_held_under_a_right_sum);
    RUN(an_image_that_lists_more_tokens_than_there_are_is_refused);
    RUN(a_trie_deeper_than_the_longest_token_is_refused);
    RUN(a_forged_image_does_no_harm);
}
