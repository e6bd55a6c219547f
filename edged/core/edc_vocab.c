#include "edc_vocab.h"

#include <stdlib.h>
#include <string.h>

#include "edc_image.h"
#include "edc_limits.h"

/* The trie while it grows. The tokens below node i are order[from[i]] up to order[to[i]]. */
typedef struct {
    const uint8_t *bytes;    /* the caller's, as are */
    const uint32_t *offsets; /* these */
    uint32_t n_tokens;
    uint32_t n_nodes;
    uint32_t *children;
    uint32_t *ends;
    uint32_t *ids;
    uint8_t *labels;
    uint32_t *order;
    uint32_t *spare; /* as long as order */
    uint32_t *from;
    uint32_t *to;
} edc_growth;

static size_t token_length(const edc_growth *growth, uint32_t token) {
    return growth->offsets[token + 1] - growth->offsets[token];
}

static uint8_t byte_at(const edc_growth *growth, uint32_t token, uint32_t depth) {
    return growth->bytes[growth->offsets[token] + depth];
}

static edc_status check_tokens(const uint8_t *bytes, const uint32_t *offsets, size_t n_tokens) {
    if (n_tokens > EDC_MAX_TOKENS) return EDC_TOO_LARGE;
    for (size_t i = 0; i < n_tokens; i++) {
        if (offsets[i] > offsets[i + 1]) return EDC_BAD_OFFSETS;
    }
    if (offsets[n_tokens] > EDC_MAX_VOCAB_BYTES) return EDC_TOO_LARGE;
    return bytes == NULL && offsets[n_tokens] > 0 ? EDC_BAD_ARGUMENT : EDC_OK;
}

/* Room for as many nodes as there are bytes; what is not touched costs nothing. */
static int take_room(edc_growth *growth) {
    size_t n_nodes = (size_t)growth->offsets[growth->n_tokens] + 1;
    size_t n_tokens = (size_t)growth->n_tokens + 1;
    growth->children = malloc((n_nodes + 1) * sizeof *growth->children);
    growth->ends = malloc((n_nodes + 1) * sizeof *growth->ends);
    growth->ids = malloc(n_tokens * sizeof *growth->ids);
    growth->labels = malloc(n_nodes);
    growth->order = malloc(n_tokens * sizeof *growth->order);
    growth->spare = malloc(n_tokens * sizeof *growth->spare);
    growth->from = malloc(n_nodes * sizeof *growth->from);
    growth->to = malloc(n_nodes * sizeof *growth->to);
    return growth->labels != NULL && growth->children != NULL && growth->ends != NULL && growth->ids != NULL &&
           growth->order != NULL && growth->spare != NULL && growth->from != NULL && growth->to != NULL;
}

static void free_growth(edc_growth *growth) {
    free(growth->children);
    free(growth->ends);
    free(growth->ids);
    free(growth->labels);
    free(growth->order);
    free(growth->spare);
    free(growth->from);
    free(growth->to);
}

/* Sorts order[from..to) by the byte at depth, ids of one byte staying in their order. */
static void sort_by_byte(edc_growth *growth, uint32_t from, uint32_t to, uint32_t depth) {
    uint32_t starts[257] = {0};
    for (uint32_t i = from; i < to; i++) starts[byte_at(growth, growth->order[i], depth) + 1u]++;
    for (size_t b = 0; b < 256; b++) starts[b + 1] += starts[b];
    for (uint32_t i = from; i < to; i++) {
        uint32_t token = growth->order[i];
        growth->spare[from + starts[byte_at(growth, token, depth)]++] = token;
    }
    memcpy(growth->order + from, growth->spare + from, (size_t)(to - from) * sizeof *growth->order);
}

/* The same for a few tokens, where counting to 256 would cost more than it saves. */
static void insert_by_byte(edc_growth *growth, uint32_t from, uint32_t to, uint32_t depth) {
    for (uint32_t i = from + 1; i < to; i++) {
        uint32_t token = growth->order[i];
        uint8_t byte = byte_at(growth, token, depth);
        uint32_t j = i;
        for (; j > from && byte_at(growth, growth->order[j - 1], depth) > byte; j--) {
            growth->order[j] = growth->order[j - 1];
        }
        growth->order[j] = token;
    }
}

/* Moves the tokens that end at this depth from the node's range to ids; the longer ones close up. */
static void take_ends(edc_growth *growth, uint32_t node, uint32_t depth) {
    uint32_t n_ids = growth->ends[node];
    uint32_t kept = growth->from[node];
    for (uint32_t i = growth->from[node]; i < growth->to[node]; i++) {
        uint32_t token = growth->order[i];
        if (token_length(growth, token) == depth) {
            growth->ids[n_ids++] = token;
        } else {
            growth->order[kept++] = token;
        }
    }
    growth->ends[node + 1] = n_ids;
    growth->to[node] = kept;
}

