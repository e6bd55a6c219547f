/* The exponential of the core's sums of probabilities. */
#ifndef EDC_EXP_H
#define EDC_EXP_H

#include <stdint.h>
#include <string.h>

/* No exponent below this one is told from it: the next powers of two are beyond a float's normal numbers. */
#define EDC_LEAST_EXPONENT (-87.0f)

/* e to the power of x for x <= 0, within 3e-7 relative from EDC_LEAST_EXPONENT upwards; below, a value under 2e-38.
 *
 * x = n ln 2 + f with n the nearest whole number: the polynomial is the Taylor series of e^f to the sixth power, whose
 * first left-out term is at most (ln 2 / 2)^7 / 7! = 1.2e-7. Adding 1.5 * 2^23 rounds and leaves n in the low bits of
 * the sum. Free of branches and calls, so that compilers vectorise it. */
static inline float edc_exp(float x) {
    float clamped = x > EDC_LEAST_EXPONENT ? x : EDC_LEAST_EXPONENT; /* this way round it is cheaper on ARM */
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

#endif
