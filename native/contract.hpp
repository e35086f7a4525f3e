// What the face (module.cpp) and the engines (engine.cpp, compiled once for each instruction set) say to each other:
// plain data and one abstract class. No standard containers: a template compiled for AVX-512 here and for anything else
// there would be one symbol to the linker, and the wrong one could win.
#pragma once

#include <cstdint>

namespace chainrule {

enum Kind { DENSE, ACTIVATION, DROPOUT, LAYER_NORM, BATCH_NORM };
enum Bias { NO_BIAS, PER_UNIT, SHARED };
enum Clip { NO_CLIP, CLIP_VALUE, CLIP_NORM };

constexpr int NUMBERS = 8;    // the most numbers a rule may have
constexpr int SLOTS = 3;      // the most slots and counters an optimizer may have
constexpr int PENALTIES = 4;  // the most penalties a network may have

struct Rule {  // which rule of elementwise.hpp, and its hyper-parameters in the order of its fields
    int id = 0;
    double numbers[NUMBERS] = {};
};

struct Layer {
    Kind kind = DENSE;
    long n_in = 0, n_out = 0;
    Bias bias = NO_BIAS;
    Rule activation;                // of a dense layer, or the layer itself
    double rate = 0, epsilon = 0, momentum = 0;
    const void* keep = nullptr;     // a given dropout mask, (rows of x, n_in)
};

struct Task {
    const Layer* layers = nullptr;
    long n_layers = 0;
    Rule loss;
    bool mean_over_outputs = false, mean_over_samples = true;
    Rule penalties[PENALTIES];
    int n_penalties = 0;
    Rule optimizer;
    Clip clipping = NO_CLIP;
    double limit = 0;
    bool frozen_biases = false;
    uint64_t seed = 0;
    const void *x = nullptr, *t = nullptr, *weight = nullptr;  // (rows, inputs), (rows, outputs), (rows,) or null
    long rows = 0;
    int threads = 0;                // exactly so many; 0: as many as pay off, up to most_threads
    int most_threads = 1;
    int64_t number = 0;             // updates done so far
};

struct Batches {  // batch i is rows[starts[i]] ... rows[stops[i] - 1]
    const int64_t *rows, *starts, *stops;
    long count;
};

class Engine {
public:
    virtual ~Engine() = default;
    // Updates until the batches are used up, a loss or a gradient is not finite, a loss is at most `until`, or poll() says stop
    // (asked about every 30 ms). Returns how many losses were written. The update of one that ended it was left out; where a
    // gradient is not finite, the loss is written as not a number.
    virtual long advance(const Batches&, const double* rates, double until, double* losses, bool (*poll)()) = 0;
    virtual bool interrupted() const = 0;
    virtual int64_t number() const = 0;
    // The loss of all rows of the task, price included, and its derivative by the flat buffer of network.py.
    virtual double gradient(void* flat) = 0;
    virtual void loss(const void* x, const void* t, const void* weight, long rows, double* data_and_price) = 0;
    // The parameters and each slot as the flat buffer of network.py; running statistics as (mean, variance) of a layer.
    virtual void get_parameters(void* flat) const = 0;
    virtual void set_parameters(const void* flat) = 0;
    virtual void get_slot(int slot, void* flat) const = 0;  // a counter stands in the first place of each parameter
    virtual void set_slot(int slot, const void* flat) = 0;
    virtual void get_memory(long layer, void* mean, void* variance) const = 0;
    virtual void set_memory(long layer, const void* mean, const void* variance) = 0;
};

// Made in engine.cpp, each in the namespace of its instruction set. width: 4 for float, 8 for double. permutation: the order of
// the rows in an epoch; count is below 2^32.
#define CHAINRULE_BUILD(name)                        \
    namespace name {                                 \
    Engine* make_engine(const Task&, int width);     \
    void permutation(uint64_t seed, uint64_t epoch, long count, int64_t* rows); \
    }
CHAINRULE_BUILD(baseline)
CHAINRULE_BUILD(avx2)
CHAINRULE_BUILD(avx512)

}  // namespace chainrule
