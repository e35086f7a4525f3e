// The engine: one loop forward, one back, one update, as in src/chainrule/engines/reference.py and with its names.
//
// Every thread runs the same step and owns a share of the rows, up to every dE/dz. They meet; from here on each owns a share of
// the parameters: it sums their gradients, they meet to see whether all are finite, it updates them, and they meet again (and
// around a batch norm, which looks at columns). Sums are never split.
#pragma once

#include "arrays.hpp"
#include "contract.hpp"
#include "draws.hpp"
#include "elementwise.hpp"
#include "gemm.hpp"
#include "pace.hpp"
#include "rows.hpp"
#include "threads.hpp"

namespace chainrule::CHAINRULE_ISA {

struct Span {  // where one parameter lies: rows x columns in our buffer (W by input, so that forward reads it in place)
    long layer, rows, columns, ld, start;
    long flat, size;  // its place in network.py's flat buffer
    char symbol;      // W, b, g(amma), B(eta)
    bool shared, frozen;
    bool narrow;         // a W with so few units that vectors of them would mostly be empty
    long* edges = nullptr;  // thread t has rows edges[t] ... edges[t + 1]
};

template <class T>
class Net final : public Engine {
    using V = Vec<T>;
    static constexpr long L = LANES<T>;

    struct Place {  // a layer and its arrays: x (rows, ld_in) -> y (rows, ld_out)
        Layer layer;
        long ld_in, ld_out;
        bool identity = false, softmax = false;
        bool by_unit() const { return layer.kind == DENSE && !identity && !softmax; }  // an activation of each number by itself
        Span *W = nullptr, *b = nullptr, *gamma = nullptr, *beta = nullptr;
        const T* x = nullptr;
        T* y = nullptr;
        T* dx = nullptr;                // where dE/dx goes; null if nobody wants it
        Buffer<T> sums, values, slopes;  // z, y, and dE/dy which becomes dE/dz
        Buffer<T> turned;               // W by unit, for the way back
        Buffer<T> keep, x_hat, scale, mean, variance, running_mean, running_variance;
    };

    struct Source {  // rows of a table; without `rows`, they are the first ones
        const T *x, *t, *weight;
        const int64_t* rows;
        long count;
        long operator[](long r) const { return rows ? rows[r] : r; }
    };

public:
    explicit Net(const Task& task) : task_(task), n_places_(task.n_layers), inputs_(task.layers[0].n_in), number_(task.number) {
        places_ = new Place[n_places_];
        spans_ = new Span[2 * n_places_];
        with_optimizer<V>(task.optimizer.id, task.optimizer.numbers, 0.0, 1, [this](auto rule) {
            slots_ = decltype(rule)::slots, counters_ = decltype(rule)::counters;
        });
        measure();
        team_ = make_team();
    }

    ~Net() override {
        end_team(team_);
        delete[] places_;
        delete[] spans_;
    }

    // ---- one step

    void forward(const Source& rows, int64_t number, bool training, int thread, int threads) {
        const long r0 = share(rows.count, thread, threads), r1 = share(rows.count, thread + 1, threads), n = r1 - r0;
        for (long place = 0; place < n_places_; ++place) {
            Place& here = places_[place];
            const Layer& layer = here.layer;
            const T* x = here.x + r0 * here.ld_in;
            T* y = here.y + r0 * here.ld_out;
            if (layer.kind == DENSE) {
                T* z = here.sums + r0 * here.ld_out;
                const auto sums = [&](auto end) {
                    product<false>(n, layer.n_out, layer.n_in, x, here.ld_in, weights(here.W), here.ld_out, z, here.ld_out, here.b ? weights(here.b) : nullptr, end);
                };
                if (!here.by_unit()) sums(Nothing{});
                else with_activation<V>(layer.activation.id, layer.activation.numbers, [&](auto rule) {
                    sums([=](long at) { store(y + at, rule.value(load(z + at))); });
                });
                if (here.softmax) value(here, n, z, y);
            } else if (layer.kind == ACTIVATION) {
                value(here, n, x, y);
            } else if (layer.kind == DROPOUT) {
                if (training) drop(here, place, rows, number, r0, r1, x, y);
                else std::memcpy(y, x, n * here.ld_in * sizeof(T));
            } else if (layer.kind == LAYER_NORM) {
                for (long r = r0; r < r1; ++r)
                    here.scale[r] = normalize_row(layer.n_in, T(layer.epsilon), here.x + r * here.ld_in, weights(here.gamma),
                                                  weights(here.beta), here.x_hat + r * here.ld_in, here.y + r * here.ld_in);
            } else if (!training) {
                const Columns<T> columns{n, here.ld_in};
                for (long j = 0; j < here.ld_in; j += L)
                    columns.predict(T(layer.epsilon), load(weights(here.gamma) + j), load(weights(here.beta) + j),
                                    load(here.running_mean + j), load(here.running_variance + j), x + j, y + j);
            } else {
                meet(threads);
                const long lines = here.ld_in / L;
                const Columns<T> columns{rows.count, here.ld_in};
                for (long j = share(lines, thread, threads) * L; j < share(lines, thread + 1, threads) * L; j += L)
                    columns.normalize(T(layer.epsilon), load(weights(here.gamma) + j), load(weights(here.beta) + j), here.x + j,
                                      here.mean + j, here.variance + j, here.scale + j, here.x_hat + j, here.y + j);
                meet(threads);
            }
        }
    }

