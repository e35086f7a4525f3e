// GENERATED from src/chainrule/rules by scripts/generate: change the rules, not this file.
// Every elementwise rule over a vector V of numbers T; c0, c1 ... are calculated in double and rounded once.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// The rules by number: a rule's label and the names of its numbers.

constexpr Entry ACTIVATIONS[] = {
    {"identity", ""},
    {"sigmoid", ""},
    {"tanh", ""},
    {"relu", ""},
    {"leaky_relu", "negative_slope"},
    {"elu", "alpha"},
    {"selu", "scale alpha"},
    {"gelu", ""},
    {"gelu_tanh", "cubic"},
    {"silu", ""},
    {"mish", ""},
    {"softplus", ""},
    {"exp", ""},
    {"hard_sigmoid", ""},
    {"softmax", ""},
};

constexpr Entry LOSSES[] = {
    {"half_squared_error", ""},
    {"squared_error", ""},
    {"mean_squared_error", ""},
    {"mean_absolute_error", ""},
    {"huber", "delta"},
    {"binary_cross_entropy", ""},
    {"sigmoid_binary_cross_entropy", ""},
    {"cross_entropy", ""},
    {"softmax_cross_entropy", ""},
    {"poisson", ""},
    {"pinball", "quantile"},
};

constexpr Entry PENALTIES[] = {
    {"l1", "strength"},
    {"l2", "strength"},
};

constexpr Entry OPTIMIZERS[] = {
    {"sgd", ""},
    {"momentum/pytorch", "momentum"},
    {"momentum/keras", "momentum"},
    {"nesterov/pytorch", "momentum"},
    {"nesterov/keras", "momentum"},
    {"adagrad/outside", "epsilon initial_accumulator"},
    {"adagrad/inside", "epsilon initial_accumulator"},
    {"rmsprop/outside", "rho epsilon"},
    {"rmsprop/inside", "rho epsilon"},
    {"adam/after/on", "beta1 beta2 epsilon"},
    {"adam/after/off", "beta1 beta2 epsilon"},
    {"adam/before/on", "beta1 beta2 epsilon"},
    {"adam/before/off", "beta1 beta2 epsilon"},
    {"adamw/after/on/times_rate", "beta1 beta2 epsilon weight_decay"},
    {"adamw/after/on/alone", "beta1 beta2 epsilon weight_decay"},
    {"adamw/after/off/times_rate", "beta1 beta2 epsilon weight_decay"},
    {"adamw/after/off/alone", "beta1 beta2 epsilon weight_decay"},
    {"adamw/before/on/times_rate", "beta1 beta2 epsilon weight_decay"},
    {"adamw/before/on/alone", "beta1 beta2 epsilon weight_decay"},
    {"adamw/before/off/times_rate", "beta1 beta2 epsilon weight_decay"},
    {"adamw/before/off/alone", "beta1 beta2 epsilon weight_decay"},
    {"nadam", "beta1 beta2 epsilon momentum_decay"},
};

