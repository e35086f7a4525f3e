// The engine without Python, for scripts/arm: trains small nets with every rule and prints what each ends with.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "contract.hpp"
#include "threads.hpp"

#define CHAINRULE_ISA names
#include "elementwise.hpp"

namespace chainrule {

Team* make_team() { return new Team; }
void end_team(Team* team) { delete team; }
void run_team(Team* team, int size, void (*f)(void*, int), void* what) { team->run(size, f, what); }
void meet_team(Team* team, int size) { team->meet(size); }
double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

static double drawn() {  // in [0, 1): the same everywhere
    static uint64_t state = 1;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return double(state >> 40) * 0x1p-24;
}

template <size_t N>
static int find(const names::Entry (&entries)[N], const char* label) {
    for (size_t i = 0; i < N; ++i) if (entries[i].label == std::string_view(label)) return int(i);
    std::fprintf(stderr, "no rule %s\n", label);
    std::exit(2);
}

static Rule rule(int id) { return {id, {0.9, 0.99, 1e-3, 0.01}}; }

static Layer layer(Kind kind, long n_in, long n_out, int activation) {
    return {kind, n_in, n_out, PER_UNIT, {activation, {0.5, 0.5}}, 0.25, 1e-3, 0.1, nullptr};
}

constexpr long ROWS = 33, INPUTS = 7, WIDE = 17, OUTPUTS = 3, UPDATES = 5;
constexpr long SIZE = WIDE * (INPUTS + 1) + 2 * WIDE + WIDE * (WIDE + 1) + 2 * WIDE + OUTPUTS * (WIDE + 1);

template <class T>
static std::vector<T> trained(int activation, int loss, int optimizer, int threads, const std::vector<T>& x, const std::vector<T>& t,
                              std::vector<T> found) {
    const std::string_view name = names::LOSSES[loss].label;
    const char* last = name == "binary_cross_entropy" ? "sigmoid" : name == "cross_entropy" ? "softmax"
                     : name == "poisson" ? "softplus" : "identity";
    const Layer layers[] = {
        layer(DENSE, INPUTS, WIDE, activation), layer(LAYER_NORM, WIDE, WIDE, 0), layer(DROPOUT, WIDE, WIDE, 0),
        layer(DENSE, WIDE, WIDE, find(names::ACTIVATIONS, "identity")), layer(ACTIVATION, WIDE, WIDE, activation),
        layer(BATCH_NORM, WIDE, WIDE, 0), layer(DENSE, WIDE, OUTPUTS, find(names::ACTIVATIONS, last))};
    Task task;
    task.layers = layers, task.n_layers = sizeof layers / sizeof *layers;
    task.loss = {loss, {0.5}}, task.optimizer = rule(optimizer), task.mean_over_outputs = true;
    task.penalties[0] = {0, {0.01}}, task.penalties[1] = {1, {0.01}}, task.n_penalties = 2;
    task.clipping = CLIP_NORM, task.limit = 1, task.seed = 7, task.rows = ROWS, task.threads = threads;
    task.x = x.data(), task.t = t.data();
    const std::unique_ptr<Engine> engine(baseline::make_engine(task, sizeof(T)));
    engine->set_parameters(found.data());
    std::vector<int64_t> rows(ROWS);
    for (long r = 0; r < ROWS; ++r) rows[r] = r;
    const std::vector<int64_t> starts(UPDATES, 0), stops(UPDATES, ROWS);
    const std::vector<double> rates(UPDATES, 1e-2);
    std::vector<double> losses(UPDATES);
    engine->advance({rows.data(), starts.data(), stops.data(), UPDATES}, rates.data(), -1e300, losses.data(), [] { return false; });
    engine->get_parameters(found.data());
    for (double each : losses) found.push_back(T(each));
    return found;
}

// One line a net: its rules, and the numbers to the last bit.
template <class T>
static bool tell(int activation, int loss, int optimizer) {
    std::vector<T> x(ROWS * INPUTS), t(ROWS * OUTPUTS), start(SIZE);
    for (T& each : x) each = T(4 * drawn() - 2);
    for (T& each : t) each = T(drawn());
    for (T& each : start) each = T(drawn() - 0.5);
    const std::vector<T> one = trained(activation, loss, optimizer, 1, x, t, start), three = trained(activation, loss, optimizer, 3, x, t, start);
    std::printf("%s,%s,%s,float%d", names::ACTIVATIONS[activation].label, names::LOSSES[loss].label, names::OPTIMIZERS[optimizer].label, int(8 * sizeof(T)));
    for (T each : one) std::printf(" %a", double(each));
    std::printf("\n");
    return std::memcmp(one.data(), three.data(), one.size() * sizeof(T)) == 0;
}

}  // namespace chainrule

int main() {
    using namespace chainrule;
    bool same = true;
    const int tanh = find(names::ACTIVATIONS, "tanh"), squares = find(names::LOSSES, "mean_squared_error");
    auto both = [&](int activation, int loss, int optimizer) {
        if (!tell<double>(activation, loss, optimizer) || !tell<float>(activation, loss, optimizer)) {
            std::fprintf(stderr, "other bits with 3 threads: net %d %d %d\n", activation, loss, optimizer);
            same = false;
        }
    };
    for (size_t i = 0; i < sizeof names::ACTIVATIONS / sizeof *names::ACTIVATIONS; ++i) both(int(i), squares, 0);
    for (size_t i = 0; i < sizeof names::LOSSES / sizeof *names::LOSSES; ++i) both(tanh, int(i), 0);
    for (size_t i = 0; i < sizeof names::OPTIMIZERS / sizeof *names::OPTIMIZERS; ++i) both(tanh, squares, int(i));
    return same ? 0 : 1;
}
