// Vectors of numbers through the compiler's vector extensions, and the alphabet of the rules (src/chainrule/rules/alphabet.py)
// on them. Our own exp and what follows from it: results depend neither on the C library nor on a number's place in an array,
// because there is no scalar tail: arrays are padded to whole lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace chainrule::CHAINRULE_ISA {

#if defined(__AVX512F__)
constexpr int BYTES = 64, REGISTERS = 32;
#elif defined(__AVX2__)
constexpr int BYTES = 32, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int BYTES = 16, REGISTERS = 32;
#else
constexpr int BYTES = 16, REGISTERS = 16;
#endif

constexpr long LINE = 64;  // bytes: rows of arrays begin at a cache line in every build

template <class T> struct Of;
template <> struct Of<float> {
    typedef float V __attribute__((vector_size(BYTES)));
    typedef float Loose __attribute__((vector_size(BYTES), aligned(4), may_alias));
    typedef int32_t I __attribute__((vector_size(BYTES)));
};
template <> struct Of<double> {
    typedef double V __attribute__((vector_size(BYTES)));
    typedef double Loose __attribute__((vector_size(BYTES), aligned(8), may_alias));
    typedef int64_t I __attribute__((vector_size(BYTES)));
};
template <class T> using Vec = typename Of<T>::V;
template <class V> using Number = std::remove_cvref_t<decltype(V{}[0])>;
template <class V> using Int = typename Of<Number<V>>::I;
template <class T> constexpr long LANES = BYTES / long(sizeof(T));

struct Entry {  // one line of the generated tables
    const char *label, *numbers;
};

#define INLINE inline __attribute__((always_inline))

template <class V> INLINE V all(V x) { return x; }
template <class V> INLINE V all(Number<V> x) { return x - V{}; }  // not x + 0: that turns -0 into 0
template <class T> INLINE Vec<T> load(const T* p) { Vec<T> v; std::memcpy(&v, p, sizeof v); return v; }
template <class T> INLINE void store(T* p, Vec<T> v) { std::memcpy(p, &v, sizeof v); }
template <class T> INLINE Vec<T> splat(T x) { return all<Vec<T>>(x); }

template <class V> INLINE Int<V> bits(V x) { return (Int<V>)x; }
template <class V> INLINE V number(Int<V> x) { return (V)x; }

// fma and sqrt: all that the extensions lack. Without a fused instruction (baseline x86) a product is rounded first.

#if defined(__AVX512F__)
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
INLINE Vec<float> sqrt(Vec<float> x) { return (Vec<float>)_mm512_sqrt_ps((__m512)x); }
INLINE Vec<double> sqrt(Vec<double> x) { return (Vec<double>)_mm512_sqrt_pd((__m512d)x); }
#elif defined(__AVX2__)
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
INLINE Vec<float> sqrt(Vec<float> x) { return (Vec<float>)_mm256_sqrt_ps((__m256)x); }
INLINE Vec<double> sqrt(Vec<double> x) { return (Vec<double>)_mm256_sqrt_pd((__m256d)x); }
#elif defined(__aarch64__)
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
INLINE Vec<float> sqrt(Vec<float> x) { return (Vec<float>)vsqrtq_f32((float32x4_t)x); }
INLINE Vec<double> sqrt(Vec<double> x) { return (Vec<double>)vsqrtq_f64((float64x2_t)x); }
#else
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return a * b + c; }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return a * b + c; }
template <class V> INLINE V sqrt_by_lanes(V x) {
    for (size_t i = 0; i < BYTES / sizeof x[0]; ++i) {
        if constexpr (sizeof x[0] == 4) x[i] = __builtin_sqrtf(x[i]); else x[i] = __builtin_sqrt(x[i]);
    }
    return x;
}
INLINE Vec<float> sqrt(Vec<float> x) { return sqrt_by_lanes(x); }
INLINE Vec<double> sqrt(Vec<double> x) { return sqrt_by_lanes(x); }
#endif

// The alphabet. A condition is a vector of integers, all bits or none.

