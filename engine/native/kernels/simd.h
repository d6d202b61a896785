// One vector type for every machine. V is a vector of NL numbers of type R; the same kernels compile for AVX-512,
// AVX2, SSE2 and NEON by the width of V, and for double precision by R. Only this file knows instruction sets.
//
// This header and everything that includes it is compiled once per instruction set, each time in a namespace of its
// own. No standard library here: a weak symbol compiled for a wide machine could be picked for a narrow one.
#pragma once
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#ifndef IMPLICAM_ISA
#error "compile with -DIMPLICAM_ISA=name and -DIMPLICAM_VBYTES=bytes"
#endif

#define IC_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define IC_UNROLL _Pragma("unroll")
#define IC_NOUNROLL _Pragma("clang loop unroll(disable)")
#else
#define IC_UNROLL _Pragma("GCC unroll 32")
#define IC_NOUNROLL _Pragma("GCC unroll 1")
#endif

namespace implicam::IMPLICAM_ISA {

#ifdef IMPLICAM_F64
typedef double R;
typedef int64_t I;
typedef uint64_t U;
#else
typedef float R;
typedef int32_t I;
typedef uint32_t U;
#endif

constexpr int NL = IMPLICAM_VBYTES / sizeof(R);
typedef R V __attribute__((vector_size(IMPLICAM_VBYTES)));
typedef I VI __attribute__((vector_size(IMPLICAM_VBYTES)));
typedef U VU __attribute__((vector_size(IMPLICAM_VBYTES)));
typedef R R4 __attribute__((vector_size(4 * sizeof(R)), aligned(sizeof(R)), may_alias));
typedef R R2 __attribute__((vector_size(2 * sizeof(R)), aligned(sizeof(R)), may_alias));
typedef R VUnaligned __attribute__((vector_size(IMPLICAM_VBYTES), aligned(sizeof(R)), may_alias));

IC_INLINE V splat(R x) { return V{} + x; }
IC_INLINE VI splati(I x) { return VI{} + x; }
IC_INLINE V load(const R* p) { return *(const VUnaligned*)p; }
IC_INLINE void store(R* p, V x) { *(VUnaligned*)p = x; }
IC_INLINE V loadf(const float* p) {
  V r;
  for (int k = 0; k < NL; k++) r[k] = p[k];
  return r;
}
IC_INLINE V vmin(V a, V b) { return a < b ? a : b; }
IC_INLINE V vmax(V a, V b) { return a > b ? a : b; }
IC_INLINE V vabs(V a) { return a < 0 ? -a : a; }
IC_INLINE V clamp(V x, R lo, R hi) { return vmin(vmax(x, splat(lo)), splat(hi)); }
IC_INLINE VI truncate(V x) { return __builtin_convertvector(x, VI); }
IC_INLINE V tofloat(VI x) { return __builtin_convertvector(x, V); }
IC_INLINE VI floori(V x) {
  VI i = truncate(x);
  return tofloat(i) > x ? i - 1 : i;
}

// x itself, which the compiler cannot see through: it is computed there and then, in a register.
IC_INLINE V opaque(V x) {
#if defined(IMPLICAM_F64)
  // Two registers a vector, or one, as the machine has them.
#elif defined(__x86_64__)
  asm volatile("" : "+v"(x));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(x));
#endif
  return x;
}

// Chains that keep every multiply-add unit busy: two units at a latency of four or five cycles want ten, and SSE2, whose
// products and sums have two units each and seven cycles for both, fourteen. With a factor and a term, no more than
// the registers hold.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int CHAINS = 24;
#else
constexpr int CHAINS = 14;
#endif

IC_INLINE V vsqrt(V x) {
#if defined(__AVX512F__) && IMPLICAM_VBYTES == 64 && !defined(IMPLICAM_F64)
  return (V)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX__) && IMPLICAM_VBYTES == 32 && !defined(IMPLICAM_F64)
  return (V)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__) && IMPLICAM_VBYTES == 16 && !defined(IMPLICAM_F64)
  return (V)_mm_sqrt_ps((__m128)x);
#else
  V r;
  for (int k = 0; k < NL; k++) r[k] = sizeof(R) == 4 ? (R)__builtin_sqrtf(x[k]) : (R)__builtin_sqrt(x[k]);
  return r;
#endif
}

#ifdef IMPLICAM_F64
#define IC_LANES(name, fn)             \
  IC_INLINE V name(V x) {              \
    V r;                               \
    for (int k = 0; k < NL; k++) r[k] = fn(x[k]); \
    return r;                          \
  }