/* Appends the children of a node; its range holds only tokens longer than depth. */
static void add_children(edc_growth *growth, uint32_t node, uint32_t depth) {
    uint32_t from = growth->from[node];
    uint32_t to = growth->to[node];
    if (to - from < 48) {
        insert_by_byte(growth, from, to, depth);
    } else {
        sort_by_byte(growth, from, to, depth);
    }
    for (uint32_t i = from; i < to; i++) {
        uint8_t byte = byte_at(growth, growth->order[i], depth);
        if (i == from || byte != growth->labels[growth->n_nodes - 1]) {
            growth->labels[growth->n_nodes] = byte;
            growth->from[growth->n_nodes++] = i;
        }
        growth->to[growth->n_nodes - 1] = i + 1;
    }
}

static void grow(edc_growth *growth) {
    uint32_t n_order = 0;
    for (uint32_t token = 0; token < growth->n_tokens; token++) {
        size_t length = token_length(growth, token);
        if (length > 0 && length <= EDC_MAX_TOKEN_BYTES) growth->order[n_order++] = token;
    }
    growth->n_nodes = 1;
    growth->labels[0] = 0;
    growth->ends[0] = 0;
    growth->from[0] = 0;
    growth->to[0] = n_order;
    uint32_t level_end = 1;
    uint32_t depth = 0;
    for (uint32_t node = 0; node < growth->n_nodes; node++) {
        if (node == level_end) {
            level_end = growth->n_nodes;
            depth++;
        }
        growth->children[node] = growth->n_nodes;
        take_ends(growth, node, depth);
        if (growth->from[node] < growth->to[node]) add_children(growth, node, depth);
    }
    growth->children[growth->n_nodes] = growth->n_nodes;
}

/* Copies the grown trie into a block of its own, which is the image. */
static int make_image(const edc_growth *growth, edc_vocab *vocab) {
    uint32_t n_bytes = growth->offsets[growth->n_tokens];
    uint32_t n_ids = growth->ends[growth->n_nodes];
    edc_image_header header = edc_image_head(growth->n_tokens, growth->n_nodes, n_ids, n_bytes);
    edc_image_layout at = edc_image_lay(&header);
    uint8_t *block = malloc(at.length);
    if (block == NULL) return 0;
    memset(block + at.sum - sizeof(uint64_t), 0, sizeof(uint64_t)); /* the gap before the sum */
    memcpy(block, &header, sizeof header);
    memcpy(block + at.offsets, growth->offsets, at.children - at.offsets);
    memcpy(block + at.children, growth->children, at.ends - at.children);
    memcpy(block + at.ends, growth->ends, at.ids - at.ends);
    memcpy(block + at.ids, growth->ids, at.labels - at.ids);
    memcpy(block + at.labels, growth->labels, at.bytes - at.labels);
    if (n_bytes > 0) memcpy(block + at.bytes, growth->bytes, n_bytes);
    uint64_t sum = edc_image_sum(block, at.sum);
    memcpy(block + at.sum, &sum, sizeof sum);
    edc_image_view(block, vocab);
    vocab->block = block;
    return 1;
}

edc_status edc_vocab_new(const uint8_t *bytes, const uint32_t *offsets, size_t n_tokens, edc_vocab **out) {
    if (out == NULL) return EDC_BAD_ARGUMENT;
    *out = NULL;
    if (offsets == NULL) return EDC_BAD_ARGUMENT;
    edc_status status = check_tokens(bytes, offsets, n_tokens);
    if (status != EDC_OK) return status;
    edc_vocab *vocab = calloc(1, sizeof *vocab);
    if (vocab == NULL) return EDC_NO_MEMORY;
    edc_growth growth = {.bytes = bytes, .offsets = offsets, .n_tokens = (uint32_t)n_tokens};
    int is_made = 0;
    if (take_room(&growth)) {
        grow(&growth);
        is_made = make_image(&growth, vocab);
    }
    free_growth(&growth);
    if (!is_made) {
        free(vocab);
        return EDC_NO_MEMORY;
    }
    *out = vocab;
    return EDC_OK;
}

void edc_vocab_free(edc_vocab *vocab) {
    if (vocab == NULL) return;
    free(vocab->block);
    free(vocab);
}

size_t edc_vocab_size(const edc_vocab *vocab) {
    return vocab->n_tokens;
}

size_t edc_vocab_bytes(const edc_vocab *vocab) {
    return sizeof *vocab + (vocab->block != NULL ? vocab->image_bytes : 0);
}

edc_status edc_vocab_token(const edc_vocab *vocab, int32_t token, const uint8_t **bytes, size_t *length) {
    if (vocab == NULL || bytes == NULL || length == NULL) return EDC_BAD_ARGUMENT;
    if (token < 0 || (uint32_t)token >= vocab->n_tokens) return EDC_ILLEGAL_TOKEN;
    *bytes = vocab->bytes + vocab->offsets[token];
    *length = vocab->offsets[token + 1] - vocab->offsets[token];
    return EDC_OK;
}