    // From dE/dy of the last place to dE/dz or dE/dx of each; the parameters' gradients follow after the meeting.
    void backward(long rows, int thread, int threads) {
        const long r0 = share(rows, thread, threads), r1 = share(rows, thread + 1, threads), n = r1 - r0;
        bool through_already = false;  // dE/dy of this place has become dE/dz at the end of the product that made it
        for (long place = n_places_ - 1; place >= first_; --place) {
            Place& here = places_[place];
            const Layer& layer = here.layer;
            const T* x = here.x + r0 * here.ld_in;
            const T* y = here.y + r0 * here.ld_out;
            T* dy = here.slopes + r0 * here.ld_out;
            T* dx = here.dx ? here.dx + r0 * here.ld_in : nullptr;
            const T* turned = here.turned;
            if (layer.kind == DENSE) {
                if (!here.identity && !through_already) through(here, n, here.sums + r0 * here.ld_out, y, dy, dy);
                through_already = false;
                if (!dx) continue;
                const auto back = [&](auto end) {
                    product<false>(n, layer.n_in, layer.n_out, static_cast<const T*>(dy), here.ld_out, turned, here.ld_in, dx, here.ld_in, static_cast<const T*>(nullptr), end);
                };
                const Place& below = places_[place - 1];
                through_already = below.by_unit();
                if (!through_already) back(Nothing{});
                else with_activation<V>(below.layer.activation.id, below.layer.activation.numbers, [&](auto rule) {
                    const T *z = below.sums + r0 * here.ld_in, *y = below.y + r0 * here.ld_in;
                    back([=](long at) { store(dx + at, load(dx + at) * rule.slope(load(z + at), load(y + at))); });
                });
            } else if (layer.kind == ACTIVATION) {
                if (dx) through(here, n, x, y, dy, dx);
            } else if (layer.kind == DROPOUT) {
                const T* keep = here.keep + r0 * here.ld_in;
                const T left = T(1 - layer.rate);
                // y = x * keep / (1 - rate)
                if (dx) for (long i = 0; i < n * here.ld_in; i += L) store(dx + i, load(dy + i) * load(keep + i) / left);
            } else if (layer.kind == LAYER_NORM) {
                if (dx) for (long r = r0; r < r1; ++r)
                    back_row(layer.n_in, here.scale[r], weights(here.gamma), here.x_hat + r * here.ld_in,
                             here.slopes + r * here.ld_in, here.dx + r * here.ld_in);
            } else if (dx) {
                meet(threads);
                const long lines = here.ld_in / L;
                const Columns<T> columns{rows, here.ld_in};
                for (long j = share(lines, thread, threads) * L; j < share(lines, thread + 1, threads) * L; j += L)
                    columns.back(load(weights(here.gamma) + j), load(here.scale + j), first<V>(layer.n_in - j), here.x_hat + j,
                                 here.slopes + j, here.dx + j);
                meet(threads);
            }
        }
    }

    // E: the loss of the batch and the price of the weights. Every thread adds for itself, in the same order.
    double objective(const double* rows, long count, double divisor) const {
        const double data = sum(rows, count) / divisor;
        return task_.n_penalties ? data + sum<double>(prices_, n_prices_) : data;
    }

    bool step(const Source& rows, bool fresh, double rate, double until, int64_t number, double& loss, int thread, int threads) {
        if (fresh) gather(rows, thread, threads);
        forward(rows, number, true, thread, threads);
        const double divisor = weight_of(rows);
        judge(rows, divisor, true, losses_, thread, threads);
        backward(rows.count, thread, threads);
        if (task_.n_penalties) price(thread);
        meet(threads);
        const double found = objective(losses_, rows.count, task_.mean_over_samples ? divisor : 1);
        if (thread == 0) loss = found;
        if (!(found - found == 0) || found <= until) return false;
        Int<V> wrong{};  // any bit: a gradient is not finite
        for (long i = n_spans_ - 1; i >= 0; --i) {
            gradient(spans_[i], rows.count, false, thread);
            wrong |= complete(spans_[i], thread);
        }
        if (any(wrong)) __atomic_store_n(&spoiled_, true, __ATOMIC_RELAXED);
        meet(threads);
        if (__atomic_load_n(&spoiled_, __ATOMIC_RELAXED)) {
            if (thread == 0) loss = __builtin_nan("");
            return false;
        }
        with_optimizer<V>(task_.optimizer.id, task_.optimizer.numbers, rate, number,
                          [&](auto rule) { improve(rule, rows.count, thread); });
        return true;
    }

