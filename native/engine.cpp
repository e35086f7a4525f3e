// Compiled once for each instruction set, with CHAINRULE_ISA as the name of its namespace.
#include "engine.hpp"

namespace chainrule::CHAINRULE_ISA {

Engine* make_engine(const Task& task, int width) {
    if (width == 4) return new Net<float>(task);
    return new Net<double>(task);
}

}  // namespace chainrule::CHAINRULE_ISA
