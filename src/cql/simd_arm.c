// SPDX-License-Identifier: MIT
/* simd_arm.c -- kernels for NEON, which every 64-bit ARM processor has. Pure. */
#include "cql/simd_kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

static float neon_product(const float *a, const float *b, uint32_t count) {
    float32x4_t x = vdupq_n_f32(0), y = x;
    for (uint32_t i = 0; i < count; i += 8) {
        x = vfmaq_f32(x, vld1q_f32(a + i), vld1q_f32(b + i));
        y = vfmaq_f32(y, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
    }
    return vaddvq_f32(vaddq_f32(x, y));
}

static float neon_distance(const float *a, const float *b, uint32_t count) {
    float32x4_t x = vdupq_n_f32(0), y = x;
    for (uint32_t i = 0; i < count; i += 8) {
        float32x4_t d = vsubq_f32(vld1q_f32(a + i), vld1q_f32(b + i));
        float32x4_t e = vsubq_f32(vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        x = vfmaq_f32(x, d, d);
        y = vfmaq_f32(y, e, e);
    }
    return vaddvq_f32(vaddq_f32(x, y));
}

SIMD_SEVERAL(neon, )
const cql_simd cql__simd_neon = SIMD_TABLE(neon, "neon");
#endif