    // The next weights, of this thread's share of the parameters.
    template <class Rule>
    void improve(const Rule& rule, long rows, int thread) {
        T factor = 1;
        if (task_.clipping == CLIP_NORM) {
            const double norm = __builtin_sqrt(sum<double>(squares_, n_squares_));
            factor = T(task_.limit / (norm <= task_.limit ? task_.limit : norm));
        }
        for (long i = 0; i < n_spans_; ++i) {
            const Span& span = spans_[i];
            if (const long k0 = span.edges[thread], k1 = span.edges[thread + 1]; k0 < k1 && !span.frozen)
                update(rule, span, k0, k1 - k0, factor);
        }
        if (thread == 0) remember(rule, rows);
    }

    // ---- Engine

    long advance(const Batches& batches, const double* rates, double until, double* losses, bool (*poll)()) override {
        long most = 1;
        for (long i = 0; i < batches.count; ++i) most = batches.stops[i] - batches.starts[i] > most ? batches.stops[i] - batches.starts[i] : most;
        reserve(most);
        interrupted_ = spoiled_ = false;
        Call call{this, &batches, rates, until, losses, poll};
        call.between = work_ * most < 1e6 ? 256 : 1;
        call.looked = seconds();
        const bool chosen = task_.threads > 0;
        pace_.begin(chosen || share_of_work(most) < 1 ? 1 : threads_at_most(most), threads_for(most));
        while (call.done < batches.count && !call.over) {
            call.threads = chosen ? task_.threads : pace_.threads();
            call.from = call.to = call.done;
            double rows = 0;  // with nothing to choose all at once, else for about a millisecond
            const double enough = pace_.chooses() ? pace_.piece(2.5e7 / work_) : HUGE_NUMBER<Vec<double>>;
            for (; call.to < batches.count && rows < enough; ++call.to) rows += double(batches.stops[call.to] - batches.starts[call.to]);
            divide(call.threads);
            const double begun = seconds();
            run_team(team_, call.threads, [](void* call, int thread) { static_cast<Call*>(call)->net->run(*static_cast<Call*>(call), thread); }, &call);
            const double ended = seconds();
            if (!chosen) pace_.tell(rows, ended - begun, ended);
            number_ += call.done - call.from - call.left_out;
        }
        return call.done;
    }

    bool interrupted() const override { return interrupted_; }
    int64_t number() const override { return number_; }

    void loss(const void* x, const void* t, const void* weight, long rows, double* data_and_price) override {
        const Source all{static_cast<const T*>(x), static_cast<const T*>(t), static_cast<const T*>(weight), nullptr, rows};
        const long most = rows < 1024 ? rows : 1024;
        reserve(most);
        Buffer<double> each;
        each.resize(rows);
        Look look{this, &all, each, most, threads_for(most), 1};
        divide(look.threads);
        run_team(team_, look.threads, [](void* look, int thread) { static_cast<Look*>(look)->net->look(*static_cast<Look*>(look), thread); }, &look);
        data_and_price[0] = sum<double>(each, rows) / (task_.mean_over_samples ? weight_of(all) : 1);
        data_and_price[1] = task_.n_penalties ? sum<double>(prices_, n_prices_) : 0;
    }

    double gradient(void* flat) override {
        const Source all{static_cast<const T*>(task_.x), static_cast<const T*>(task_.t), static_cast<const T*>(task_.weight), nullptr, task_.rows};
        bool apart = true;  // whether rows may be looked at in parts: a batch norm needs them all at once
        for (long i = 0; i < n_places_; ++i) apart = apart && places_[i].layer.kind != BATCH_NORM;
        const long most = apart && all.count > 1024 ? 1024 : all.count;
        reserve(most);
        Buffer<double> each;
        each.resize(all.count);
        Look look{this, &all, each, most, threads_for(most), weight_of(all)};
        divide(look.threads);
        run_team(team_, look.threads, [](void* look, int thread) { static_cast<Look*>(look)->net->differentiate(*static_cast<Look*>(look), thread); }, &look);
        give(gradients_, static_cast<T*>(flat));
        return objective(each, all.count, task_.mean_over_samples ? look.weight : 1);
    }

