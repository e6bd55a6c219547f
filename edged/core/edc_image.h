/* The image of a vocabulary: a header, the tables, and a sum of all that, in the machine's own byte order.
 *
 * The header and the 32-bit tables come first, so that all of them are aligned; the bytes follow. The whole is a
 * multiple of 8 bytes long. */
#ifndef EDC_IMAGE_H
#define EDC_IMAGE_H

#include "edc_vocab.h"

/* Set one up when any table's layout or meaning changes. */
#define EDC_IMAGE_VERSION 1u

typedef struct {
    uint8_t magic[8];
    uint32_t version;
    uint32_t byte_order; /* EDC_IMAGE_BYTE_ORDER as the writing machine stores it */
    uint32_t n_tokens;
    uint32_t n_nodes;
    uint32_t n_ids;
    uint32_t n_bytes;
} edc_image_header;

#define EDC_IMAGE_BYTE_ORDER 0x01020304u

/* Where each table begins, in bytes from the start of the image. Its own counts must be within the caps. */
typedef struct {
    size_t offsets;
    size_t children;
    size_t ends;
    size_t ids;
    size_t labels;
    size_t bytes;
    size_t sum;
    size_t length;
} edc_image_layout;

edc_image_layout edc_image_lay(const edc_image_header *header);

/* A header of these counts. */
edc_image_header edc_image_head(uint32_t n_tokens, uint32_t n_nodes, uint32_t n_ids, uint32_t n_bytes);

/* Points the vocabulary at an image whose header it is. */
void edc_image_view(const uint8_t *image, edc_vocab *vocab);

/* The sum of n_bytes, a multiple of 8. It finds what damages files, not what someone forges. */
uint64_t edc_image_sum(const uint8_t *bytes, size_t n_bytes);

#endif