IC_LANES(vexp, __builtin_exp)
IC_LANES(vlog, __builtin_log)
IC_INLINE void vsincos(V x, V& s, V& c) {
  for (int k = 0; k < NL; k++) {
    s[k] = __builtin_sin(x[k]);
    c[k] = __builtin_cos(x[k]);
  }
}
#else
// Polynomials after Cephes (Moshier), single precision, about 1 ulp on the ranges used here.
IC_INLINE V vexp(V x) {
  x = clamp(x, -87.f, 88.f);
  V t = x * 1.44269504088896341f;
  VI n = truncate(t + (t > 0 ? splat(.5f) : splat(-.5f)));
  V fn = tofloat(n);
  V r = x - fn * 0.693359375f;
  r = r + fn * 2.12194440e-4f;
  V y = splat(1.9875691500e-4f);
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.f;
  return y * (V)((n + 127) << 23);
}
// x > 0.
IC_INLINE V vlog(V x) {
  VI b = (VI)x;
  VI e = ((b >> 23) & 255) - 126;
  V m = (V)((b & 0x007fffff) | 0x3f000000);
  VI low = (VI)(m < 0.707106781f);
  e = e + low;
  m = low ? m + m - 1.f : m - 1.f;
  V fe = tofloat(e);
  V z = m * m;
  V y = splat(7.0376836292e-2f);
  y = y * m - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  y = y * m * z - fe * 2.12194440e-4f - .5f * z;
  return m + y + fe * 0.693359375f;
}
IC_INLINE void vsincos(V x, V& s, V& c) {
  V t = x * 0.636619772367581f;  // 2/π
  VI q = truncate(t + (t > 0 ? splat(.5f) : splat(-.5f)));
  V fq = tofloat(q);
  V r = x - fq * 1.5703125f;
  r = r - fq * 4.837512969970703125e-4f;
  r = r - fq * 7.54978995489188e-8f;
  V z = r * r;
  V sn = splat(-1.9515295891e-4f);
  sn = sn * z + 8.3321608736e-3f;
  sn = sn * z - 1.6666654611e-1f;
  sn = sn * z * r + r;
  V cs = splat(2.443315711809948e-5f);
  cs = cs * z - 1.388731625493765e-3f;
  cs = cs * z + 4.166664568298827e-2f;
  cs = cs * z * z - .5f * z + 1.f;
  VI swap = -(q & 1);
  V a = swap ? cs : sn, b = swap ? sn : cs;
  s = (q & 2) ? -a : a;
  c = ((q + 1) & 2) ? -b : b;
}
#endif

// Two-source shuffle with constant lane numbers; GCC before 12 lacks the clang spelling.
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define IC_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#endif
#endif
#ifndef IC_SHUFFLE
#define IC_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, VI{__VA_ARGS__})
#endif

template <int... K>
struct Lanes {};
template <int N, int... K>
struct MakeLanes : MakeLanes<N - 1, N - 1, K...> {};
template <int... K>
struct MakeLanes<0, K...> {
  typedef Lanes<K...> type;
};
typedef MakeLanes<NL>::type AllLanes;

template <int... K>
IC_INLINE V evens_(V a, V b, Lanes<K...>) {
  return IC_SHUFFLE(a, b, (2 * K)...);
}
template <int... K>
IC_INLINE V odds_(V a, V b, Lanes<K...>) {
  return IC_SHUFFLE(a, b, (2 * K + 1)...);
}
template <int... K>
IC_INLINE V zipLow_(V a, V b, Lanes<K...>) {
  return IC_SHUFFLE(a, b, (K / 2 + (K % 2) * NL)...);
}
template <int... K>
IC_INLINE V zipHigh_(V a, V b, Lanes<K...>) {
  return IC_SHUFFLE(a, b, (NL / 2 + K / 2 + (K % 2) * NL)...);
}

// buf holds NL quadruples (a, b, c, d): to four vectors, and back.
IC_INLINE void unzip4(const R* buf, V& a, V& b, V& c, V& d) {
  V u0 = load(buf), u1 = load(buf + NL), u2 = load(buf + 2 * NL), u3 = load(buf + 3 * NL);
  V ac0 = evens_(u0, u1, AllLanes{}), bd0 = odds_(u0, u1, AllLanes{});
  V ac1 = evens_(u2, u3, AllLanes{}), bd1 = odds_(u2, u3, AllLanes{});
  a = evens_(ac0, ac1, AllLanes{});
  c = odds_(ac0, ac1, AllLanes{});
  b = evens_(bd0, bd1, AllLanes{});
  d = odds_(bd0, bd1, AllLanes{});
}
IC_INLINE void zip4(R* buf, V a, V b, V c, V d) {
  V ac0 = zipLow_(a, c, AllLanes{}), ac1 = zipHigh_(a, c, AllLanes{});
  V bd0 = zipLow_(b, d, AllLanes{}), bd1 = zipHigh_(b, d, AllLanes{});
  store(buf, zipLow_(ac0, bd0, AllLanes{}));
  store(buf + NL, zipHigh_(ac0, bd0, AllLanes{}));
  store(buf + 2 * NL, zipLow_(ac1, bd1, AllLanes{}));
  store(buf + 3 * NL, zipHigh_(ac1, bd1, AllLanes{}));
}

// Lane sums of four vectors at once by a transposing tree.
constexpr int pick(int half, int lane, int add) {
  int in = lane % (2 * half), block = lane / (2 * half) * 2 * half;
  return (in < half ? block + in : NL + block + in - half) + add;
}
template <int H, int... K>
IC_INLINE V fold_(V a, V b, Lanes<K...>) {
  return IC_SHUFFLE(a, b, pick(H, K, 0)...) + IC_SHUFFLE(a, b, pick(H, K, H)...);
}
IC_INLINE R4 laneSums4(V a, V b, V c, V d) {
  V s = fold_<2>(fold_<1>(a, b, AllLanes{}), fold_<1>(c, d, AllLanes{}), AllLanes{});
  R4 r = {s[0], s[1], s[2], s[3]};
  for (int k = 4; k < NL; k += 4) r += R4{s[k], s[k + 1], s[k + 2], s[k + 3]};
  return r;
}
IC_INLINE R laneSum(V a) {
  R s = 0;
  for (int k = 0; k < NL; k++) s += a[k];
  return s;
}
// A number that the compiler may not take apart again: what it reassociates ends here.
IC_INLINE R settled(R x) {
  asm("" : "+m"(x));
  return x;
}
IC_INLINE R laneMax(V a) {
  R s = a[0];
  for (int k = 1; k < NL; k++) s = a[k] > s ? a[k] : s;
  return s;
}
IC_INLINE R laneMin(V a) {
  R s = a[0];
  for (int k = 1; k < NL; k++) s = a[k] < s ? a[k] : s;
  return s;
}

}  // namespace implicam::IMPLICAM_ISA