    void get_parameters(void* flat) const override { give(parameters_, static_cast<T*>(flat)); }
    void set_parameters(const void* flat) override {
        take(parameters_, static_cast<const T*>(flat));
        for (long i = 0; i < n_spans_; ++i) turn(spans_[i], 0, spans_[i].rows);
    }
    void get_slot(int slot, void* flat) const override {
        if (slot < slots_) return give(memory_[slot], static_cast<T*>(flat));
        for (long i = 0; i < n_spans_; ++i) static_cast<T*>(flat)[spans_[i].flat] = counts_[i];
    }
    void set_slot(int slot, const void* flat) override {
        if (slot < slots_) return take(memory_[slot], static_cast<const T*>(flat));
        for (long i = 0; i < n_spans_; ++i) counts_[i] = static_cast<const T*>(flat)[spans_[i].flat];
    }
    void get_memory(long layer, void* mean, void* variance) const override {
        const Place& here = places_[layer];
        std::memcpy(mean, here.running_mean, here.layer.n_in * sizeof(T));
        std::memcpy(variance, here.running_variance, here.layer.n_in * sizeof(T));
    }
    void set_memory(long layer, const void* mean, const void* variance) override {
        Place& here = places_[layer];
        std::memcpy(here.running_mean, mean, here.layer.n_in * sizeof(T));
        std::memcpy(here.running_variance, variance, here.layer.n_in * sizeof(T));
    }

private:
    struct Call {  // one call of advance
        Net* net;
        const Batches* batches;
        const double* rates;
        double until;
        double* losses;
        bool (*poll)();
        long from = 0, to = 0;  // the batches that are next
        int threads = 1;
        long done = 0;          // losses written
        bool left_out = false;  // whether the last one had no update
        bool over = false;
        long between = 1;
        double looked = 0;
    };

    struct Look {  // one call of loss or gradient: all rows, in parts of at most so many
        Net* net;
        const Source* rows;
        double* each;
        long most;
        int threads;
        double weight;

        Source part(long from) const {
            const long inputs = net->inputs_, outputs = net->places_[net->n_places_ - 1].layer.n_out, left = rows->count - from;
            return {rows->x + from * inputs, rows->t + from * outputs, rows->weight ? rows->weight + from : nullptr, nullptr,
                    left < most ? left : most};
        }
    };

    void run(Call& call, int thread) {
        const Batches& batches = *call.batches;
        const int64_t first = number_;  // advance counts when all have come back
        for (long i = call.from; i < call.to; ++i) {
            const int64_t start = batches.starts[i], stop = batches.stops[i];
            const Source rows{static_cast<const T*>(task_.x), static_cast<const T*>(task_.t), static_cast<const T*>(task_.weight),
                              batches.rows + start, long(stop - start)};
            const bool fresh = i == 0 || start != batches.starts[i - 1] || stop != batches.stops[i - 1];
            const bool updated = step(rows, fresh, call.rates[i], call.until, first + i - call.from + 1, call.losses[i], thread, call.threads);
            if (thread == 0) {
                call.done = i + 1, call.left_out = !updated, call.over = !updated;
                if (updated && i % call.between == call.between - 1 && seconds() - call.looked > 0.03) {
                    interrupted_ = call.over = call.poll();
                    call.looked = seconds();
                }
            }
            if (!updated) break;
            meet(call.threads);
            if (thread == 0 && counters_) std::memcpy(counts_, next_counts_, n_spans_ * sizeof(T));
            if (interrupted_) break;
        }
    }

    void look(const Look& look, int thread) {
        for (long from = 0; from < look.rows->count; from += look.most) {
            const Source part = look.part(from);
            if (from) meet(look.threads);  // a shorter part is shared out otherwise: its rows may still be another thread's
            gather(part, thread, look.threads);
            forward(part, 0, false, thread, look.threads);
            judge(part, 1, false, look.each + from, thread, look.threads);
        }
        price(thread);
    }

    void differentiate(const Look& look, int thread) {
        for (long from = 0; from < look.rows->count; from += look.most) {
            const Source part = look.part(from);
            gather(part, thread, look.threads);
            forward(part, 0, true, thread, look.threads);
            judge(part, look.weight, true, look.each + from, thread, look.threads);
            backward(part.count, thread, look.threads);
            meet(look.threads);
            for (long i = 0; i < n_spans_; ++i) gradient(spans_[i], part.count, from > 0, thread);
            meet(look.threads);
        }
        for (long i = 0; i < n_spans_; ++i) complete(spans_[i], thread);
        price(thread);
    }

    // ---- shares

    static long share(long count, int thread, int threads) { return threads == 1 ? count * thread : count * thread / threads; }

