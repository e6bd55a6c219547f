#include <math.h>

#include "edc_exp.h"
#include "edc_legal.h"
#include "edc_limits.h"

/* Sums are kept in this many lanes: a plain loop over them is what compilers turn into vector code without being told
 * that additions may be reordered. With 16, gcc 12 unrolls the loop before it can vectorise it. */
#define LANES 32u

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
        for (size_t lane = 0; lane < LANES; lane++) sums[lane] += edc_exp(logits[i + lane] - highest);
    }
    double sum = 0;
    for (; i < n; i++) sum += (double)edc_exp(logits[i] - highest);
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

/* The share is taken against the best of the legal tokens: it stays exact where all of them are far below the highest
 * logit of all. */
static void share(const float *logits, const uint32_t *ids, uint32_t n_ids, edc_choice *choice) {
    float best = logits[choice->token];
    choice->log_share = isinf(best) ? -INFINITY : 0; /* minus infinity: the logits rule out every legal token */
    if (n_ids == 1 || isinf(best)) return;
    double sum = 0;
    for (uint32_t i = 0; i < n_ids; i++) sum += (double)edc_exp(logits[ids[i]] - best);
    choice->log_share = -(float)log(sum);
}

static edc_status score(const float *logits, size_t n_logits, edc_choice *choice) {
    float highest = highest_of(logits, n_logits);
    if (!isfinite(highest)) return EDC_BAD_LOGITS;
    float best = logits[choice->token];
    if (isinf(best)) {
        choice->log_prob = -INFINITY;
        choice->log_legal = -INFINITY;
        return EDC_OK;
    }
    double log_prob = (double)best - (double)highest - log(sum_all(logits, n_logits, highest));
    double log_legal = log_prob - (double)choice->log_share;
    choice->log_prob = log_prob < 0 ? (float)log_prob : 0;
    choice->log_legal = log_legal < 0 ? (float)log_legal : 0;
    return EDC_OK;
}

/* Lists the legal tokens and picks one. */
static edc_status find(edc_matcher *m, const float *logits, size_t n_logits, const uint32_t **ids, edc_choice *choice) {
    if (m == NULL || logits == NULL) return EDC_BAD_ARGUMENT;
    if (n_logits != m->vocab->n_tokens) return EDC_BAD_LOGITS;
    uint32_t n_ids = 0;
    edc_legal_list(m, ids, &n_ids);
    return n_ids == 0 ? EDC_NO_LEGAL_TOKEN : pick_legal(logits, *ids, n_ids, choice);
}

edc_status edc_matcher_pick(edc_matcher *m, const float *logits, size_t n_logits, int scored, edc_choice *out) {
    if (out == NULL) return EDC_BAD_ARGUMENT;
    const uint32_t *ids = NULL;
    edc_choice choice = {.log_prob = NAN, .log_legal = NAN};
    edc_status status = find(m, logits, n_logits, &ids, &choice);
    if (status != EDC_OK) return status;
    share(logits, ids, choice.legal_count, &choice);
    if (scored) status = score(logits, n_logits, &choice);
    if (status == EDC_OK) *out = choice;
    return status;
}

int32_t edc_matcher_step(edc_matcher *m, uintptr_t logits, size_t n_logits) {
    const uint32_t *ids = NULL;
    edc_choice choice = {.token = 0};
    edc_status status = find(m, (const float *)logits, n_logits, &ids, &choice);
    if (status == EDC_OK) status = edc_matcher_advance(m, choice.token);
    return status == EDC_OK ? choice.token : -(int32_t)status;
}
