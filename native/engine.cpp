// Compiled once for each instruction set, with CHAINRULE_ISA as the name of its namespace.
#include "engine.hpp"

namespace chainrule::CHAINRULE_ISA {

Engine* make_engine(const Task& task, int width) {
    if (width == 4) return new Net<float>(task);
    return new Net<double>(task);
}

void permutation(uint64_t seed, uint64_t epoch, long count, int64_t* rows) { shuffle(seed, epoch, count, rows); }

}  // namespace chainrule::CHAINRULE_ISA