    // Where each thread's rows of a parameter begin: all parameters' rows in one line, cut into equal parts.
    void divide(int threads) {
        if (threads == divided_) return;
        divided_ = threads;
        edges_.resize(n_spans_ * (threads + 1));
        longest_ = 0;
        for (long i = 0; i < n_spans_; ++i)
            if (const long size = spans_[i].columns * padded<T>(spans_[i].rows); spans_[i].narrow && size > longest_) longest_ = size;
        turned_.resize(longest_ * threads);
        for (long i = 0; i < n_spans_; ++i) {
            Span& span = spans_[i];
            span.edges = edges_ + i * (threads + 1);
            for (int thread = 1; thread < threads; ++thread) {
                const long rows = (size_ * thread / threads - span.start + span.ld - 1) / span.ld, whole = (rows + 3) / 4 * 4;
                span.edges[thread] = rows <= 0 ? 0 : whole < span.rows ? whole : span.rows;
            }
            span.edges[threads] = span.rows;
        }
    }

    void meet(int threads) {
        if (threads > 1) meet_team(team_, threads);
    }

    // How often the work of so many rows takes some 30 microseconds; a meeting takes 3.
    double share_of_work(long rows) const { return work_ * double(rows) / 4e6; }

    int threads_at_most(long rows) const {
        const double pay = share_of_work(rows) < 2 ? 2 : share_of_work(rows);
        return pay < task_.most_threads ? int(pay) : task_.most_threads;
    }

    int threads_for(long rows) const {
        return task_.threads > 0 ? task_.threads : share_of_work(rows) < 2 ? 1 : threads_at_most(rows);
    }

    // ---- activations

    void value(const Place& here, long rows, const T* x, T* y) const {
        if (here.softmax) {
            for (long r = 0; r < rows; ++r) CHAINRULE_ISA::softmax<T>(here.layer.n_out, x + r * here.ld_out, y + r * here.ld_out);
            return;
        }
        with_activation<V>(here.layer.activation.id, here.layer.activation.numbers, [&](auto rule) {
            for (long i = 0; i < rows * here.ld_out; i += L) store(y + i, rule.value(load(x + i)));
        });
    }

    // dE/dx = dE/dy times the slope
    void through(const Place& here, long rows, const T* x, const T* y, const T* dy, T* dx) const {
        if (here.softmax) {
            Buffer<T> row;
            row.resize(here.ld_out);
            for (long r = 0; r < rows; ++r) softmax_through<T>(here.layer.n_out, y + r * here.ld_out, dy + r * here.ld_out, dx + r * here.ld_out, row);
            return;
        }
        with_activation<V>(here.layer.activation.id, here.layer.activation.numbers, [&](auto rule) {
            for (long i = 0; i < rows * here.ld_out; i += L) store(dx + i, load(dy + i) * rule.slope(load(x + i), load(y + i)));
        });
    }

    // ---- dropout

    void drop(Place& here, long place, const Source& rows, int64_t number, long r0, long r1, const T* x, T* y) {
        const long n = here.layer.n_in;
        const T left = T(1 - here.layer.rate);
        for (long r = r0; r < r1; ++r) {
            T* mask = here.keep + r * here.ld_in;
            if (here.layer.keep) std::memcpy(mask, static_cast<const T*>(here.layer.keep) + rows[r] * n, n * sizeof(T));
            else keep(task_.seed, uint64_t(number), uint64_t(place + 1), here.layer.rate, r * n, (r + 1) * n, mask);
            for (long j = 0; j < here.ld_in; j += L, x += L, y += L) store(y, load(x) * load(mask + j) / left);
        }
    }

    // ---- the loss

    double weight_of(const Source& rows) const {
        if (!rows.weight) return double(rows.count);
        double part[8] = {};
        for (long r = 0; r < rows.count; ++r) part[r % 8] += double(rows.weight[rows[r]]);
        return sum(part, 8);
    }

    // Each row's loss, and its slope where the last layer expects it.
    void judge(const Source& rows, double divisor, bool slopes, double* losses, int thread, int threads) {
        const Place& last = places_[n_places_ - 1];
        const long n = last.layer.n_out;
        const double outputs = task_.mean_over_outputs ? double(n) : 1;
        const T divide = T(outputs * (task_.mean_over_samples ? divisor : 1));
        const long r0 = share(rows.count, thread, threads), r1 = share(rows.count, thread + 1, threads);
        const auto settle = [&](long r, double value, T* dy) {
            const T weight = rows.weight ? rows.weight[rows[r]] : T(1);
            losses[r] = (weight == 0 && value == value ? 0 : double(weight) * value) / outputs;
            if (slopes) for (long j = 0; j < n; j += L)
                store(dy + j, where(first<V>(n - j), (rows.weight ? times(splat(weight), load(dy + j)) : load(dy + j)) / divide, T(0)));
        };
        if (by_row_) {
            for (long r = r0; r < r1; ++r) {
                T* dy = last.slopes + r * last.ld_out;
                settle(r, softmax_cross_entropy<T>(n, last.y + r * last.ld_out, t_ + r * last.ld_out, dy), dy);
            }
            return;
        }
        with_loss<V>(task_.loss.id, task_.loss.numbers, [&](auto rule) {
            for (long r = r0; r < r1; ++r) {
                const T *y = last.y + r * last.ld_out, *t = t_ + r * last.ld_out;
                T* dy = last.slopes + r * last.ld_out;
                typename Wide<T>::V parts{};
                V each{};
                for (long j = 0; j < n; j += L) {
                    each = where(first<V>(n - j), rule.each(load(y + j), load(t + j)), T(0));
                    parts += widened(each);
                    if (slopes) store(dy + j, rule.each_slope(load(y + j), load(t + j)));
                }
                settle(r, n == 1 ? double(each[0]) : added<T>(parts), dy);
            }
        });
    }

