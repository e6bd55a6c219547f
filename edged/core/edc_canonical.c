#include "edc_canonical.h"

#include <stdlib.h>
#include <string.h>

#include "edc_program.h"

edc_status edc_canonical_new(edc_ask ask, void *tokenizer, int32_t before, edc_canonical **out) {
    if (out == NULL) return EDC_BAD_ARGUMENT;
    *out = NULL;
    if (ask == NULL || before >= (int32_t)EDC_MAX_TOKENS) return EDC_BAD_ARGUMENT;
    edc_canonical *canonical = calloc(1, sizeof *canonical);
    if (canonical == NULL) return EDC_NO_MEMORY;
    canonical->ask = ask;
    canonical->tokenizer = tokenizer;
    canonical->before = before < 0 ? EDC_NONE : (uint32_t)before;
    canonical->rows = calloc(EDC_ROW_SLOTS, sizeof *canonical->rows);
    canonical->pairs = calloc(EDC_PAIR_SLOTS, sizeof *canonical->pairs);
    if (canonical->rows == NULL || canonical->pairs == NULL) {
        edc_canonical_free(canonical);
        return EDC_NO_MEMORY;
    }
    *out = canonical;
    return EDC_OK;
}

void edc_canonical_free(edc_canonical *canonical) {
    if (canonical == NULL) return;
    free(canonical->rows);
    free(canonical->pairs);
    free(canonical);
}

size_t edc_canonical_bytes(const edc_canonical *canonical) {
    return sizeof *canonical + EDC_ROW_SLOTS * sizeof *canonical->rows + EDC_PAIR_SLOTS * sizeof *canonical->pairs;
}

size_t edc_canonical_pairs(const edc_canonical *canonical) {
    return canonical->n_pairs;
}

/* --- rows --- */

static uint32_t tokens_of(const edc_canonical *canonical, uint32_t left, uint32_t tokens[EDC_ROW_TOKENS]) {
    if (left == EDC_NONE) return 0;
    tokens[0] = left;
    if (left < EDC_MAX_TOKENS) return 1;
    const edc_row *row = &canonical->rows[left - EDC_MAX_TOKENS];
    memcpy(tokens, row->tokens, row->n_tokens * sizeof *tokens);
    return row->n_tokens;
}

/* Whether a code point is surely a letter or a digit: rules that cut a text into words begin anew behind it. To take a
 * letter for a sign makes rows longer and does no other harm. */
static int is_letter(uint32_t point) {
    static const uint32_t ranges[][2] = {
        {'0', '9'},         {'A', 'Z'},         {'a', 'z'},         {0xC0, 0xD6},       {0xD8, 0xF6},
        {0xF8, 0x2AF},      {0x386, 0x386},     {0x388, 0x3F5},     {0x400, 0x481},     {0x48A, 0x52F},
        {0x5D0, 0x5EA},     {0x620, 0x64A},     {0x1E00, 0x1EFF},   {0x3041, 0x3096},   {0x30A1, 0x30FA},
        {0x4E00, 0x9FFF},   {0xAC00, 0xD7A3},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (point >= ranges[i][0] && point <= ranges[i][1]) return 1;
    }
    return 0;
}

static int is_continuation(uint8_t byte) {
    return (byte & 0xC0u) == 0x80u;
}

static uint32_t character_length(uint8_t lead) {
    return lead < 0xC0u ? 1 : lead < 0xE0u ? 2 : lead < 0xF0u ? 3 : 4;
}

/* The code point of a character of `length` bytes; of what is no UTF-8, some number. */
static uint32_t code_point(const uint8_t *bytes, uint32_t length) {
    uint32_t point = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (uint32_t i = 1; i < length; i++) point = point << 6 | (bytes[i] & 0x3Fu);
    return point;
}

/* Whether a code point is white space, of which a tokenizer may give the last to the word behind it. */
static int is_blank(uint32_t point) {
    return (point >= 9 && point <= 13) || point == ' ' || point == 0x85 || point == 0xA0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 || point == 0x202F ||
           point == 0x205F || point == 0x3000;
}

/* Where the part of a text begins that matters for what follows: behind its last letter; at this letter where it is the
 * end, or where the text ends in a blank or inside a character, which cannot be asked about before more is known. */
static uint32_t find_cut(const uint8_t *text, uint32_t length) {
    uint32_t start = 0;
    uint32_t end = 0;
    uint32_t n = 1;
    uint32_t point = 0;
    for (uint32_t at = 0; at < length; at += n) {
        n = character_length(text[at]);
        if (n > length - at) return start;
        point = code_point(text + at, n);
        if (is_letter(point)) {
            start = at;
            end = at + n;
        }
    }
    return end == length || is_blank(point) ? start : end;
}

