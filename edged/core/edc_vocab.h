/* The vocabulary as a trie in breadth-first order, so that plain ranges between neighbours are all its links. */
#ifndef EDC_VOCAB_H
#define EDC_VOCAB_H

#include "edged_core.h"

struct edc_vocab {
    uint32_t n_tokens;
    uint32_t n_nodes;
    uint8_t *bytes;       /* the tokens, end to end */
    uint32_t *offsets;    /* [n_tokens + 1] */
    uint8_t *labels;      /* [n_nodes] the byte that leads to the node; the root's is 0 */
    uint32_t *children;   /* [n_nodes + 1] node i's children are children[i] up to children[i + 1], by rising label */
    uint32_t *ends;       /* [n_nodes + 1] the tokens that end at node i: ids[ends[i]] up to ids[ends[i + 1]] */
    uint32_t *ids;        /* token ids, by node, then rising */
};

#endif