INLINE Vec<float> where(Int<Vec<float>> c, Vec<float> x, Vec<float> y) { return c ? x : y; }
INLINE Vec<double> where(Int<Vec<double>> c, Vec<double> x, Vec<double> y) { return c ? x : y; }
INLINE Vec<float> where(Int<Vec<float>> c, float x, Vec<float> y) { return c ? splat(x) : y; }
INLINE Vec<double> where(Int<Vec<double>> c, double x, Vec<double> y) { return c ? splat(x) : y; }
INLINE Vec<float> where(Int<Vec<float>> c, Vec<float> x, float y) { return c ? x : splat(y); }
INLINE Vec<double> where(Int<Vec<double>> c, Vec<double> x, double y) { return c ? x : splat(y); }
INLINE Vec<float> where(Int<Vec<float>> c, float x, float y) { return c ? splat(x) : splat(y); }
INLINE Vec<double> where(Int<Vec<double>> c, double x, double y) { return c ? splat(x) : splat(y); }

// What is not a number stays so, as in NumPy. A rule's own number is one: then a single comparison does.
template <class V> INLINE V maximum(V x, V y) { return where((x > y) | (x != x), x, y); }
template <class V> INLINE V minimum(V x, V y) { return where((x < y) | (x != x), x, y); }
template <class V> INLINE V maximum(V x, Number<V> y) { return where(all<V>(y) > x, y, x); }
template <class V> INLINE V minimum(V x, Number<V> y) { return where(all<V>(y) < x, y, x); }

template <class V> constexpr Number<V> HUGE_NUMBER = sizeof(Number<V>) == 4 ? Number<V>(__builtin_inff()) : Number<V>(__builtin_inf());
template <class V> INLINE V sign_bit() { return all<V>(Number<V>(-0.0)); }
template <class V> INLINE V abs(V x) { return number<V>(bits(x) & ~bits(sign_bit<V>())); }
template <class V> INLINE V with_sign_of(V x, V y) { return number<V>(bits(abs(x)) | (bits(y) & bits(sign_bit<V>()))); }
template <class V> INLINE V sign(V x) { return where(x > Number<V>(0), Number<V>(1), where(x < Number<V>(0), Number<V>(-1), x)); }
template <class V> INLINE V times(V x, V y) { return where((x == Number<V>(0)) & (y == y), x * Number<V>(0) , x * y); }
template <class V> INLINE V difference(V x, V y) { return where(x == y, Number<V>(0), x - y); }

template <class T> struct Constants;
template <> struct Constants<double> {
    static constexpr int mantissa = 52, exponent_bias = 1023;
    static constexpr double to_whole = 0x1.8p52;  // adding it rounds to a whole number, which then stands in the low bits
    static constexpr double log2e = 1.4426950408889634, ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double exp_least = -750, exp_most = 710, expm1_least = -50;
    static constexpr double smallest = 0x1p-1022, up = 0x1p54;
    static constexpr int up_by = 54;
    static constexpr int64_t root_half = 0x3FE6A09E667F3BCD;
    static constexpr int64_t high_half = ~int64_t(0xFFFFFFFF);
    static constexpr double expm1[] = {  // 1/2!, 1/3! ... 1/13!
        0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800,
        1.0 / 479001600, 1.0 / 6227020800.0};
    // (log((1+s)/(1-s)) - 2s) / s in powers of s^2: the minimax polynomials are those of Sun's fdlibm
    static constexpr double log[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
        2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01};
    // (1 + 2x) exp(x^2) erfc(x) in powers of (x - 4) / (x + 4): interpolated at Chebyshev's points to 1.4e-17
    static constexpr double erfc[] = {1.2329951186255525067, -0.13962111684056289354, 0.015379652102620741303,
        0.068097054254737323901, -0.10103906603635213169, 0.093732834996794115895, -0.066330365811529384089,
        0.037167515562492865974, -0.016197734059115007082, 0.0050319697558954261144, -0.0007577733414133300446,
        -0.00019925550755614952137, 0.0001506222439483029924, -0.000024403169244974074952, -0.000011224789135154700706,
        5.7178872846321852018e-6, 3.0135049944875394771e-7, -8.351619688696847075e-7, 6.2707271571983108779e-8,
        1.1534943745754157287e-7, -7.7154186144178301303e-9, -1.3670989863347382443e-8, -1.8206098680308683344e-9};
};
template <> struct Constants<float> {
    static constexpr int mantissa = 23, exponent_bias = 127;
    static constexpr float to_whole = 0x1.8p23f;
    static constexpr float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    static constexpr float exp_least = -105, exp_most = 89, expm1_least = -30;
    static constexpr float smallest = 0x1p-126f, up = 0x1p25f;
    static constexpr int up_by = 25;
    static constexpr int32_t root_half = 0x3F3504F3;
    static constexpr int32_t high_half = ~0xFFF;
    static constexpr float expm1[] = {0.5f, 1.0f / 6, 1.0f / 24, 1.0f / 120, 1.0f / 720, 1.0f / 5040};
    static constexpr float log[] = {0.66666662693f, 0.40000972152f, 0.28498786688f, 0.24279078841f};
    static constexpr float erfc[] = {1.2329951346455308397f, -0.13962093624170630558f, 0.015377592645567798787f,
        0.06808839901738802119f, -0.10100142979083367493f, 0.093863487868746339627f, -0.066509378190268115919f,
        0.036383473712669579661f, -0.016292357079043319523f, 0.0065980025036742687408f, 0.00074284278490993722853f};
};
template <class V> using Constant = Constants<Number<V>>;

