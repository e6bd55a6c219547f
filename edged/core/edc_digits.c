/* The digits operation: all strings of decimal digits from one to another of the same length.
 *
 * They are built from their last digit to their first. Behind a digit that lies between the two strings any digits may
 * come; behind one that is the lower string's own only such as are not below what is left of it, and so on. */
#include <string.h>

#include "edc_draft.h"

/* The states at which the digits that are left may be any, not below the lower string's, not above the higher one's.
 * Two are one state where they mean the same. */
typedef struct {
    uint32_t any;
    uint32_t not_below;
    uint32_t not_above;
} edc_tracks;

/* A digit of a range, then `out`; no state where the range is empty. */
static edc_status add_range(edc_draft *draft, uint32_t first, uint32_t last, uint32_t out, uint32_t *state) {
    *state = EDC_NONE;
    if (first > last) return EDC_OK;
    uint32_t arg = first;
    if (first < last) {
        edc_byteset set = {{0}};
        for (uint32_t digit = first; digit <= last; digit++) edc_byteset_add(&set, digit);
        edc_status status = edc_draft_class(draft, &set, &arg);
        if (status != EDC_OK) return status;
    }
    *state = edc_draft_add(draft, first < last ? EDC_CLASS : EDC_BYTE, arg, out);
    return EDC_OK;
}

/* A digit of low..high, then the track for it. */
static edc_status add_digit(edc_draft *draft, const edc_tracks *tracks, uint32_t low, uint32_t high, uint32_t *state) {
    uint32_t ways[3];
    int own_low = tracks->not_below != tracks->any;
    int own_high = tracks->not_above != tracks->any;
    edc_status status = add_range(draft, low + (own_low ? 1u : 0u), high - (own_high ? 1u : 0u), tracks->any, &ways[0]);
    if (status == EDC_OK) status = add_range(draft, low, own_low ? low : 0, tracks->not_below, &ways[1]);
    if (status == EDC_OK) status = add_range(draft, high, own_high ? high : 0, tracks->not_above, &ways[2]);
    *state = EDC_NONE;
    for (size_t i = 0; i < 3; i++) {
        if (ways[i] == EDC_NONE) continue;
        *state = *state == EDC_NONE ? ways[i] : edc_draft_add(draft, EDC_SPLIT, ways[i], *state);
    }
    return status;
}

/* Puts a digit in front of all tracks. */
static edc_status lengthen(edc_draft *draft, edc_tracks *tracks, uint32_t low, uint32_t high) {
    edc_tracks before = *tracks;
    edc_tracks no_top = {before.any, before.not_below, before.any};
    edc_tracks no_bottom = {before.any, before.any, before.not_above};
    edc_status status = add_range(draft, '0', '9', before.any, &tracks->any);
    tracks->not_below = tracks->not_above = tracks->any;
    if (status == EDC_OK && (low != '0' || before.not_below != before.any)) {
        status = add_digit(draft, &no_top, low, '9', &tracks->not_below);
    }
    if (status == EDC_OK && (high != '9' || before.not_above != before.any)) {
        status = add_digit(draft, &no_bottom, '0', high, &tracks->not_above);
    }
    return status;
}

static int are_digits(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < '0' || bytes[i] > '9') return 0;
    }
    return 1;
}

edc_status edc_digits(const uint8_t *code, size_t n, edc_draft *draft, edc_ends *ends) {
    const uint8_t *low = code;
    const uint8_t *high = code + n;
    if (n == 0 || !are_digits(code, 2 * n) || memcmp(low, high, n) > 0) return EDC_BAD_CODE;
    edc_status status = edc_draft_reserve(draft, 1 + 7 * (uint64_t)n); /* a digit: one for any, and twice three beside it */
    if (status != EDC_OK) return status;
    size_t n_same = 0;
    while (n_same < n && low[n_same] == high[n_same]) n_same++;
    ends->exit = edc_draft_add(draft, EDC_PASS, 0, EDC_NONE);
    ends->entry = ends->exit;
    if (n_same < n) {
        edc_tracks tracks = {ends->exit, ends->exit, ends->exit};
        for (size_t i = n - 1; status == EDC_OK && i > n_same; i--) status = lengthen(draft, &tracks, low[i], high[i]);
        if (status == EDC_OK) status = add_digit(draft, &tracks, low[n_same], high[n_same], &ends->entry);
    }
    for (size_t i = n_same; i > 0; i--) ends->entry = edc_draft_add(draft, EDC_BYTE, low[i - 1], ends->entry);
    return status;
}
