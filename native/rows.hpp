// What looks at a whole row or a whole column at once: softmax, its cross-entropy, and the two normalizations.
#pragma once

#include "arrays.hpp"

namespace chainrule::CHAINRULE_ISA {

// ---- softmax of a row of n numbers

template <class T>
T largest_of(long n, const T* x) {
    using V = Vec<T>;
    V most = all<V>(-HUGE_NUMBER<V>);
    for (long j = 0; j < n; j += LANES<T>) most = maximum(most, where(first<V>(n - j), load(x + j), -HUGE_NUMBER<V>));
    return largest(most);
}

// e^(x - largest), and their sum
template <class T>
T exponentials(long n, const T* x, T top, T* e) {
    using V = Vec<T>;
    V total{};
    for (long j = 0; j < n; j += LANES<T>) {
        const V each = where(first<V>(n - j), exp(difference(load(x + j), splat(top))), T(0));
        store(e + j, each);
        total += each;
    }
    return across(total);
}

template <class T>
void softmax(long n, const T* x, T* y) {
    const T total = exponentials(n, x, largest_of(n, x), y);
    for (long j = 0; j < n; j += LANES<T>) store(y + j, load(y + j) / total);
}

// dE/dx_i = sum over k of dE/dy_k times dy_k/dx_i = y_k ((k = i) - y_i). dx may be dy: `row` has room for a row.
template <class T>
void softmax_through(long n, const T* y, const T* dy, T* dx, T* row) {
    using V = Vec<T>;
    for (long i = 0; i < n; i += LANES<T>) {
        V total{};
        for (long k = 0; k < n; ++k) {
            const V same = where(first<V>(k + 1 - i) & ~first<V>(k - i), T(1), T(0));
            total += dy[k] * (y[k] * (same - load(y + i)));
        }
        store(row + i, where(first<V>(n - i), total, T(0)));
    }
    for (long i = 0; i < n; i += LANES<T>) store(dx + i, load(row + i));
}

// The loss of logits y for the targets t; its slope goes to dy.
template <class T>
double softmax_cross_entropy(long n, const T* y, const T* t, T* dy) {
    using V = Vec<T>;
    constexpr long L = LANES<T>;
    const T top = largest_of(n, y);
    const T total = exponentials(n, y, top, dy);
    long at = 0;
    while (at < n - 1 && y[at] != top) ++at;  // the first largest
    V rest{};
    for (long j = 0; j < n; j += L) rest += where(first<V>(at + 1 - j) & ~first<V>(at - j), T(0), load(dy + j));
    const V others = log1p(splat(across(rest)));
    typename Wide<T>::V parts{};
    for (long j = 0; j < n; j += L) {
        parts += widened(where(first<V>(n - j), times(load(t + j), others - difference(load(y + j), splat(top))), T(0)));
        store(dy + j, load(dy + j) / total - load(t + j));
    }
    return added<T>(parts);
}

// ---- normalization: y = gamma * x_hat + beta, x_hat = (x - mean) * scale

// A row of n numbers; returns its scale.
template <class T>
T normalize_row(long n, T epsilon, const T* x, const T* gamma, const T* beta, T* x_hat, T* y) {
    using V = Vec<T>;
    constexpr long L = LANES<T>;
    V total{}, squares{};
    for (long j = 0; j < n; j += L) total += where(first<V>(n - j), load(x + j), T(0));
    const T mean = across(total) / T(n);
    for (long j = 0; j < n; j += L) {
        const V from = where(first<V>(n - j), load(x + j) - mean, T(0));
        squares += from * from;
    }
    const T scale = (T(1) / sqrt(splat(T(across(squares) / T(n) + epsilon))))[0];
    for (long j = 0; j < n; j += L) {
        const V each = (load(x + j) - mean) * scale;
        store(x_hat + j, each);
        store(y + j, load(gamma + j) * each + load(beta + j));
    }
    return scale;
}

template <class T>
void back_row(long n, T scale, const T* gamma, const T* x_hat, const T* dy, T* dx) {
    using V = Vec<T>;
    constexpr long L = LANES<T>;
    V shifts{}, tilts{};
    for (long j = 0; j < n; j += L) {
        const V dx_hat = where(first<V>(n - j), load(dy + j) * load(gamma + j), T(0));
        shifts += dx_hat;
        tilts += where(first<V>(n - j), dx_hat * load(x_hat + j), T(0));
    }
    const T shift = across(shifts) / T(n), tilt = across(tilts) / T(n);
    for (long j = 0; j < n; j += L) {
        const V each = scale * (load(dy + j) * load(gamma + j) - shift - load(x_hat + j) * tilt);
        store(dx + j, where(first<V>(n - j), each, T(0)));
    }
}

// The sum of f(row) over the rows, in groups: the rounding grows with the root of their number.
template <class V, class F>
V over_rows(long rows, F f) {
    V total{};
    for (long from = 0; from < rows; from += 32) {
        V part{};
        for (long r = from; r < rows && r < from + 32; ++r) part += f(r);
        total += part;
    }
    return total;
}

// As many columns as a vector holds, of arrays whose rows lie `ld` apart.
template <class T>
struct Columns {
    using V = Vec<T>;
    long rows, ld;

    void normalize(T epsilon, V gamma, V beta, const T* x, T* mean_, T* variance_, T* scale_, T* x_hat, T* y) const {
        const V mean = over_rows<V>(rows, [&](long r) { return load(x + r * ld); }) / T(rows);
        const V variance = over_rows<V>(rows, [&](long r) { const V from = load(x + r * ld) - mean; return from * from; }) / T(rows);
        const V scale = T(1) / sqrt(variance + epsilon);
        store(mean_, mean), store(variance_, variance), store(scale_, scale);
        for (long r = 0; r < rows; ++r) {
            const V each = (load(x + r * ld) - mean) * scale;
            store(x_hat + r * ld, each);
            store(y + r * ld, gamma * each + beta);
        }
    }

    void back(V gamma, V scale, Int<V> inside, const T* x_hat, const T* dy, T* dx) const {
        const V shift = over_rows<V>(rows, [&](long r) { return load(dy + r * ld) * gamma; }) / T(rows);
        const V tilt = over_rows<V>(rows, [&](long r) { return load(dy + r * ld) * gamma * load(x_hat + r * ld); }) / T(rows);
        for (long r = 0; r < rows; ++r)
            store(dx + r * ld, where(inside, scale * (load(dy + r * ld) * gamma - shift - load(x_hat + r * ld) * tilt), T(0)));
    }

    // With the statistics that were remembered.
    void predict(T epsilon, V gamma, V beta, V mean, V variance, const T* x, T* y) const {
        const V root = sqrt(variance + epsilon);
        for (long r = 0; r < rows; ++r) store(y + r * ld, gamma * ((load(x + r * ld) - mean) / root) + beta);
    }
};

}  // namespace chainrule::CHAINRULE_ISA
