#include <float.h>
#include <math.h>

#include "edc_exp.h"
#include "edc_legal.h"

/* SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */
static uint64_t next_number(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15u;
    uint64_t x = *state;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* What a logit weighs against the best one, which weighs 1. One too far below weighs nothing, so that a token which the
 * logits rule out is never drawn. */
static double weight(float logit, float best, float temperature) {
    float exponent = (logit - best) / temperature;
    return exponent < EDC_LEAST_EXPONENT ? 0 : (double)edc_exp(exponent);
}

/* The token at a random place among the weights. They are added up in the same order both times, so that the second sum
 * passes the place before the list ends. */
static uint32_t draw(const float *logits, const uint32_t *ids, uint32_t n_ids, float best, float temperature,
                     uint64_t *state) {
    double total = 0;
    for (uint32_t i = 0; i < n_ids; i++) total += weight(logits[ids[i]], best, temperature);
    double place = (double)(next_number(state) >> 11) * 0x1p-53 * total;
    double sum = 0;
    uint32_t i = 0;
    while (i + 1 < n_ids && (sum += weight(logits[ids[i]], best, temperature)) <= place) i++;
    return ids[i];
}

edc_status edc_matcher_sample(edc_matcher *m, const float *logits, size_t n_logits, float temperature, uint64_t *state,
                              edc_choice *out) {
    if (m == NULL || logits == NULL || state == NULL || out == NULL) return EDC_BAD_ARGUMENT;
    if (!(temperature >= 0 && temperature <= FLT_MAX)) return EDC_BAD_TEMPERATURE;
    edc_status status = edc_matcher_pick(m, logits, n_logits, 0, out);
    if (status != EDC_OK) return status;
    float best = logits[out->token];
    if (temperature == 0 || isinf(best)) return EDC_OK;
    const uint32_t *ids = NULL;
    uint32_t n_ids = 0;
    edc_legal_list(m, &ids, &n_ids);
    uint32_t token = draw(logits, ids, n_ids, best, temperature, state);
    if (token != (uint32_t)out->token) {
        float lead = logits[token] - best;
        out->token = (int32_t)token;
        out->log_share += lead;
        out->margin = lead;
    }
    return EDC_OK;
}