/* The first of the tokens that has to be kept: it holds the cut, and begins with a character. */
static uint32_t first_kept(const edc_vocab *vocab, const uint32_t *tokens, uint32_t n_tokens) {
    uint8_t text[(EDC_ROW_TOKENS + 1) * EDC_MAX_TOKEN_BYTES];
    uint32_t starts[EDC_ROW_TOKENS + 1];
    uint32_t length = 0;
    for (uint32_t i = 0; i < n_tokens; i++) {
        uint32_t from = vocab->offsets[tokens[i]];
        uint32_t n_bytes = vocab->offsets[tokens[i] + 1] - from;
        memcpy(text + length, vocab->bytes + from, n_bytes);
        starts[i] = length;
        length += n_bytes;
    }
    uint32_t cut = find_cut(text, length);
    uint32_t first = n_tokens - 1;
    while (first > 0 && (starts[first] > cut || is_continuation(text[starts[first]]))) first--;
    return first;
}

/* The name of a row; EDC_NONE where no room is left for it. */
static uint32_t row_of(edc_canonical *canonical, const uint32_t *tokens, uint32_t n_tokens) {
    uint32_t hash = n_tokens;
    for (uint32_t i = 0; i < n_tokens; i++) hash = (hash ^ tokens[i]) * 0x85EBCA6Bu; /* odd: spreads upwards */
    uint32_t slot = (hash >> 16) & (EDC_ROW_SLOTS - 1);
    for (; canonical->rows[slot].n_tokens != 0; slot = (slot + 1) & (EDC_ROW_SLOTS - 1)) {
        const edc_row *row = &canonical->rows[slot];
        if (row->n_tokens == n_tokens && memcmp(row->tokens, tokens, n_tokens * sizeof *tokens) == 0) {
            return EDC_MAX_TOKENS + slot;
        }
    }
    if (canonical->n_rows >= EDC_ROW_SLOTS / 4 * 3) return EDC_NONE;
    canonical->n_rows++;
    canonical->rows[slot].n_tokens = n_tokens;
    memcpy(canonical->rows[slot].tokens, tokens, n_tokens * sizeof *tokens);
    return EDC_MAX_TOKENS + slot;
}

uint32_t edc_canonical_join(edc_canonical *canonical, const edc_vocab *vocab, uint32_t left, uint32_t token) {
    if (left == EDC_NONE) return token;
    uint32_t tokens[EDC_ROW_TOKENS + 1];
    uint32_t n_tokens = tokens_of(canonical, left, tokens);
    tokens[n_tokens++] = token;
    uint32_t first = first_kept(vocab, tokens, n_tokens);
    if (first + 1 == n_tokens) return token;
    return n_tokens - first > EDC_ROW_TOKENS ? EDC_NONE : row_of(canonical, tokens + first, n_tokens - first);
}

/* --- pairs --- */

/* Where the pair stands, or belongs. The key is even and not 0; bit 0 of a place holds the verdict. */
static uint64_t *place_of(const edc_canonical *canonical, uint64_t key) {
    uint64_t spread = key * 0x9E3779B97F4A7C15u; /* 2^64 by the golden ratio: neighbouring keys come apart */
    size_t slot = (size_t)(spread >> 32) & (EDC_PAIR_SLOTS - 1);
    while (canonical->pairs[slot] != 0 && (canonical->pairs[slot] & ~(uint64_t)1) != key) {
        slot = (slot + 1) & (EDC_PAIR_SLOTS - 1);
    }
    return &canonical->pairs[slot];
}

static int ask(const edc_canonical *canonical, uint32_t left, uint32_t right) {
    uint32_t row[EDC_ROW_TOKENS + 1];
    int32_t tokens[EDC_ROW_TOKENS + 1];
    uint32_t n_tokens = tokens_of(canonical, left, row);
    row[n_tokens++] = right;
    for (uint32_t i = 0; i < n_tokens; i++) tokens[i] = (int32_t)row[i];
    return canonical->ask(canonical->tokenizer, tokens, n_tokens) != 0;
}

int edc_canonical_allows(edc_canonical *canonical, uint32_t left, uint32_t right) {
    uint64_t key = ((uint64_t)left + 1) << 32 | ((uint64_t)right + 1) << 1;
    uint64_t *place = place_of(canonical, key);
    if (*place != 0) return (int)(*place & 1);
    int answer = ask(canonical, left, right);
    if (canonical->n_pairs >= EDC_PAIR_SLOTS / 4 * 3) {
        memset(canonical->pairs, 0, EDC_PAIR_SLOTS * sizeof *canonical->pairs);
        canonical->n_pairs = 0;
    }
    *place_of(canonical, key) = key | (uint64_t)answer;
    canonical->n_pairs++;
    return answer;
}
