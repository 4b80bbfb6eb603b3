// SPDX-License-Identifier: MIT
/* simd_x86.c -- kernels for SSE2, AVX2 with FMA, and AVX-512. Which one runs is decided in simd.c: nothing here may run on
 * a processor without it. Pure. */
#include "cql/simd_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* ---- SSE2: four floats ---- */

static float sum4(__m128 x) {
    __m128 high = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(high, _mm_shuffle_ps(high, high, 1)));
}

static float sse2_product(const float *a, const float *b, uint32_t count) {
    __m128 x = _mm_setzero_ps(), y = x;
    for (uint32_t i = 0; i < count; i += 8) {
        x = _mm_add_ps(x, _mm_mul_ps(_mm_loadu_ps(a + i), _mm_loadu_ps(b + i)));
        y = _mm_add_ps(y, _mm_mul_ps(_mm_loadu_ps(a + i + 4), _mm_loadu_ps(b + i + 4)));
    }
    return sum4(_mm_add_ps(x, y));
}

static float sse2_distance(const float *a, const float *b, uint32_t count) {
    __m128 x = _mm_setzero_ps(), y = x;
    for (uint32_t i = 0; i < count; i += 8) {
        __m128 d = _mm_sub_ps(_mm_loadu_ps(a + i), _mm_loadu_ps(b + i));
        __m128 e = _mm_sub_ps(_mm_loadu_ps(a + i + 4), _mm_loadu_ps(b + i + 4));
        x = _mm_add_ps(x, _mm_mul_ps(d, d));
        y = _mm_add_ps(y, _mm_mul_ps(e, e));
    }
    return sum4(_mm_add_ps(x, y));
}

static int32_t sum_of_4(__m128i x) {
    __m128i y = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(y, _mm_shuffle_epi32(y, 0xb1)));
}

static int32_t sse2_code_product(const int16_t *query, const int8_t *codes, uint32_t count) {
    __m128i x = _mm_setzero_si128(), y = x;
    for (uint32_t i = 0; i < count; i += 16) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(codes + i));
        __m128i p = _mm_loadu_si128((const __m128i *)(const void *)(query + i));
        __m128i q = _mm_loadu_si128((const __m128i *)(const void *)(query + i + 8));
        __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(c, c), 8); /* sixteen bits of eight */
        __m128i high = _mm_srai_epi16(_mm_unpackhi_epi8(c, c), 8);
        x = _mm_add_epi32(x, _mm_madd_epi16(low, p));
        y = _mm_add_epi32(y, _mm_madd_epi16(high, q));
    }
    return sum_of_4(_mm_add_epi32(x, y));
}

SIMD_SEVERAL(sse2, )
const cql_simd cql__simd_sse2 = SIMD_TABLE(sse2, "sse2");

/* ---- AVX2 with FMA: eight floats ---- */

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static float sum8(__m256 x) {
    return sum4(_mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1)));
}

AVX2 static float avx2_product(const float *a, const float *b, uint32_t count) {
    __m256 x = _mm256_setzero_ps(), y = x;
    for (uint32_t i = 0; i < count; i += 16) {
        x = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), x);
        y = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), y);
    }
    return sum8(_mm256_add_ps(x, y));
}

AVX2 static float avx2_distance(const float *a, const float *b, uint32_t count) {
    __m256 x = _mm256_setzero_ps(), y = x;
    for (uint32_t i = 0; i < count; i += 16) {
        __m256 d = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        __m256 e = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        x = _mm256_fmadd_ps(d, d, x);
        y = _mm256_fmadd_ps(e, e, y);
    }
    return sum8(_mm256_add_ps(x, y));
}

AVX2 static __m256i code_step(const int16_t *query, const int8_t *codes) {
    __m256i c = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)codes));
    return _mm256_madd_epi16(c, _mm256_loadu_si256((const __m256i *)(const void *)query));
}

AVX2 static int32_t avx2_code_product(const int16_t *query, const int8_t *codes, uint32_t count) {
    __m256i x = _mm256_setzero_si256(), y = x;
    for (uint32_t i = 0; i < count; i += 32) {
        x = _mm256_add_epi32(x, code_step(query + i, codes + i));
        y = _mm256_add_epi32(y, code_step(query + i + 16, codes + i + 16));
    }
    x = _mm256_add_epi32(x, y);
    return sum_of_4(_mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)));
}

SIMD_SEVERAL(avx2, AVX2)
const cql_simd cql__simd_avx2 = SIMD_TABLE(avx2, "avx2");

/* ---- AVX-512: sixteen floats ---- */

#define AVX512 __attribute__((target("avx512f,avx512bw")))

/* The lanes by halves, without the sequence that compilers put in place of _mm512_reduce_add_ps. */
AVX512 static float sum16(__m512 x) {
    __m512 y = _mm512_add_ps(x, _mm512_shuffle_f32x4(x, x, 0x4e));
    __m512 z = _mm512_add_ps(y, _mm512_shuffle_f32x4(y, y, 0xb1));
    return sum4(_mm512_castps512_ps128(z));
}

AVX512 static float avx512_product(const float *a, const float *b, uint32_t count) {
    __m512   x = _mm512_setzero_ps(), y = x;
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32) {
        x = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), x);
        y = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), y);
    }
    if (i < count) x = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), x);
    return sum16(_mm512_add_ps(x, y));
}

AVX512 static float avx512_distance(const float *a, const float *b, uint32_t count) {
    __m512   x = _mm512_setzero_ps(), y = x;
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m512 d = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        __m512 e = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        x = _mm512_fmadd_ps(d, d, x);
        y = _mm512_fmadd_ps(e, e, y);
    }
    if (i < count) {
        __m512 d = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        x = _mm512_fmadd_ps(d, d, x);
    }
    return sum16(_mm512_add_ps(x, y));
}

AVX512 static int32_t avx512_code_product(const int16_t *query, const int8_t *codes,
                                          uint32_t count) {
    __m512i x = _mm512_setzero_si512();
    for (uint32_t i = 0; i < count; i += 32) {
        __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(codes + i));
        __m512i q = _mm512_loadu_si512(query + i);
        x = _mm512_add_epi32(x, _mm512_madd_epi16(_mm512_cvtepi8_epi16(c), q));
    }
    __m256i y = _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
    return sum_of_4(_mm_add_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1)));
}

SIMD_SEVERAL(avx512, AVX512)
const cql_simd cql__simd_avx512 = SIMD_TABLE(avx512, "avx512");
#endif
