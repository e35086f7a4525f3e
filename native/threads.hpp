// A team of threads: one call runs one function on all of them, the caller being the first. Between calls they are parked.
#pragma once

#include <atomic>
#include <thread>
#include <unistd.h>
#include <vector>

namespace chainrule {

class Team {
public:
    Team() = default;
    Team(const Team&) = delete;
    ~Team() { dismiss(); }

    // f(what, thread) on `size` threads; returns when all are done.
    void run(int size, void (*f)(void*, int), void* what) {
        if (size == 1) return f(what, 0);
        if (home_ != getpid()) forget();  // after a fork the other threads are not there
        while (int(others_.size()) < size - 1) {
            const int number = int(others_.size()) + 1;
            const unsigned seen = call_.load(std::memory_order_relaxed);
            others_.emplace_back([this, number, seen] { work(number, seen); });
        }
        function_ = f, what_ = what, size_ = size;
        busy_.store(int(others_.size()), std::memory_order_relaxed);
        call_.fetch_add(1, std::memory_order_release);
        call_.notify_all();
        f(what, 0);
        wait_while(busy_, [](int busy) { return busy > 0; });
    }

    // Waits until all `size` threads have come here. What each did before is seen by all after.
    void meet(int size) {
        if (size == 1) return;
        const unsigned turn = turn_.load(std::memory_order_relaxed);
        if (here_.fetch_add(1, std::memory_order_acq_rel) == size - 1) {
            here_.store(0, std::memory_order_relaxed);
            turn_.fetch_add(1, std::memory_order_release);
            turn_.notify_all();
        } else {
            wait_while(turn_, [turn](unsigned now) { return now == turn; });
        }
    }

private:
    // Threads that work alike wait for each other a few microseconds: they look again and again. If it takes longer, the other
    // one may be waiting for this very processor: they offer it. Then they sleep.
    static constexpr int SPINS = 2000, OFFERS = 50;

    template <class N, class Condition>
    static void wait_while(std::atomic<N>& number, Condition condition) {
        for (int i = 0; i < SPINS; ++i) {
            if (!condition(number.load(std::memory_order_acquire))) return;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#elif defined(__aarch64__)
            asm volatile("yield");
#endif
        }
        for (int i = 0; i < OFFERS; ++i) {
            if (!condition(number.load(std::memory_order_acquire))) return;
            std::this_thread::yield();
        }
        for (N now = number.load(std::memory_order_acquire); condition(now); now = number.load(std::memory_order_acquire))
            number.wait(now, std::memory_order_acquire);
    }

    void work(int number, unsigned seen) {
        for (;;) {
            wait_while(call_, [seen](unsigned now) { return now == seen; });
            ++seen;
            if (function_ == nullptr) return;
            if (number < size_) function_(what_, number);
            if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_all();
        }
    }

    void dismiss() {
        if (home_ != getpid()) return forget();
        function_ = nullptr;
        call_.fetch_add(1, std::memory_order_release);
        call_.notify_all();
        for (auto& other : others_) other.join();
        others_.clear();
    }

    void forget() {
        new std::vector<std::thread>(std::move(others_));  // threads of another process: neither joined nor detached
        others_.clear();
        home_ = getpid();
        here_ = 0, busy_ = 0;
    }

    std::vector<std::thread> others_;
    pid_t home_ = getpid();
    void (*function_)(void*, int) = nullptr;
    void* what_ = nullptr;
    int size_ = 1;
    std::atomic<unsigned> call_{0}, turn_{0};
    std::atomic<int> busy_{0}, here_{0};
};

// Teams for the engines, which are compiled for other instruction sets than this code: functions, not templates.
Team* make_team();
void end_team(Team*);
void run_team(Team*, int size, void (*f)(void*, int), void* what);
void meet_team(Team*, int size);
double seconds();  // of a clock that never goes back

}  // namespace chainrule
