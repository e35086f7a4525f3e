// Arrays with rows of whole cache lines; the numbers beyond a row's end are carried along and never looked at.
#pragma once

#include <cstdlib>
#include <new>

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// Memory in whole lines, zero at first.
template <class T>
class Buffer {
public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { std::free(data_); }
    void resize(long count) {
        std::free(data_);
        const size_t bytes = (size_t(count) * sizeof(T) / LINE + 2) * LINE;
        data_ = static_cast<T*>(std::aligned_alloc(LINE, bytes));
        if (data_ == nullptr) throw std::bad_alloc();
        std::memset(data_, 0, bytes);
    }
    operator T*() const { return data_; }

private:
    T* data_ = nullptr;
};

// The length of a row of `columns` numbers in memory: whole lines; an odd number of them where there are many, because rows
// at a power of two from each other would all fall into the same few places of the cache.
template <class T>
long padded(long columns) {
    long lines = (columns * long(sizeof(T)) + LINE - 1) / LINE;
    if (lines >= 8 && lines % 2 == 0) ++lines;
    return lines * LINE / long(sizeof(T));
}

}  // namespace chainrule::CHAINRULE_ISA
