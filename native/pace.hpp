// One thread or all of them: whichever has been faster lately. The bits are the same, so it may change from one moment to the
// next: when another program takes a processor, threads that wait for each other lose more than they gain.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

class Pace {
public:
    static constexpr double PIECE = 1e-3;  // seconds that go by before it thinks again

    // all: how many threads there are to choose; expected: what to begin with.
    void begin(int all, int expected) {
        if (all == all_) return;
        *this = Pace();
        all_ = all, now_ = expected > 1 ? ALL : ONE;
    }

    bool chooses() const { return all_ > 1; }
    int threads() const { return (trying_ ? 1 - now_ : now_) == ALL ? all_ : 1; }

    // So many of the units that `tell` counts are done in a piece; before anything was told, `expected`.
    double piece(double expected) const {
        const double cost = cost_[trying_ ? 1 - now_ : now_];
        return cost > 0 ? PIECE / cost : expected;
    }

    // What was just done, in any unit of work, and how long it took until this time.
    void tell(double units, double seconds, double time) {
        const int chosen = trying_ ? 1 - now_ : now_;
        const double cost = seconds / units, before = cost_[chosen];
        cost_[chosen] = before == 0 ? cost : before + 0.3 * (cost - before);
        if (all_ == 1) return;
        if (trying_) {
            trying_ = false;
            if (cost < 0.95 * cost_[now_]) now_ = chosen, patience_ = LEAST;
            else if (patience_ < MOST) patience_ *= 2;
            cost_[chosen] = cost;
            look_ = time + patience_ * (seconds > PIECE ? seconds : PIECE);
        } else if (look_ == 0) {
            look_ = time + LEAST * PIECE;
        } else if (before > 0 && cost > 1.3 * before && look_ > time + LEAST * PIECE) {
            look_ = time + LEAST * PIECE;  // something has changed
            patience_ = LEAST;
        } else if (time >= look_) {
            trying_ = true;
        }
    }

private:
    enum { ONE, ALL };
    static constexpr double LEAST = 10, MOST = 320;  // a look costs at most a tenth of the time, soon far less

    int all_ = 0, now_ = ONE;
    bool trying_ = false;
    double cost_[2] = {}, look_ = 0, patience_ = LEAST;
};

}  // namespace chainrule::CHAINRULE_ISA
