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

static int32_t neon_code_product(const int16_t *query, const int8_t *codes, uint32_t count) {
    int32x4_t x = vdupq_n_s32(0), y = x;
    for (uint32_t i = 0; i < count; i += 16) {
        int8x16_t c = vld1q_s8(codes + i);
        int16x8_t low = vmovl_s8(vget_low_s8(c)), high = vmovl_s8(vget_high_s8(c));
        int16x8_t p = vld1q_s16(query + i), q = vld1q_s16(query + i + 8);
        x = vmlal_s16(x, vget_low_s16(low), vget_low_s16(p));
        y = vmlal_s16(y, vget_high_s16(low), vget_high_s16(p));
        x = vmlal_s16(x, vget_low_s16(high), vget_low_s16(q));
        y = vmlal_s16(y, vget_high_s16(high), vget_high_s16(q));
    }
    return vaddvq_s32(vaddq_s32(x, y));
}

SIMD_SEVERAL(neon, )
const cql_simd cql__simd_neon = SIMD_TABLE(neon, "neon");
#endif