template <class V>
struct ActivationIdentity {
    using T = Number<V>;
    explicit ActivationIdentity([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(x); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(T(1)); }
};

template <class V>
struct ActivationSigmoid {
    using T = Number<V>;
    explicit ActivationSigmoid([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(sigmoid(x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(y * (T(1) - y)); }
};

template <class V>
struct ActivationTanh {
    using T = Number<V>;
    explicit ActivationTanh([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(tanh(x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>((T(1) - y) * (T(1) + y)); }
};

template <class V>
struct ActivationRelu {
    using T = Number<V>;
    explicit ActivationRelu([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(maximum(x, T(0))); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(where(x > T(0), T(1), T(0))); }
};

template <class V>
struct ActivationLeakyRelu {
    using T = Number<V>;
    T c0;
    explicit ActivationLeakyRelu([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double negative_slope = p[0];
        c0 = T(negative_slope);
    }
    V value([[maybe_unused]] V x) const { return all<V>(where(x > T(0), x, c0 * x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(where(x > T(0), T(1), c0)); }
};

template <class V>
struct ActivationElu {
    using T = Number<V>;
    T c0;
    explicit ActivationElu([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double alpha = p[0];
        c0 = T(alpha);
    }
    V value([[maybe_unused]] V x) const { return all<V>(where(x > T(0), x, c0 * expm1(x))); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(where(x > T(0), T(1), c0 * exp(x))); }
};

template <class V>
struct ActivationSelu {
    using T = Number<V>;
    T c0, c1;
    explicit ActivationSelu([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double scale = p[0];
        [[maybe_unused]] const double alpha = p[1];
        c0 = T(scale);
        c1 = T(alpha);
    }
    V value([[maybe_unused]] V x) const { return all<V>(c0 * where(x > T(0), x, c1 * expm1(x))); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(c0 * where(x > T(0), T(1), c1 * exp(x))); }
};

template <class V>
struct ActivationGelu {
    using T = Number<V>;
    explicit ActivationGelu([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(times(erfc((-x) / T(1.4142135623730951)) / T(2), x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(erfc((-x) / T(1.4142135623730951)) / T(2) + times(exp((-x * x) / T(2)) / T(2.5066282746310002), x)); }
};

template <class V>
struct ActivationGeluTanh {
    using T = Number<V>;
    T c0, c1;
    explicit ActivationGeluTanh([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double cubic = p[0];
        c0 = T(cubic);
        c1 = T(double(3) * cubic);
    }
    V value([[maybe_unused]] V x) const { return all<V>(times(sigmoid(T(1.5957691216057308) * (x + c0 * x * x * x)), x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(sigmoid(T(1.5957691216057308) * (x + c0 * x * x * x)) + times(sigmoid(T(1.5957691216057308) * (x + c0 * x * x * x)) * sigmoid(-T(1.5957691216057308) * (x + c0 * x * x * x)), x * T(1.5957691216057308) * (T(1) + c1 * x * x))); }
};

template <class V>
struct ActivationSilu {
    using T = Number<V>;
    explicit ActivationSilu([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(times(sigmoid(x), x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(sigmoid(x) + times(sigmoid(x) * sigmoid(-x), x)); }
};

template <class V>
struct ActivationMish {
    using T = Number<V>;
    explicit ActivationMish([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(times(tanh(maximum(x, T(0)) + log1p(exp(-abs(x)))), x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(tanh(maximum(x, T(0)) + log1p(exp(-abs(x)))) + times((T(1) - tanh(maximum(x, T(0)) + log1p(exp(-abs(x))))) * (T(1) + tanh(maximum(x, T(0)) + log1p(exp(-abs(x))))) * sigmoid(x), x)); }
};

template <class V>
struct ActivationSoftplus {
    using T = Number<V>;
    explicit ActivationSoftplus([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(maximum(x, T(0)) + log1p(exp(-abs(x)))); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(sigmoid(x)); }
};

template <class V>
struct ActivationExp {
    using T = Number<V>;
    explicit ActivationExp([[maybe_unused]] const double* p) {
    }
    V value([[maybe_unused]] V x) const { return all<V>(exp(x)); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(y); }
};

template <class V>
struct ActivationHardSigmoid {
    using T = Number<V>;
    T c0;
    explicit ActivationHardSigmoid([[maybe_unused]] const double* p) {
        c0 = T(double(1) / double(6));
    }
    V value([[maybe_unused]] V x) const { return all<V>(minimum(maximum((x + T(3)) / T(6), T(0)), T(1))); }
    V slope([[maybe_unused]] V x, [[maybe_unused]] V y) const { return all<V>(where(T(3) > abs(x), c0, T(0))); }
};

template <class V>
struct LossHalfSquaredError {
    using T = Number<V>;
    explicit LossHalfSquaredError([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>((t - y) * (t - y) / T(2)); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(y - t); }
};

template <class V>
struct LossSquaredError {
    using T = Number<V>;
    explicit LossSquaredError([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>((t - y) * (t - y)); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(T(2) * (y - t)); }
};

template <class V>
struct LossMeanSquaredError {
    using T = Number<V>;
    explicit LossMeanSquaredError([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>((t - y) * (t - y)); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(T(2) * (y - t)); }
};

template <class V>
struct LossMeanAbsoluteError {
    using T = Number<V>;
    explicit LossMeanAbsoluteError([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(abs(t - y)); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(sign(y - t)); }
};

template <class V>
struct LossHuber {
    using T = Number<V>;
    T c0, c1, c2;
    explicit LossHuber([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double delta = p[0];
        c0 = T(delta);
        c1 = T(delta / double(2));
        c2 = T(-delta);
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(where(abs(t - y) > c0, c0 * (abs(t - y) - c1), abs(t - y) * abs(t - y) / T(2))); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(maximum(minimum(y - t, c0), c2)); }
};

template <class V>
struct LossBinaryCrossEntropy {
    using T = Number<V>;
    explicit LossBinaryCrossEntropy([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(-times(t, log(y)) - times(T(1) - t, log1p(-y))); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(times(T(1) - t, T(1) / (T(1) - y)) - times(t, T(1) / y)); }
};

template <class V>
struct LossSigmoidBinaryCrossEntropy {
    using T = Number<V>;
    explicit LossSigmoidBinaryCrossEntropy([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(times(t, maximum(-y, T(0)) + log1p(exp(-abs(-y)))) + times(T(1) - t, maximum(y, T(0)) + log1p(exp(-abs(y))))); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(sigmoid(y) - t); }
};

template <class V>
struct LossCrossEntropy {
    using T = Number<V>;
    explicit LossCrossEntropy([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(-times(t, log(y))); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(-times(t, T(1) / y)); }
};

template <class V>
struct LossPoisson {
    using T = Number<V>;
    explicit LossPoisson([[maybe_unused]] const double* p) {
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(y - times(t, log(y))); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(T(1) - times(t, T(1) / y)); }
};

template <class V>
struct LossPinball {
    using T = Number<V>;
    T c0, c1, c2;
    explicit LossPinball([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double quantile = p[0];
        c0 = T(quantile);
        c1 = T(double(1) - quantile);
        c2 = T(-quantile);
    }
    V each([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(maximum(c0 * (t - y), c1 * (y - t))); }
    V each_slope([[maybe_unused]] V y, [[maybe_unused]] V t) const { return all<V>(where(y > t, c1, where(t > y, c2, T(0)))); }
};

template <class V>
struct PenaltyL1 {
    using T = Number<V>;
    T c0;
    explicit PenaltyL1([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double strength = p[0];
        c0 = T(strength);
    }
    V each([[maybe_unused]] V w) const { return all<V>(c0 * abs(w)); }
    V slope([[maybe_unused]] V w) const { return all<V>(c0 * sign(w)); }
};

template <class V>
struct PenaltyL2 {
    using T = Number<V>;
    T c0;
    explicit PenaltyL2([[maybe_unused]] const double* p) {
        [[maybe_unused]] const double strength = p[0];
        c0 = T(strength);
    }
    V each([[maybe_unused]] V w) const { return all<V>(c0 * w * w / T(2)); }
    V slope([[maybe_unused]] V w) const { return all<V>(c0 * w); }
};

template <class V>
struct Sgd {
    using T = Number<V>;
    T c0;
    explicit Sgd([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        c0 = T(rate);
    }
    static constexpr int slots = 0, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        return all<V>(w - c0 * g);
    }
};

template <class V>
struct MomentumPytorch {
    using T = Number<V>;
    T c0, c1;
    explicit MomentumPytorch([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double momentum = p[0];
        c0 = T(momentum);
        c1 = T(rate);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V v = memory[0];
        memory[0] = all<V>(c0 * v + g);
        return all<V>(w - c1 * (c0 * v + g));
    }
};

template <class V>
struct MomentumKeras {
    using T = Number<V>;
    T c0, c1;
    explicit MomentumKeras([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double momentum = p[0];
        c0 = T(momentum);
        c1 = T(rate);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V v = memory[0];
        memory[0] = all<V>(c0 * v - c1 * g);
        return all<V>(w + c0 * v - c1 * g);
    }
};

template <class V>
struct NesterovPytorch {
    using T = Number<V>;
    T c0, c1;
    explicit NesterovPytorch([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double momentum = p[0];
        c0 = T(momentum);
        c1 = T(rate);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V v = memory[0];
        memory[0] = all<V>(c0 * v + g);
        return all<V>(w - c1 * (g + c0 * (c0 * v + g)));
    }
};

template <class V>
struct NesterovKeras {
    using T = Number<V>;
    T c0, c1;
    explicit NesterovKeras([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double momentum = p[0];
        c0 = T(momentum);
        c1 = T(rate);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V v = memory[0];
        memory[0] = all<V>(c0 * v - c1 * g);
        return all<V>(w + c0 * (c0 * v - c1 * g) - c1 * g);
    }
};

template <class V>
struct AdagradOutside {
    using T = Number<V>;
    T c0, c1;
    explicit AdagradOutside([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double epsilon = p[0];
        c0 = T(rate);
        c1 = T(epsilon);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V s = memory[0];
        memory[0] = all<V>(s + g * g);
        return all<V>(w - c0 * g / (sqrt(s + g * g) + c1));
    }
};

template <class V>
struct AdagradInside {
    using T = Number<V>;
    T c0, c1;
    explicit AdagradInside([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double epsilon = p[0];
        c0 = T(rate);
        c1 = T(epsilon);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V s = memory[0];
        memory[0] = all<V>(s + g * g);
        return all<V>(w - c0 * g / sqrt(s + g * g + c1));
    }
};

template <class V>
struct RmspropOutside {
    using T = Number<V>;
    T c0, c1, c2, c3;
    explicit RmspropOutside([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double rho = p[0];
        [[maybe_unused]] const double epsilon = p[1];
        c0 = T(rho);
        c1 = T(double(1) - rho);
        c2 = T(rate);
        c3 = T(epsilon);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V s = memory[0];
        memory[0] = all<V>(c0 * s + c1 * g * g);
        return all<V>(w - c2 * g / (sqrt(c0 * s + c1 * g * g) + c3));
    }
};

template <class V>
struct RmspropInside {
    using T = Number<V>;
    T c0, c1, c2, c3;
    explicit RmspropInside([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double rho = p[0];
        [[maybe_unused]] const double epsilon = p[1];
        c0 = T(rho);
        c1 = T(double(1) - rho);
        c2 = T(rate);
        c3 = T(epsilon);
    }
    static constexpr int slots = 1, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V s = memory[0];
        memory[0] = all<V>(c0 * s + c1 * g * g);
        return all<V>(w - c2 * g / sqrt(c0 * s + c1 * g * g + c3));
    }
};

template <class V>
struct AdamAfterOn {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6, c7;
    explicit AdamAfterOn([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate);
        c5 = T(double(1) / (double(1) - power(beta1, k)));
        c6 = T(double(1) / (double(1) - power(beta2, k)));
        c7 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * (c0 * m + c1 * g) * c5 / (sqrt((c2 * v + c3 * g * g) * c6) + c7));
    }
};

template <class V>
struct AdamAfterOff {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5;
    explicit AdamAfterOff([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate);
        c5 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c5));
    }
};

template <class V>
struct AdamBeforeOn {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5;
    explicit AdamBeforeOn([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate * sqrt(double(1) - power(beta2, k)) / (double(1) - power(beta1, k)));
        c5 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c5));
    }
};

template <class V>
struct AdamBeforeOff {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5;
    explicit AdamBeforeOff([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate);
        c5 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c5));
    }
};

template <class V>
struct AdamwAfterOnTimesRate {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6, c7, c8;
    explicit AdamwAfterOnTimesRate([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate * weight_decay);
        c5 = T(rate);
        c6 = T(double(1) / (double(1) - power(beta1, k)));
        c7 = T(double(1) / (double(1) - power(beta2, k)));
        c8 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) * c6 / (sqrt((c2 * v + c3 * g * g) * c7) + c8));
    }
};

template <class V>
struct AdamwAfterOnAlone {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6, c7, c8;
    explicit AdamwAfterOnAlone([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(weight_decay);
        c5 = T(rate);
        c6 = T(double(1) / (double(1) - power(beta1, k)));
        c7 = T(double(1) / (double(1) - power(beta2, k)));
        c8 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) * c6 / (sqrt((c2 * v + c3 * g * g) * c7) + c8));
    }
};

template <class V>
struct AdamwAfterOffTimesRate {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6;
    explicit AdamwAfterOffTimesRate([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate * weight_decay);
        c5 = T(rate);
        c6 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c6));
    }
};

template <class V>
struct AdamwAfterOffAlone {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6;
    explicit AdamwAfterOffAlone([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(weight_decay);
        c5 = T(rate);
        c6 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c6));
    }
};

template <class V>
struct AdamwBeforeOnTimesRate {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6;
    explicit AdamwBeforeOnTimesRate([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate * weight_decay);
        c5 = T(rate * sqrt(double(1) - power(beta2, k)) / (double(1) - power(beta1, k)));
        c6 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c6));
    }
};

template <class V>
struct AdamwBeforeOnAlone {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6;
    explicit AdamwBeforeOnAlone([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(weight_decay);
        c5 = T(rate * sqrt(double(1) - power(beta2, k)) / (double(1) - power(beta1, k)));
        c6 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c6));
    }
};

template <class V>
struct AdamwBeforeOffTimesRate {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6;
    explicit AdamwBeforeOffTimesRate([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(rate * weight_decay);
        c5 = T(rate);
        c6 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c6));
    }
};

template <class V>
struct AdamwBeforeOffAlone {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6;
    explicit AdamwBeforeOffAlone([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double weight_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(weight_decay);
        c5 = T(rate);
        c6 = T(epsilon);
    }
    static constexpr int slots = 2, counters = 0;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        return all<V>(w - c4 * w - c5 * (c0 * m + c1 * g) / (sqrt(c2 * v + c3 * g * g) + c6));
    }
};

template <class V>
struct Nadam {
    using T = Number<V>;
    T c0, c1, c2, c3, c4, c5, c6, c7, c8, c9;
    explicit Nadam([[maybe_unused]] const double* p, [[maybe_unused]] double rate, [[maybe_unused]] int64_t k) {
        [[maybe_unused]] const double beta1 = p[0];
        [[maybe_unused]] const double beta2 = p[1];
        [[maybe_unused]] const double epsilon = p[2];
        [[maybe_unused]] const double momentum_decay = p[3];
        c0 = T(beta1);
        c1 = T(double(1) - beta1);
        c2 = T(beta2);
        c3 = T(double(1) - beta2);
        c4 = T(beta1 * (double(1) - exp(log(double(0.96)) * k * momentum_decay) / double(2)));
        c5 = T(rate * (double(1) - beta1 * (double(1) - exp(log(double(0.96)) * k * momentum_decay) / double(2))));
        c6 = T(double(1) / (double(1) - power(beta2, k)));
        c7 = T(epsilon);
        c8 = T(rate * beta1 * (double(1) - exp(log(double(0.96)) * (k + double(1)) * momentum_decay) / double(2)));
        c9 = T(beta1 * (double(1) - exp(log(double(0.96)) * (k + double(1)) * momentum_decay) / double(2)));
    }
    static constexpr int slots = 2, counters = 1;
    V update([[maybe_unused]] V w, [[maybe_unused]] V g, [[maybe_unused]] V* memory) const {
        [[maybe_unused]] const V m = memory[0];
        [[maybe_unused]] const V v = memory[1];
        [[maybe_unused]] const V mu = memory[2];
        memory[0] = all<V>(c0 * m + c1 * g);
        memory[1] = all<V>(c2 * v + c3 * g * g);
        memory[2] = all<V>(mu * c4);
        return all<V>(w - (c5 / (T(1) - mu * c4) * g / (sqrt((c2 * v + c3 * g * g) * c6) + c7) + c8 / (T(1) - mu * c4 * c9) * (c0 * m + c1 * g) / (sqrt((c2 * v + c3 * g * g) * c6) + c7)));
    }
};

// Calls f with the rule of that number.

template <class V, class F>
inline void with_activation(int id, const double* p, F&& f) {
    switch (id) {
        case 0: return f(ActivationIdentity<V>(p));
        case 1: return f(ActivationSigmoid<V>(p));
        case 2: return f(ActivationTanh<V>(p));
        case 3: return f(ActivationRelu<V>(p));
        case 4: return f(ActivationLeakyRelu<V>(p));
        case 5: return f(ActivationElu<V>(p));
        case 6: return f(ActivationSelu<V>(p));
        case 7: return f(ActivationGelu<V>(p));
        case 8: return f(ActivationGeluTanh<V>(p));
        case 9: return f(ActivationSilu<V>(p));
        case 10: return f(ActivationMish<V>(p));
        case 11: return f(ActivationSoftplus<V>(p));
        case 12: return f(ActivationExp<V>(p));
        case 13: return f(ActivationHardSigmoid<V>(p));
    }
}

template <class V, class F>
inline void with_loss(int id, const double* p, F&& f) {
    switch (id) {
        case 0: return f(LossHalfSquaredError<V>(p));
        case 1: return f(LossSquaredError<V>(p));
        case 2: return f(LossMeanSquaredError<V>(p));
        case 3: return f(LossMeanAbsoluteError<V>(p));
        case 4: return f(LossHuber<V>(p));
        case 5: return f(LossBinaryCrossEntropy<V>(p));
        case 6: return f(LossSigmoidBinaryCrossEntropy<V>(p));
        case 7: return f(LossCrossEntropy<V>(p));
        case 9: return f(LossPoisson<V>(p));
        case 10: return f(LossPinball<V>(p));
    }
}

template <class V, class F>
inline void with_penalty(int id, const double* p, F&& f) {
    switch (id) {
        case 0: return f(PenaltyL1<V>(p));
        case 1: return f(PenaltyL2<V>(p));
    }
}

template <class V, class F>
inline void with_optimizer(int id, const double* p, double rate, int64_t k, F&& f) {
    switch (id) {
        case 0: return f(Sgd<V>(p, rate, k));
        case 1: return f(MomentumPytorch<V>(p, rate, k));
        case 2: return f(MomentumKeras<V>(p, rate, k));
        case 3: return f(NesterovPytorch<V>(p, rate, k));
        case 4: return f(NesterovKeras<V>(p, rate, k));
        case 5: return f(AdagradOutside<V>(p, rate, k));
        case 6: return f(AdagradInside<V>(p, rate, k));
        case 7: return f(RmspropOutside<V>(p, rate, k));
        case 8: return f(RmspropInside<V>(p, rate, k));
        case 9: return f(AdamAfterOn<V>(p, rate, k));
        case 10: return f(AdamAfterOff<V>(p, rate, k));
        case 11: return f(AdamBeforeOn<V>(p, rate, k));
        case 12: return f(AdamBeforeOff<V>(p, rate, k));
        case 13: return f(AdamwAfterOnTimesRate<V>(p, rate, k));
        case 14: return f(AdamwAfterOnAlone<V>(p, rate, k));
        case 15: return f(AdamwAfterOffTimesRate<V>(p, rate, k));
        case 16: return f(AdamwAfterOffAlone<V>(p, rate, k));
        case 17: return f(AdamwBeforeOnTimesRate<V>(p, rate, k));
        case 18: return f(AdamwBeforeOnAlone<V>(p, rate, k));
        case 19: return f(AdamwBeforeOffTimesRate<V>(p, rate, k));
        case 20: return f(AdamwBeforeOffAlone<V>(p, rate, k));
        case 21: return f(Nadam<V>(p, rate, k));
    }
}

}  // namespace chainrule::CHAINRULE_ISA