    // The price of this thread's weights, row by row.
    void price(int thread) {
        long at = 0;
        for (long i = 0; i < n_spans_; ++i) {
            const Span& span = spans_[i];
            if (span.symbol != 'W') continue;
            for (long k = span.edges[thread]; k < span.edges[thread + 1]; ++k) {
                typename Wide<T>::V parts{};
                const T* w = weights(&span) + k * span.ld;
                for (int p = 0; p < task_.n_penalties; ++p) {
                    with_penalty<V>(task_.penalties[p].id, task_.penalties[p].numbers, [&](auto rule) {
                        for (long j = 0; j < span.columns; j += L)
                            parts += widened(where(first<V>(span.columns - j), rule.each(load(w + j)), T(0)));
                    });
                }
                prices_[at + k] = added<T>(parts);
            }
            at += span.rows;
        }
    }

    // ---- the update

    // This thread's share of a parameter's gradient; on top of what is there if `go_on`.
    void gradient(const Span& span, long rows, bool go_on, int thread) {
        const long k = span.edges[thread], count = span.edges[thread + 1] - k;
        if (count <= 0 || span.frozen) return;
        const Place& here = places_[span.layer];
        T* g = gradients_ + span.start + k * span.ld;
        const T* dy = here.slopes;  // of a dense layer it is dE/dz by now
        if (span.symbol == 'W') {
            const T* x = here.x + k;
            if (go_on || !span.narrow) {
                product<true>(count, span.columns, rows, x, here.ld_in, dy, here.ld_out, g, span.ld, static_cast<const T*>(nullptr), Nothing{}, go_on);
            } else {  // few units: vectors of inputs instead of vectors of units; the same sums
                T* turned = turned_ + thread * longest_;
                product<true>(span.columns, count, rows, dy, here.ld_out, x, here.ld_in, turned, here.ld_in, static_cast<const T*>(nullptr), Nothing{});
                transpose(span.columns, count, static_cast<const T*>(turned), here.ld_in, g, span.ld);
            }
        } else {
            for (long j = 0; j < span.columns; j += L) {
                const V total = over_rows<V>(rows, [&](long r) {
                    const V each = load(dy + r * here.ld_out + j);
                    return span.symbol == 'g' ? each * load(here.x_hat + r * here.ld_out + j) : each;
                });
                store(g + j, go_on ? load(g + j) + total : total);
            }
        }
    }

    // What belongs to a gradient besides the sums over the rows. Returns what is not finite in it, as bits.
    Int<V> complete(const Span& span, int thread) {
        const long k = span.edges[thread], count = span.edges[thread + 1] - k;
        Int<V> wrong{};
        if (count <= 0 || span.frozen) return wrong;
        T* g = gradients_ + span.start + k * span.ld;
        if (span.shared) {  // one bias for all units: our row has it once for each
            const T total = T(sum(g, span.columns));
            for (long j = 0; j < span.columns; ++j) g[j] = total;
        }
        if (span.symbol == 'W' && task_.n_penalties) add_penalties(span, k, count, g);
        if (task_.clipping == CLIP_NORM) measure_squares(span, k, count, g);
        const long whole = (span.columns - 1) & -L;  // what stands beyond a row's end is not looked at
        const Int<V> tail = first<V>(span.columns - whole);
        for (const T* end = g + count * span.ld; g < end; g += span.ld) {
            for (long j = 0; j < whole; j += L) wrong |= bits(load(g + j) - load(g + j));  // 0, or not a number
            wrong |= tail & bits(load(g + whole) - load(g + whole));
        }
        return wrong;
    }

    void add_penalties(const Span& span, long k, long count, T* g) {
        const T* w = weights(&span) + k * span.ld;
        for (int p = 0; p < task_.n_penalties; ++p)
            with_penalty<V>(task_.penalties[p].id, task_.penalties[p].numbers, [&](auto rule) {
                for (long i = 0; i < count * span.ld; i += L) store(g + i, load(g + i) + rule.slope(load(w + i)));
            });
    }

