#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace martlet {

// A number that can't be mistaken for another: Strong<struct SeqTag>. Explicit both ways.
template <class Tag, class Rep = std::uint64_t>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr Strong next() const { return Strong(static_cast<Rep>(value_ + 1)); }
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

 private:
  Rep value_ = 0;
};

}  // namespace martlet

template <class Tag, class Rep>
struct std::hash<martlet::Strong<Tag, Rep>> {
  std::size_t operator()(const martlet::Strong<Tag, Rep>& id) const noexcept {
    return std::hash<Rep>()(id.value());
  }
};
