#include <math.h>
#include <string.h>

#include "edc_legal.h"
#include "edc_limits.h"

/* Sums are kept in this many lanes: a plain loop over them is what compilers turn into vector code without being told
 * that additions may be reordered. With 16, gcc 12 unrolls the loop before it can vectorise it. */
#define LANES 32u

/* e to the power of x for x <= 0, within 3e-7 relative from -87 upwards; below, a value under 2e-38.
 *
 * x = n ln 2 + f with n the nearest whole number: the polynomial is the Taylor series of e^f to the sixth power, whose
 * first left-out term is at most (ln 2 / 2)^7 / 7! = 1.2e-7. Adding 1.5 * 2^23 rounds and leaves n in the low bits of
 * the sum. Free of branches and calls, so that compilers vectorise it. */
static inline float exp_of_negative(float x) {
    float clamped = x < -87.0f ? -87.0f : x;
    float shifted = clamped * 1.44269504f + 12582912.0f;
    float whole = shifted - 12582912.0f;
    float f = (clamped - whole * 0.693359375f) + whole * 2.12194440e-4f; /* ln 2 in two parts, after Cody and Waite */
    float p = 1.0f + f * (1.0f + f * (0.5f + f * (1.66666667e-1f + f * (4.16666667e-2f +
              f * (8.33333333e-3f + f * 1.38888889e-3f)))));
    int32_t bits;
    uint32_t scale;
    memcpy(&bits, &shifted, sizeof bits);
    scale = ((uint32_t)bits - 0x4B400000u + 127u) << 23;
    float power;
    memcpy(&power, &scale, sizeof power);
    return p * power;
}

/* The highest logit; NaN if there is any NaN. */
static float highest_of(const float *logits, size_t n) {
    float highest[LANES];
    uint32_t bad[LANES] = {0};
    for (size_t lane = 0; lane < LANES; lane++) highest[lane] = -INFINITY;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            float x = logits[i + lane];
            highest[lane] = x > highest[lane] ? x : highest[lane];
            bad[lane] |= (uint32_t)(x != x);
        }
    }
    for (; i < n; i++) {
        highest[0] = logits[i] > highest[0] ? logits[i] : highest[0];
        bad[0] |= (uint32_t)(logits[i] != logits[i]);
    }
    for (size_t lane = 1; lane < LANES; lane++) {
        highest[0] = highest[lane] > highest[0] ? highest[lane] : highest[0];
        bad[0] |= bad[lane];
    }
    return bad[0] != 0 ? NAN : highest[0];
}

/* The sum of e^(logit - highest) over one block. */
static double sum_block(const float *logits, size_t n, float highest) {
    float sums[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) sums[lane] += exp_of_negative(logits[i + lane] - highest);
    }
    double sum = 0;
    for (; i < n; i++) sum += (double)exp_of_negative(logits[i] - highest);
    for (size_t lane = 0; lane < LANES; lane++) sum += (double)sums[lane];
    return sum;
}

static double sum_all(const float *logits, size_t n, float highest) {
    double sum = 0;
    for (size_t i = 0; i < n; i += EDC_SUM_BLOCK) {
        sum += sum_block(logits + i, n - i < EDC_SUM_BLOCK ? n - i : EDC_SUM_BLOCK, highest);
    }
    return sum;
}

/* Picks among the legal tokens. The list is in no order, so equal logits are told apart by their ids. */
static edc_status pick_legal(const float *logits, const uint32_t *ids, uint32_t n_ids, edc_choice *choice) {
    uint32_t token = ids[0];
    float best = logits[token];
    float second = -INFINITY;
    if (isnan(best)) return EDC_BAD_LOGITS;
    for (uint32_t i = 1; i < n_ids; i++) {
        float x = logits[ids[i]];
        if (isnan(x)) return EDC_BAD_LOGITS;
        if (x > best || (x == best && ids[i] < token)) {
            second = best;
            best = x;
            token = ids[i];
        } else if (x > second) {
            second = x;
        }
    }
    if (best == INFINITY) return EDC_BAD_LOGITS;
    choice->token = (int32_t)token;
    choice->legal_count = n_ids;
    choice->margin = n_ids == 1 ? INFINITY : best == second ? 0 : best - second;
    return EDC_OK;
}

/* The sum over the legal tokens is taken against their own best: it stays exact where all of them are far below the
 * highest logit of all. */
static edc_status score(const float *logits, size_t n_logits, const uint32_t *ids, uint32_t n_ids, edc_choice *choice) {
    float highest = highest_of(logits, n_logits);
    if (!isfinite(highest)) return EDC_BAD_LOGITS;
    double log_sum = log(sum_all(logits, n_logits, highest));
    float best = logits[choice->token];
    if (isinf(best)) { /* minus infinity: every legal token is ruled out by the logits */
        choice->log_prob = -INFINITY;
        choice->log_legal = -INFINITY;
        return EDC_OK;
    }
    double legal_sum = 0;
    for (uint32_t i = 0; i < n_ids; i++) legal_sum += (double)exp_of_negative(logits[ids[i]] - best);
    double log_prob = (double)best - (double)highest - log_sum;
    double log_legal = log_prob + log(legal_sum);
    choice->log_prob = log_prob < 0 ? (float)log_prob : 0;
    choice->log_legal = log_legal < 0 ? (float)log_legal : 0;
    return EDC_OK;
}

edc_status edc_matcher_pick(edc_matcher *m, const float *logits, size_t n_logits, int scored, edc_choice *out) {
    if (m == NULL || logits == NULL || out == NULL) return EDC_BAD_ARGUMENT;
    if (n_logits != m->vocab->n_tokens) return EDC_BAD_LOGITS;
    const uint32_t *ids = NULL;
    uint32_t n_ids = 0;
    edc_legal_list(m, &ids, &n_ids);
    if (n_ids == 0) return EDC_NO_LEGAL_TOKEN;
    edc_choice choice = {.log_prob = NAN, .log_legal = NAN};
    edc_status status = pick_legal(logits, ids, n_ids, &choice);
    if (status == EDC_OK && scored) status = score(logits, n_logits, ids, n_ids, &choice);
    if (status == EDC_OK) *out = choice;
    return status;
}