// c[FROM] + c[FROM + 1] x + ..., COUNT of them, by halves: the chain of operations is as long as the logarithm of their number.
template <size_t FROM, size_t COUNT, class V> INLINE V polynomial_part(const V* powers, const Number<V>* c) {
    if constexpr (COUNT == 1) {
        return all<V>(c[FROM]);
    } else {
        constexpr int level = COUNT > 16 ? 4 : COUNT > 8 ? 3 : COUNT > 4 ? 2 : COUNT > 2 ? 1 : 0;
        constexpr size_t half = size_t(1) << level;
        return fma(polynomial_part<FROM + half, COUNT - half>(powers, c), powers[level], polynomial_part<FROM, half>(powers, c));
    }
}
template <class V, size_t N> INLINE V polynomial(V x, const Number<V> (&c)[N]) {
    V powers[5] = {x};  // x, x^2, x^4 ...
    for (int i = 1; i < 5; ++i) powers[i] = powers[i - 1] * powers[i - 1];
    return polynomial_part<0, N>(powers, c);
}

template <class V> INLINE V power_of_two(Int<V> n) { return number<V>((n + Constant<V>::exponent_bias) << Constant<V>::mantissa); }

// x = n ln 2 + r, |r| <= ln(2) / 2: gives exp(r) - 1, and n
template <class V> INLINE V reduced(V x, Int<V>& n) {
    using C = Constant<V>;
    const V shifted = fma(x, all<V>(C::log2e), all<V>(C::to_whole)), whole = shifted - C::to_whole;
    n = bits(shifted) - bits(all<V>(C::to_whole));
    const V r = fma(whole, all<V>(-C::ln2_low), fma(whole, all<V>(-C::ln2_high), x));
    return fma(r * r, polynomial(r, C::expm1), r);
}

template <class V> INLINE V exp(V x) {
    using C = Constant<V>;
    Int<V> n;
    const V q = reduced(minimum(maximum(x, C::exp_least), C::exp_most), n);
    const Int<V> half = n >> 1;  // two factors: 2^n itself may be too large or too small
    return (q + Number<V>(1)) * power_of_two<V>(half) * power_of_two<V>(n - half);
}

template <class V> INLINE V expm1(V x) {
    using C = Constant<V>;
    Int<V> n;
    const V q = reduced(minimum(maximum(x, C::expm1_least), C::exp_most), n);
    const V half = power_of_two<V>(n - 1);
    return where(x == Number<V>(0), x, fma(q, half, half - Number<V>(0.5)) * Number<V>(2));
}

// log(u) + c, for a c that is far smaller
template <class V> INLINE V log_plus(V u, V c) {
    using C = Constant<V>;
    using T = Number<V>;
    const Int<V> small = u < C::smallest;
    const V scaled = where(small, u * C::up, u);
    const Int<V> n = (bits(scaled) - C::root_half) >> C::mantissa;
    const V m = number<V>(bits(scaled) - (n << C::mantissa));  // in [sqrt(1/2), sqrt(2))
    const V k = number<V>((n - (small & Int<V>(Int<V>{} + C::up_by))) + bits(all<V>(C::to_whole))) - C::to_whole;
    const V f = m - T(1), s = f / (f + T(2)), z = s * s, half = f * f * T(0.5);
    const V r = z * polynomial(z, C::log);
    const V y = k * C::ln2_high - ((half - (s * (half + r) + (k * C::ln2_low + c))) - f);
    return where(u > T(0), where(u == HUGE_NUMBER<V>, u, y), where(u == T(0), -HUGE_NUMBER<V>, (u - u) / (u - u)));
}

template <class V> INLINE V log(V x) { return log_plus(x, V{}); }

template <class V> INLINE V log1p(V x) {
    using T = Number<V>;
    const V u = x + T(1), lost = where(x > T(1), T(1) - (u - x), x - (u - T(1)));
    return where(u == HUGE_NUMBER<V>, u, where(x == T(0), x, log_plus(u, lost / u)));
}

