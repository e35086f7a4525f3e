// The face of the engine: the only file that knows Python. Arrays come as pointers that native.py keeps alive and has checked.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "contract.hpp"
#include "threads.hpp"

#define CHAINRULE_ISA names
#include "elementwise.hpp"

namespace nb = nanobind;

namespace chainrule {

Team* make_team() { return new Team; }
void end_team(Team* team) { delete team; }
void run_team(Team* team, int size, void (*f)(void*, int), void* what) { team->run(size, f, what); }
void meet_team(Team* team, int size) { team->meet(size); }
double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

using Array = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;  // read
using Room = nb::ndarray<nb::c_contig, nb::device::cpu>;           // written
using Rows = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Order = nb::ndarray<int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rates = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Losses = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

static Rule rule(int id, const std::vector<double>& numbers) {
    if (numbers.size() > NUMBERS) throw std::length_error("a rule with more numbers than the engine takes");
    Rule made{id, {}};
    std::copy(numbers.begin(), numbers.end(), made.numbers);
    return made;
}

static Layer layer(int kind, long n_in, long n_out, int bias, const Rule& activation, double rate, double epsilon, double momentum) {
    return {Kind(kind), n_in, n_out, Bias(bias), activation, rate, epsilon, momentum, nullptr};
}

static bool interrupted() {
    nb::gil_scoped_acquire held;
    return PyErr_CheckSignals() != 0;
}

static std::vector<std::string> builds() {
    std::vector<std::string> found{"baseline"};
#if defined(CHAINRULE_X86)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) found.push_back("avx2");
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd")) found.push_back("avx512");
#endif
    return found;
}

// Whole numbers: every build gives the same.
static void permutation(uint64_t seed, uint64_t epoch, Order rows) {
    nb::gil_scoped_release released;
    const long count = long(rows.size());
#if defined(CHAINRULE_X86)
    static const std::string best = builds().back();
    if (best == "avx512") return avx512::permutation(seed, epoch, count, rows.data());
    if (best == "avx2") return avx2::permutation(seed, epoch, count, rows.data());
#endif
    baseline::permutation(seed, epoch, count, rows.data());
}

class Session {
public:
    Session(const std::string& build, int width, Task task, const std::vector<Layer>& layers, const std::vector<Rule>& penalties) {
        task.layers = layers.data(), task.n_layers = long(layers.size());
        if (penalties.size() > PENALTIES) throw std::length_error("more penalties than the engine takes");
        std::copy(penalties.begin(), penalties.end(), task.penalties);
        task.n_penalties = int(penalties.size());
#if defined(CHAINRULE_X86)
        if (build == "avx512") engine_.reset(avx512::make_engine(task, width));
        else if (build == "avx2") engine_.reset(avx2::make_engine(task, width));
        else
#endif
            engine_.reset(baseline::make_engine(task, width));
    }

    long advance(Rows rows, Rows starts, Rows stops, Rates rates, double until, Losses losses) {
        const Batches batches{rows.data(), starts.data(), stops.data(), long(starts.size())};
        long done;
        {
            Use use(*this);
            nb::gil_scoped_release released;
            done = engine_->advance(batches, rates.data(), until, losses.data(), interrupted);
        }
        if (engine_->interrupted()) throw nb::python_error();
        return done;
    }

    std::pair<double, double> loss(Array x, Array t, nb::object weight, long rows) {
        double found[2];
        const void* given = weight.is_none() ? nullptr : nb::cast<Array>(weight).data();
        Use use(*this);
        nb::gil_scoped_release released;
        engine_->loss(x.data(), t.data(), given, rows, found);
        return {found[0], found[1]};
    }

    double gradient(Room flat) {
        Use use(*this);
        nb::gil_scoped_release released;
        return engine_->gradient(flat.data());
    }

    Engine& engine() { return *engine_; }

private:
    struct Use {  // two Python threads may train two sessions, not one
        explicit Use(Session& session) : session(session) {
            if (session.used_) throw std::runtime_error("this session is training in another thread");
            session.used_ = true;
        }
        ~Use() { session.used_ = false; }
        Session& session;
    };
    std::unique_ptr<Engine> engine_;
    std::atomic<bool> used_ = false;
};

template <size_t N>
static nb::dict table(const names::Entry (&entries)[N]) {
    nb::dict found;
    for (const auto& entry : entries) found[entry.label] = entry.numbers;
    return found;
}

NB_MODULE(_native, m) {
    m.attr("ACTIVATIONS") = table(names::ACTIVATIONS);
    m.attr("LOSSES") = table(names::LOSSES);
    m.attr("PENALTIES") = table(names::PENALTIES);
    m.attr("OPTIMIZERS") = table(names::OPTIMIZERS);
    m.def("builds", &builds);
    m.def("permutation", &permutation);

    nb::class_<Rule>(m, "Rule").def(nb::new_([](int id, const std::vector<double>& numbers) { return rule(id, numbers); }));
    nb::class_<Layer>(m, "Layer")
        .def(nb::new_([](int kind, long n_in, long n_out, int bias, const Rule& activation, double rate, double epsilon, double momentum) {
            return layer(kind, n_in, n_out, bias, activation, rate, epsilon, momentum);
        }))
        .def("set_keep", [](Layer& layer, Array keep) { layer.keep = keep.data(); });
    nb::class_<Task>(m, "Task")
        .def(nb::init<>())
        .def_rw("loss", &Task::loss)
        .def_rw("mean_over_outputs", &Task::mean_over_outputs)
        .def_rw("mean_over_samples", &Task::mean_over_samples)
        .def_rw("optimizer", &Task::optimizer)
        .def_prop_rw("clipping", [](Task& task) { return int(task.clipping); }, [](Task& task, int clip) { task.clipping = Clip(clip); })
        .def_rw("limit", &Task::limit)
        .def_rw("frozen_biases", &Task::frozen_biases)
        .def_rw("seed", &Task::seed)
        .def_rw("rows", &Task::rows)
        .def_rw("threads", &Task::threads)
        .def_rw("most_threads", &Task::most_threads)
        .def_rw("number", &Task::number)
        .def("set_data", [](Task& task, Array x, Array t) { task.x = x.data(), task.t = t.data(); })
        .def("set_weight", [](Task& task, Array weight) { task.weight = weight.data(); });
    nb::class_<Session>(m, "Session")
        .def(nb::init<const std::string&, int, Task, const std::vector<Layer>&, const std::vector<Rule>&>())
        .def("advance", &Session::advance)
        .def("gradient", &Session::gradient)
        .def("loss", [](Session& session, Array x, Array t, nb::object weight, long rows) {
            const auto found = session.loss(x, t, weight, rows);
            return nb::make_tuple(found.first, found.second);
        }, nb::arg("x"), nb::arg("t"), nb::arg("weight").none(), nb::arg("rows"))
        .def_prop_ro("number", [](Session& session) { return session.engine().number(); })
        .def("get_parameters", [](Session& session, Room flat) { session.engine().get_parameters(flat.data()); })
        .def("set_parameters", [](Session& session, Array flat) { session.engine().set_parameters(flat.data()); })
        .def("get_slot", [](Session& session, int slot, Room flat) { session.engine().get_slot(slot, flat.data()); })
        .def("set_slot", [](Session& session, int slot, Array flat) { session.engine().set_slot(slot, flat.data()); })
        .def("get_memory", [](Session& session, long layer, Room mean, Room variance) { session.engine().get_memory(layer, mean.data(), variance.data()); })
        .def("set_memory", [](Session& session, long layer, Array mean, Array variance) { session.engine().set_memory(layer, mean.data(), variance.data()); });
}

}  // namespace chainrule
