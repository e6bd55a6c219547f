#include "edc_image.h"

#include <stdlib.h>
#include <string.h>

#include "edc_limits.h"

static const uint8_t MAGIC[8] = {'e', 'd', 'g', 'e', 'd', 'v', 'o', 'c'};

edc_image_header edc_image_head(uint32_t n_tokens, uint32_t n_nodes, uint32_t n_ids, uint32_t n_bytes) {
    edc_image_header header = {{0}, EDC_IMAGE_VERSION, EDC_IMAGE_BYTE_ORDER, n_tokens, n_nodes, n_ids, n_bytes};
    memcpy(header.magic, MAGIC, sizeof header.magic);
    return header;
}

edc_image_layout edc_image_lay(const edc_image_header *header) {
    edc_image_layout at;
    at.offsets = sizeof *header;
    at.children = at.offsets + ((size_t)header->n_tokens + 1) * sizeof(uint32_t);
    at.ends = at.children + ((size_t)header->n_nodes + 1) * sizeof(uint32_t);
    at.ids = at.ends + ((size_t)header->n_nodes + 1) * sizeof(uint32_t);
    at.labels = at.ids + (size_t)header->n_ids * sizeof(uint32_t);
    at.bytes = at.labels + header->n_nodes;
    at.sum = (at.bytes + header->n_bytes + 7) / 8 * 8;
    at.length = at.sum + sizeof(uint64_t);
    return at;
}

/* One multiplication a word: each step can be undone, so no change of a single word goes unseen. */
uint64_t edc_image_sum(const uint8_t *bytes, size_t n_bytes) {
    uint64_t sum = n_bytes;
    for (size_t i = 0; i < n_bytes; i += sizeof sum) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * 0x9E3779B97F4A7C15u; /* 2^64 over the golden ratio, made odd */
        sum ^= sum >> 32;
    }
    return sum;
}

void edc_image_view(const uint8_t *image, edc_vocab *vocab) {
    edc_image_header header;
    memcpy(&header, image, sizeof header);
    edc_image_layout at = edc_image_lay(&header);
    vocab->n_tokens = header.n_tokens;
    vocab->n_nodes = header.n_nodes;
    vocab->n_ids = header.n_ids;
    vocab->offsets = (const uint32_t *)(const void *)(image + at.offsets);
    vocab->children = (const uint32_t *)(const void *)(image + at.children);
    vocab->ends = (const uint32_t *)(const void *)(image + at.ends);
    vocab->ids = (const uint32_t *)(const void *)(image + at.ids);
    vocab->labels = image + at.labels;
    vocab->bytes = image + at.bytes;
    vocab->image = image;
    vocab->image_bytes = at.length;
}

/* --- an image that may be damaged --- */

static int header_is_right(const uint8_t *image, size_t length) {
    edc_image_header header;
    if (length < sizeof header) return 0;
    memcpy(&header, image, sizeof header);
    edc_image_header right = edc_image_head(header.n_tokens, header.n_nodes, header.n_ids, header.n_bytes);
    if (memcmp(&header, &right, sizeof header) != 0) return 0;
    if (header.n_tokens > EDC_MAX_TOKENS || header.n_bytes > EDC_MAX_VOCAB_BYTES) return 0;
    if (header.n_nodes == 0 || header.n_nodes > header.n_bytes + 1 || header.n_ids > header.n_tokens) return 0;
    return edc_image_lay(&header).length == length;
}

static int sum_is_right(const uint8_t *image, size_t length) {
    uint64_t sum;
    memcpy(&sum, image + length - sizeof sum, sizeof sum);
    return edc_image_sum(image, length - sizeof sum) == sum;
}

/* Whether n + 1 numbers never go back and end at `last`. No branch in the loop: it can be vector code. */
static int rises_to(const uint32_t *numbers, uint32_t n, uint32_t last) {
    uint32_t backwards = 0;
    for (uint32_t i = 0; i < n; i++) backwards |= (uint32_t)(numbers[i] > numbers[i + 1]);
    return backwards == 0 && numbers[n] == last;
}

/* Whether every node but the root is the child of one node, and siblings rise. */
static int is_tree(const edc_vocab *vocab) {
    if (vocab->children[0] != 1 || !rises_to(vocab->children, vocab->n_nodes, vocab->n_nodes)) return 0;
    for (uint32_t node = 0; node < vocab->n_nodes; node++) {
        for (uint32_t child = vocab->children[node] + 1; child < vocab->children[node + 1]; child++) {
            if (vocab->labels[child] <= vocab->labels[child - 1]) return 0;
        }
    }
    return 1;
}

/* Whether the tokens that end at the nodes from..to are known ones and `depth` bytes long. */
static int level_is_right(const edc_vocab *vocab, uint32_t from, uint32_t to, uint32_t depth) {
    for (uint32_t i = vocab->ends[from]; i < vocab->ends[to]; i++) {
        uint32_t token = vocab->ids[i];
        if (token >= vocab->n_tokens || vocab->offsets[token + 1] - vocab->offsets[token] != depth) return 0;
    }
    return 1;
}

/* Level by level: the first child of a level's first node begins the next one. As `children` never go back, the last
 * node is only reached if each level begins behind the one before: no node leads to itself or back. */
static int levels_are_right(const edc_vocab *vocab) {
    uint32_t depth = 0;
    for (uint32_t from = 0, to = 1; from < vocab->n_nodes; depth++) {
        if (depth > EDC_MAX_TOKEN_BYTES || !level_is_right(vocab, from, to, depth)) return 0;
        from = to;
        to = vocab->children[to];
    }
    return 1;
}

/* What a walk relies on. That each token ends where its bytes lead is left to the sum: an advance looks at the bytes
 * alone, so that a token which is listed in a wrong place is refused there. */
static int tables_are_right(const edc_vocab *vocab, uint32_t n_bytes) {
    return rises_to(vocab->offsets, vocab->n_tokens, n_bytes) && is_tree(vocab) &&
           rises_to(vocab->ends, vocab->n_nodes, vocab->n_ids) && levels_are_right(vocab);
}

edc_status edc_vocab_map(const uint8_t *image, size_t length, edc_vocab **out) {
    if (out == NULL) return EDC_BAD_ARGUMENT;
    *out = NULL;
    if (image == NULL || (uintptr_t)image % sizeof(uint64_t) != 0) return EDC_BAD_ARGUMENT;
    if (!header_is_right(image, length) || !sum_is_right(image, length)) return EDC_BAD_IMAGE;
    edc_vocab view = {0};
    edc_image_header header;
    memcpy(&header, image, sizeof header);
    edc_image_view(image, &view);
    if (!tables_are_right(&view, header.n_bytes)) return EDC_BAD_IMAGE;
    edc_vocab *vocab = malloc(sizeof *vocab);
    if (vocab == NULL) return EDC_NO_MEMORY;
    *vocab = view;
    *out = vocab;
    return EDC_OK;
}

const uint8_t *edc_vocab_image(const edc_vocab *vocab, size_t *length) {
    if (vocab == NULL || length == NULL) return NULL;
    *length = vocab->image_bytes;
    return vocab->image;
}
