#include "edc_vocab.h"

#include <stdlib.h>
#include <string.h>

#include "edc_limits.h"

/* What is needed only while the trie grows. The tokens below node i are order[from[i]] up to order[to[i]]. */
typedef struct {
    uint32_t *order;
    uint32_t *spare; /* as long as order */
    uint32_t *from;
    uint32_t *to;
} edc_growth;

static size_t token_length(const edc_vocab *vocab, uint32_t token) {
    return vocab->offsets[token + 1] - vocab->offsets[token];
}

static edc_status check_tokens(const uint8_t *bytes, const uint32_t *offsets, size_t n_tokens) {
    if (n_tokens > EDC_MAX_TOKENS) return EDC_TOO_LARGE;
    for (size_t i = 0; i < n_tokens; i++) {
        if (offsets[i] > offsets[i + 1]) return EDC_BAD_OFFSETS;
    }
    if (offsets[n_tokens] > EDC_MAX_VOCAB_BYTES) return EDC_TOO_LARGE;
    return bytes == NULL && offsets[n_tokens] > 0 ? EDC_BAD_ARGUMENT : EDC_OK;
}

static int copy_tokens(edc_vocab *vocab, const uint8_t *bytes, const uint32_t *offsets) {
    size_t n_offsets = (size_t)vocab->n_tokens + 1;
    size_t n_bytes = offsets[vocab->n_tokens];
    vocab->bytes = malloc(n_bytes + 1);
    vocab->offsets = malloc(n_offsets * sizeof *vocab->offsets);
    if (vocab->bytes == NULL || vocab->offsets == NULL) return 0;
    if (n_bytes > 0) memcpy(vocab->bytes, bytes, n_bytes);
    memcpy(vocab->offsets, offsets, n_offsets * sizeof *vocab->offsets);
    return 1;
}

/* Room for as many nodes as there are bytes; `shrink` gives back what was not needed. */
static int take_room(edc_vocab *vocab, edc_growth *growth, size_t n_nodes) {
    size_t n_tokens = (size_t)vocab->n_tokens + 1;
    vocab->labels = malloc(n_nodes);
    vocab->children = malloc((n_nodes + 1) * sizeof *vocab->children);
    vocab->ends = malloc((n_nodes + 1) * sizeof *vocab->ends);
    vocab->ids = malloc(n_tokens * sizeof *vocab->ids);
    growth->order = malloc(n_tokens * sizeof *growth->order);
    growth->spare = malloc(n_tokens * sizeof *growth->spare);
    growth->from = malloc(n_nodes * sizeof *growth->from);
    growth->to = malloc(n_nodes * sizeof *growth->to);
    return vocab->labels != NULL && vocab->children != NULL && vocab->ends != NULL && vocab->ids != NULL &&
           growth->order != NULL && growth->spare != NULL && growth->from != NULL && growth->to != NULL;
}

static void free_growth(edc_growth *growth) {
    free(growth->order);
    free(growth->spare);
    free(growth->from);
    free(growth->to);
}

/* Sorts order[from..to) by the byte at depth, ids of one byte staying in their order. */
static void sort_by_byte(const edc_vocab *vocab, edc_growth *growth, uint32_t from, uint32_t to, uint32_t depth) {
    uint32_t starts[257] = {0};
    for (uint32_t i = from; i < to; i++) starts[vocab->bytes[vocab->offsets[growth->order[i]] + depth] + 1u]++;
    for (size_t b = 0; b < 256; b++) starts[b + 1] += starts[b];
    for (uint32_t i = from; i < to; i++) {
        uint32_t token = growth->order[i];
        growth->spare[from + starts[vocab->bytes[vocab->offsets[token] + depth]]++] = token;
    }
    memcpy(growth->order + from, growth->spare + from, (size_t)(to - from) * sizeof *growth->order);
}

/* The same for a few tokens, where counting to 256 would cost more than it saves. */
static void insert_by_byte(const edc_vocab *vocab, edc_growth *growth, uint32_t from, uint32_t to, uint32_t depth) {
    for (uint32_t i = from + 1; i < to; i++) {
        uint32_t token = growth->order[i];
        uint8_t byte = vocab->bytes[vocab->offsets[token] + depth];
        uint32_t j = i;
        for (; j > from && vocab->bytes[vocab->offsets[growth->order[j - 1]] + depth] > byte; j--) {
            growth->order[j] = growth->order[j - 1];
        }
        growth->order[j] = token;
    }
}