    void measure_squares(const Span& span, long k, long count, const T* g) {
        long at = 0;
        for (const Span* each = spans_; each != &span; ++each) at += each->rows;
        for (long r = k; r < k + count; ++r, g += span.ld) {
            double total = 0;
            for (long j = 0; j < (span.shared ? 1 : span.columns); ++j) total += double(g[j]) * double(g[j]);
            squares_[at + r] = total;
        }
    }

    template <class Rule>
    void update(const Rule& rule, const Span& span, long k, long count, T factor) {
        const long start = span.start + k * span.ld;
        T *w = parameters_ + start, *g = gradients_ + start;
        V s[SLOTS];
        V counter;
        if constexpr (Rule::counters > 0) counter = splat(counts_[&span - spans_]);
        const Clip clipping = task_.clipping;
        for (long i = 0; i < count * span.ld; i += L) {
            V each = load(g + i);
            if (clipping == CLIP_VALUE) each = maximum(minimum(each, T(task_.limit)), T(-task_.limit));
            else if (clipping == CLIP_NORM) each = factor * each;
            for (int slot = 0; slot < Rule::slots; ++slot) s[slot] = load(memory_[slot] + start + i);
            if constexpr (Rule::counters > 0) s[Rule::slots] = counter;
            store(w + i, rule.update(load(w + i), each, s));
            for (int slot = 0; slot < Rule::slots; ++slot) store(memory_[slot] + start + i, s[slot]);
        }
        turn(span, k, count);
    }

    // Rows of W, as backward reads them.
    void turn(const Span& span, long k, long count) {
        const Place& here = places_[span.layer];
        if (span.symbol == 'W' && here.turned) transpose(count, span.columns, weights(&span) + k * span.ld, span.ld, here.turned + k, here.ld_in);
    }

    // Counters and running statistics, once an update.
    template <class Rule>
    void remember(const Rule& rule, long rows) {
        if constexpr (Rule::counters > 0)
            for (long i = 0; i < n_spans_; ++i) {
                V s[SLOTS] = {};
                s[Rule::slots] = splat(counts_[i]);
                rule.update(V{}, V{}, s);
                next_counts_[i] = spans_[i].frozen ? counts_[i] : s[Rule::slots][0];
            }
        for (long place = 0; place < n_places_; ++place) {
            Place& here = places_[place];
            if (here.layer.kind != BATCH_NORM) continue;
            const T momentum = T(here.layer.momentum);
            for (long j = 0; j < here.ld_in; j += L) {
                const V variance = load(here.variance + j), unbiased = rows > 1 ? variance * T(rows) / T(rows - 1) : variance;
                const V mean = load(here.running_mean + j), spread = load(here.running_variance + j);
                store(here.running_mean + j, mean + momentum * (load(here.mean + j) - mean));
                store(here.running_variance + j, spread + momentum * (unbiased - spread));
            }
        }
    }

    // ---- memory

    const T* weights(const Span* span) const { return parameters_ + span->start; }

    Span* add(long layer, char symbol, long rows, long columns, bool shared = false) {
        const bool frozen = symbol == 'b' && task_.frozen_biases;
        Span& span = spans_[n_spans_++];
        span = {layer, rows, columns, padded<T>(columns), size_, flat_, shared ? 1 : rows * columns, symbol, shared, frozen,
                symbol == 'W' && columns * ((rows + L - 1) / L) < rows * ((columns + L - 1) / L)};
        size_ += rows * span.ld;
        flat_ += span.size;
        return &span;
    }

    void measure() {
        first_ = n_places_;
        for (long i = 0; i < n_places_; ++i) {
            Place& here = places_[i];
            const Layer& layer = here.layer = task_.layers[i];
            here.ld_in = padded<T>(layer.n_in), here.ld_out = padded<T>(layer.n_out);
            const char* name = ACTIVATIONS[layer.activation.id].label;
            here.identity = std::strcmp(name, "identity") == 0, here.softmax = std::strcmp(name, "softmax") == 0;
            if (layer.kind == DENSE) {
                here.W = add(i, 'W', layer.n_in, layer.n_out);
                if (layer.bias != NO_BIAS) here.b = add(i, 'b', 1, layer.n_out, layer.bias == SHARED);
                work_ += 6.0 * double(layer.n_in) * double(layer.n_out);
                if (first_ < n_places_) here.turned.resize(layer.n_out * here.ld_in);
            } else if (layer.kind == LAYER_NORM || layer.kind == BATCH_NORM) {
                here.gamma = add(i, 'g', 1, layer.n_in), here.beta = add(i, 'B', 1, layer.n_in);
                here.running_mean.resize(here.ld_in), here.running_variance.resize(here.ld_in);
                here.mean.resize(here.ld_in), here.variance.resize(here.ld_in);
                for (long j = 0; j < here.ld_in; ++j) here.running_variance[j] = 1;
            }
            work_ += 40.0 * double(layer.n_out);
            if ((here.W || here.gamma) && first_ == n_places_) first_ = i;
        }
        by_row_ = std::strcmp(LOSSES[task_.loss.id].label, "softmax_cross_entropy") == 0;
        long rows = 0;
        for (long i = 0; i < n_spans_; ++i) rows += spans_[i].rows, n_prices_ += spans_[i].symbol == 'W' ? spans_[i].rows : 0;
        n_squares_ = rows;
        parameters_.resize(size_), gradients_.resize(size_), prices_.resize(rows), squares_.resize(rows);
        for (int slot = 0; slot < slots_; ++slot) memory_[slot].resize(size_);
        counts_.resize(n_spans_), next_counts_.resize(n_spans_);
        task_.layers = nullptr;  // the caller's; ours are in places_
    }

