// Faults on purpose, one for each kind that scripts/sanitize looks for: what finds nothing here would find nothing anywhere.
#include <atomic>
#include <climits>
#include <cstdlib>
#include <thread>

extern "C" {

int beyond_the_end() {
    volatile char* three = static_cast<char*>(std::malloc(3));
    const int found = three[3];
    std::free(const_cast<char*>(three));
    return found;
}

int never_freed() {
    static void* volatile kept;
    kept = std::malloc(1234);
    kept = nullptr;
    return 0;
}

int undefined_sum() {
    volatile int most = INT_MAX;
    return most + 1;
}

// Two threads write the same number; with `ordered` the second waits for the first as the engine's threads do, asleep.
int race(int ordered) {
    int number = 0;
    std::atomic<int> turn{0};
    std::thread other([&] {
        number = 1;
        turn.store(1, std::memory_order_release);
        turn.notify_all();
    });
    if (ordered) turn.wait(0, std::memory_order_acquire);
    number = 2;
    other.join();
    return number;
}
}