/* Moves the tokens that end at this depth from the node's range to ids; the longer ones close up. */
static void take_ends(edc_vocab *vocab, edc_growth *growth, uint32_t node, uint32_t depth) {
    uint32_t n_ids = vocab->ends[node];
    uint32_t kept = growth->from[node];
    for (uint32_t i = growth->from[node]; i < growth->to[node]; i++) {
        uint32_t token = growth->order[i];
        if (token_length(vocab, token) == depth) {
            vocab->ids[n_ids++] = token;
        } else {
            growth->order[kept++] = token;
        }
    }
    vocab->ends[node + 1] = n_ids;
    growth->to[node] = kept;
}

/* Appends the children of a node; its range holds only tokens longer than depth. */
static void add_children(edc_vocab *vocab, edc_growth *growth, uint32_t node, uint32_t depth) {
    uint32_t from = growth->from[node];
    uint32_t to = growth->to[node];
    if (to - from < 48) {
        insert_by_byte(vocab, growth, from, to, depth);
    } else {
        sort_by_byte(vocab, growth, from, to, depth);
    }
    for (uint32_t i = from; i < to; i++) {
        uint8_t byte = vocab->bytes[vocab->offsets[growth->order[i]] + depth];
        if (i == from || byte != vocab->labels[vocab->n_nodes - 1]) {
            vocab->labels[vocab->n_nodes] = byte;
            growth->from[vocab->n_nodes++] = i;
        }
        growth->to[vocab->n_nodes - 1] = i + 1;
    }
}

static void grow(edc_vocab *vocab, edc_growth *growth) {
    uint32_t n_order = 0;
    for (uint32_t token = 0; token < vocab->n_tokens; token++) {
        size_t length = token_length(vocab, token);
        if (length > 0 && length <= EDC_MAX_TOKEN_BYTES) growth->order[n_order++] = token;
    }
    vocab->n_nodes = 1;
    vocab->labels[0] = 0;
    vocab->ends[0] = 0;
    growth->from[0] = 0;
    growth->to[0] = n_order;
    uint32_t level_end = 1;
    uint32_t depth = 0;
    for (uint32_t node = 0; node < vocab->n_nodes; node++) {
        if (node == level_end) {
            level_end = vocab->n_nodes;
            depth++;
        }
        vocab->children[node] = vocab->n_nodes;
        take_ends(vocab, growth, node, depth);
        if (growth->from[node] < growth->to[node]) add_children(vocab, growth, node, depth);
    }
    vocab->children[vocab->n_nodes] = vocab->n_nodes;
}

/* Gives unused room back; where the system cannot, the larger block stays in use. */
static void *shrunk(void *block, size_t size) {
    void *smaller = realloc(block, size);
    return smaller != NULL ? smaller : block;
}

static void shrink(edc_vocab *vocab) {
    size_t n_nodes = vocab->n_nodes;
    vocab->labels = shrunk(vocab->labels, n_nodes);
    vocab->children = shrunk(vocab->children, (n_nodes + 1) * sizeof *vocab->children);
    vocab->ends = shrunk(vocab->ends, (n_nodes + 1) * sizeof *vocab->ends);
}

edc_status edc_vocab_new(const uint8_t *bytes, const uint32_t *offsets, size_t n_tokens, edc_vocab **out) {
    if (out == NULL) return EDC_BAD_ARGUMENT;
    *out = NULL;
    if (offsets == NULL) return EDC_BAD_ARGUMENT;
    edc_status status = check_tokens(bytes, offsets, n_tokens);
    if (status != EDC_OK) return status;
    edc_vocab *vocab = calloc(1, sizeof *vocab);
    if (vocab == NULL) return EDC_NO_MEMORY;
    vocab->n_tokens = (uint32_t)n_tokens;
    edc_growth growth = {0};
    if (copy_tokens(vocab, bytes, offsets) && take_room(vocab, &growth, (size_t)offsets[n_tokens] + 1)) {
        grow(vocab, &growth);
        shrink(vocab);
        *out = vocab;
    } else {
        edc_vocab_free(vocab);
    }
    free_growth(&growth);
    return *out != NULL ? EDC_OK : EDC_NO_MEMORY;
}

void edc_vocab_free(edc_vocab *vocab) {
    if (vocab == NULL) return;
    free(vocab->bytes);
    free(vocab->offsets);
    free(vocab->labels);
    free(vocab->children);
    free(vocab->ends);
    free(vocab->ids);
    free(vocab);
}

size_t edc_vocab_size(const edc_vocab *vocab) {
    return vocab->n_tokens;
}

size_t edc_vocab_bytes(const edc_vocab *vocab) {
    size_t n_tokens = vocab->n_tokens;
    size_t n_nodes = vocab->n_nodes;
    return sizeof *vocab + vocab->offsets[n_tokens] + (2 * n_tokens + 1) * sizeof(uint32_t) + n_nodes +
           2 * (n_nodes + 1) * sizeof(uint32_t);
}