    // Arrays for batches of so many rows.
    void reserve(long rows) {
        if (rows <= rows_) return;
        rows_ = rows;
        const Place& last = places_[n_places_ - 1];
        x_.resize(rows * places_[0].ld_in), t_.resize(rows * last.ld_out), losses_.resize(rows);
        for (long i = 0; i < n_places_; ++i) {
            Place& here = places_[i];
            const Kind kind = here.layer.kind;
            here.x = i ? places_[i - 1].y : x_;
            here.slopes.resize(rows * here.ld_out);
            here.dx = nullptr;
            if (i > first_) here.dx = places_[i - 1].slopes;
            if (kind == DENSE) here.sums.resize(rows * here.ld_out);
            if (!(kind == DENSE && here.identity)) here.values.resize(rows * here.ld_out);
            here.y = static_cast<T*>(kind == DENSE && here.identity ? here.sums : here.values);
            if (kind == DROPOUT) here.keep.resize(rows * here.ld_in);
            if (kind == LAYER_NORM || kind == BATCH_NORM) here.x_hat.resize(rows * here.ld_in), here.scale.resize(rows + here.ld_in);
        }
    }

    void gather(const Source& rows, int thread, int threads) {
        const Place& last = places_[n_places_ - 1];
        const long outputs = last.layer.n_out;
        const long r1 = share(rows.count, thread + 1, threads);
        for (long r = share(rows.count, thread, threads); r < r1; ++r) {
            if (r + 2 < r1)  // rows lie anywhere in memory: the one after the next is fetched meanwhile
                for (long j = 0; j < inputs_; j += LINE / long(sizeof(T))) __builtin_prefetch(rows.x + rows[r + 2] * inputs_ + j);
            std::memcpy(x_ + r * places_[0].ld_in, rows.x + rows[r] * inputs_, inputs_ * sizeof(T));
            std::memcpy(t_ + r * last.ld_out, rows.t + rows[r] * outputs, outputs * sizeof(T));
        }
    }

    // Between network.py's flat buffer (W by unit) and ours (W by input, rows padded).
    void give(const T* ours, T* flat) const {
        for (long i = 0; i < n_spans_; ++i) {
            const Span& span = spans_[i];
            if (span.symbol == 'W') transpose(span.rows, span.columns, ours + span.start, span.ld, flat + span.flat, span.rows);
            else std::memcpy(flat + span.flat, ours + span.start, span.size * sizeof(T));
        }
    }
    void take(T* ours, const T* flat) const {
        for (long i = 0; i < n_spans_; ++i) {
            const Span& span = spans_[i];
            if (span.symbol == 'W') transpose(span.columns, span.rows, flat + span.flat, span.rows, ours + span.start, span.ld);
            else for (long j = 0; j < span.columns; ++j) ours[span.start + j] = flat[span.flat + (span.shared ? 0 : j)];
        }
    }

    Task task_;
    long n_places_, inputs_, n_spans_ = 0, first_ = 0;  // first_: the first place with parameters, where backward ends
    Place* places_ = nullptr;
    Span* spans_ = nullptr;
    long size_ = 0, flat_ = 0, rows_ = 0, n_prices_ = 0, n_squares_ = 0;
    int slots_ = 0, counters_ = 0;
    bool by_row_ = false, interrupted_ = false, spoiled_ = false;  // spoiled: a gradient is not finite
    double work_ = 0;  // floating-point operations a row
    int64_t number_ = 0;
    Buffer<T> x_, t_, turned_, parameters_, gradients_, memory_[SLOTS], counts_, next_counts_;
    Buffer<double> losses_, prices_, squares_;
    Buffer<long> edges_;
    int divided_ = 0;
    long longest_ = 0;  // of a narrow gradient, by unit
    Team* team_ = nullptr;
    Pace pace_;
};

}  // namespace chainrule::CHAINRULE_ISA
