// Numerics that the processor and devices share: functions and templates over a scalar type S and a type T that is a
// vector of the processor's or one number of a device's thread. Each header of this folder is compiled once for every
// instruction set and for devices, each time in a namespace of its own (IC_SPACE), so that the linker never takes one
// machine's code for another. No standard library here.
// IC_SAME runs where the kernels run, IC_EITHER also on a device's host.
#pragma once
#include "shared/plan.h"
#if defined(IMPLICAM_ISA)
#include "kernels/simd.h"
#define IC_SPACE IMPLICAM_ISA
#define IC_SAME IC_INLINE
#define IC_EITHER IC_INLINE
#define IC_MEMBER inline __attribute__((always_inline))
#elif defined(__CUDACC__) || defined(IMPLICAM_EMULATE)
#include "cuda/device.h"
#define IC_SPACE device
#define IC_SAME IC_DEVICE
#define IC_EITHER IC_BOTH
#define IC_MEMBER IC_DEVICE
#else
#define IC_SPACE host
#define IC_SAME inline
#define IC_EITHER inline
#define IC_MEMBER inline
#endif

#if defined(__CUDACC__) && !defined(IMPLICAM_EMULATE)
#define IC_MATH(name) name
#else
#define IC_MATH(name) __builtin_##name
#endif

namespace implicam::IC_SPACE {

IC_SAME float exponential(float x) { return IC_MATH(expf)(x); }
IC_SAME double exponential(double x) { return IC_MATH(exp)(x); }
IC_SAME float logarithm(float x) { return IC_MATH(logf)(x); }
IC_SAME double logarithm(double x) { return IC_MATH(log)(x); }
IC_SAME float hyperbolicTangent(float x) { return IC_MATH(tanhf)(x); }
IC_SAME double hyperbolicTangent(double x) { return IC_MATH(tanh)(x); }
IC_EITHER float squareRoot(float x) { return IC_MATH(sqrtf)(x); }
IC_SAME double squareRoot(double x) { return IC_MATH(sqrt)(x); }
#if defined(IMPLICAM_ISA)
IC_SAME V logarithm(V x) { return vlog(x); }
IC_SAME V squareRoot(V x) { return vsqrt(x); }
#endif

// x in every lane.
template <class T, class S>
IC_SAME T every(S x) {
  return T{} + x;
}

}  // namespace implicam::IC_SPACE