template <class V> INLINE V tanh(V x) {
    const V e = expm1(abs(x) * Number<V>(-2));
    return with_sign_of(e / (e + Number<V>(2)), x);
}

template <class V> INLINE V sigmoid(V x) {
    using T = Number<V>;
    const V e = exp(-abs(x));  // never above 1: nothing overflows
    return where(x < T(0), e, T(1)) / (e + T(1));
}

template <class V> INLINE V erfc(V x) {
    using C = Constant<V>;
    using T = Number<V>;
    const V a = minimum(abs(x), T(30)), t = (a - T(4)) / (a + T(4));
    const V high = number<V>(bits(a) & C::high_half);  // its square is exact
    const V rest = (high - a) * (high + a);            // -(a^2 - high^2), small
    const V correction = ((((rest / T(120) + T(1) / T(24)) * rest + T(1) / T(6)) * rest + T(0.5)) * rest + T(1)) * rest + T(1);
    const V y = polynomial(t, C::erfc) * (exp(-high * high) * correction) / (a * T(2) + T(1));
    return where(x < T(0), T(2) - y, y);
}

// The same for a rule's own numbers.

INLINE double exp(double x) { return exp(splat(x))[0]; }
INLINE double log(double x) { return log(splat(x))[0]; }
INLINE double sqrt(double x) { return sqrt(splat(x))[0]; }

struct Pair { double high, low; };  // a sum of two numbers, for 32 digits
INLINE Pair product(Pair a, Pair b) {
    const double high = a.high * b.high;
    const double low = __builtin_fma(a.high, b.high, -high) + (a.high * b.low + a.low * b.high);
    return {high + low, (high - (high + low)) + low};
}
INLINE double power(double x, int64_t k) {  // to the last digit, however large k is
    Pair result{1, 0};
    for (Pair factor{x, 0}; k > 0; k >>= 1, factor = product(factor, factor)) if (k & 1) result = product(result, factor);
    return result.high + result.low;
}

// Sums in a fixed order, in double.

template <class T> inline double sum(const T* x, long n, long stride = 1) {
    if (n == 1) return double(x[0]);
    double part[8] = {};
    long i = 0;
    for (; i + 8 <= n; i += 8) for (int j = 0; j < 8; ++j) part[j] += double(x[(i + j) * stride]);
    for (int j = 0; i + j < n; ++j) part[j] += double(x[(i + j) * stride]);
    return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}
// f of all lanes, by halves: f(lane 0, lane n/2), ...
template <class T, int N, class V, class F> INLINE T folded(V x, F f) {
    if constexpr (N == 1) {
        return x[0];
    } else if constexpr (N == 2) {
        return f(T(x[0]), T(x[1]));
    } else {
        typedef T Half __attribute__((vector_size(N / 2 * sizeof(T))));
        Half half[2];
        std::memcpy(half, &x, sizeof x);
        return folded<T, N / 2>(Half(f(half[0], half[1])), f);
    }
}
template <class V> INLINE Number<V> across(V x) {
    return folded<Number<V>, BYTES / sizeof(Number<V>)>(x, [](auto a, auto b) { return a + b; });
}
template <class T> INLINE bool any(T bits) {
    return folded<Number<T>, BYTES / sizeof(Number<T>)>(bits, [](auto a, auto b) { return a | b; }) != 0;
}
template <class T> struct Wide {  // as many numbers as in a Vec<T>, in double
    typedef double V __attribute__((vector_size(BYTES / sizeof(T) * sizeof(double))));
};
template <class V> INLINE auto widened(V x) { return __builtin_convertvector(x, typename Wide<Number<V>>::V); }
template <class T> INLINE double added(typename Wide<T>::V x) {
    return folded<double, BYTES / sizeof(T)>(x, [](auto a, auto b) { return a + b; });
}
template <class V> INLINE Number<V> largest(V x) {  // what is not a number is larger than all
    return folded<Number<V>, BYTES / sizeof(Number<V>)>(x, [](auto a, auto b) { return (a > b) | (a != a) ? a : b; });
}

// The condition: this lane is among the first `count`.
template <class V> INLINE Int<V> first(long count) {
    Int<V> lane;
    for (size_t i = 0; i < BYTES / sizeof(Number<V>); ++i) lane[i] = i;
    return lane < Int<V>(Int<V>{} + Number<Int<V>>(count < 64 ? count : 64));
}

}  // namespace chainrule::CHAINRULE_ISA
