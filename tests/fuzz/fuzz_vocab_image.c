/* libFuzzer driver of the vocabulary's image. From the root of the repository:
 *
 *   clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iedged/core \
 *       tests/fuzz/fuzz_vocab_image.c edged/core/edc_*.c -lm -o build/fuzz_vocab_image
 *   build/fuzz_vocab_image -max_total_time=60 -max_len=1024
 *
 * The first byte says what the rest is: even, an image; odd, changes to a good one, each three bytes of where (two) and
 * what (one). The sum is mended in both, as no fuzzer finds one. Whatever the image: no fault, and a vocabulary made of
 * it can be walked; where nothing was changed it must be taken. */
#include <stdlib.h>
#include <string.h>

#include "edc_image.h"

enum { MOST_STEPS = 16, N_TOKENS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int condition) {
    if (!condition) abort();
}

static uint8_t *copy_of(const uint8_t *bytes, size_t length) {
    uint8_t *copy = malloc(length + (length == 0));
    insist(copy != NULL);
    if (length > 0) memcpy(copy, bytes, length);
    return copy;
}

static uint8_t *good_image(size_t *length) {
    static const uint32_t offsets[N_TOKENS + 1] = {0, 1, 2, 4, 4, 7, 9, 10, 12};
    edc_vocab *vocab = NULL;
    insist(edc_vocab_new((const uint8_t *)"abababc\0\0\377ab", offsets, N_TOKENS, &vocab) == EDC_OK);
    const uint8_t *made = edc_vocab_image(vocab, length);
    uint8_t *image = copy_of(made, *length);
    edc_vocab_free(vocab);
    return image;
}

static uint8_t *changed_image(const uint8_t *changes, size_t size, size_t *length) {
    uint8_t *image = good_image(length);
    for (size_t i = 0; i + 3 <= size; i += 3) {
        size_t at = changes[i] + ((size_t)changes[i + 1] << 8);
        image[at % *length] = changes[i + 2];
    }
    return image;
}

static void mend_sum(uint8_t *image, size_t length) {
    uint64_t sum;
    if (length < sizeof sum || length % sizeof sum != 0) return;
    sum = edc_image_sum(image, length - sizeof sum);
    memcpy(image + length - sizeof sum, &sum, sizeof sum);
}

/* Any bytes at all are a text of this program: any token that can be legal is. */
static edc_program *anything(void) {
    uint8_t code[33 + 5] = {2};
    edc_program *program = NULL;
    memset(code + 1, 0xFF, 32);
    memcpy(code + 33, "\5\0\0\377\377", 5);
    insist(edc_program_new(code, sizeof code, &program) == EDC_OK);
    return program;
}

static void look_at_tokens(const edc_vocab *vocab) {
    unsigned seen = 0;
    for (size_t token = 0; token < edc_vocab_size(vocab); token++) {
        const uint8_t *bytes = NULL;
        size_t length = 0;
        insist(edc_vocab_token(vocab, (int32_t)token, &bytes, &length) == EDC_OK);
        for (size_t i = 0; i < length; i++) seen += bytes[i];
    }
    insist(edc_vocab_token(vocab, (int32_t)edc_vocab_size(vocab), NULL, NULL) != EDC_OK && seen < UINT32_MAX);
}

static void walk(const edc_vocab *vocab) {
    edc_program *program = anything();
    edc_matcher *matcher = NULL;
    insist(edc_matcher_new(vocab, program, 1, &matcher) == EDC_OK);
    size_t n_tokens = edc_vocab_size(vocab);
    float *logits = calloc(n_tokens + 1, sizeof *logits);
    insist(logits != NULL);
    for (size_t n = 0; n < MOST_STEPS; n++) {
        const int32_t *ids = NULL;
        size_t n_ids = 0;
        insist(edc_matcher_legal(matcher, &ids, &n_ids) == EDC_OK && n_ids <= n_tokens);
        for (size_t i = 0; i < n_ids; i++) insist(ids[i] >= 0 && (size_t)ids[i] < n_tokens);
        if (n_ids > 0) logits[ids[n % n_ids]] = (float)n;
        int32_t token = edc_matcher_step(matcher, (uintptr_t)logits, n_tokens);
        insist(token == -EDC_NO_LEGAL_TOKEN || token == -EDC_ILLEGAL_TOKEN || token >= 0);
    }
    free(logits);
    edc_matcher_free(matcher);
    edc_program_free(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    size_t length = size - 1;
    uint8_t *image = data[0] % 2 != 0 ? changed_image(data + 1, size - 1, &length) : copy_of(data + 1, length);
    mend_sum(image, length);
    edc_vocab *vocab = NULL;
    edc_status status = edc_vocab_map(image, length, &vocab);
    insist(status == EDC_OK || status == EDC_BAD_IMAGE);
    insist(status == EDC_OK || data[0] % 2 == 0 || size >= 4);
    if (status == EDC_OK) {
        look_at_tokens(vocab);
        walk(vocab);
        edc_vocab_free(vocab);
    }
    free(image);
    return 0;
}
