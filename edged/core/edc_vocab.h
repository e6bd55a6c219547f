/* The vocabulary as a trie in breadth-first order, so that plain ranges between neighbours are all its links. */
#ifndef EDC_VOCAB_H
#define EDC_VOCAB_H

#include "edged_core.h"

/* Every table lies in one image, laid out by edc_image.c. */
struct edc_vocab {
    uint32_t n_tokens;
    uint32_t n_nodes;
    uint32_t n_ids;           /* tokens that can be legal */
    const uint32_t *offsets;  /* [n_tokens + 1] token i is bytes[offsets[i]] up to bytes[offsets[i + 1]] */
    const uint32_t *children; /* [n_nodes + 1] node i's: children[i] up to children[i + 1], by rising label */
    const uint32_t *ends;     /* [n_nodes + 1] the tokens that end at node i: ids[ends[i]] up to ids[ends[i + 1]] */
    const uint32_t *ids;      /* [n_ids] by node, then rising */
    const uint8_t *labels;    /* [n_nodes] the byte that leads to the node; the root's is 0 */
    const uint8_t *bytes;     /* the tokens, end to end */
    const uint8_t *image;
    size_t image_bytes;
    uint8_t *block; /* the image if it is the vocabulary's own, else null */
};

#endif
