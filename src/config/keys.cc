#include "config/keys.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/assert.h"

namespace martlet::config {
namespace {

constexpr std::int64_t kKiB = 1024;

bool is_key_name(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.back() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

tl::unexpected<Error> wrong(std::string rule) {
  return fail(ErrorCode::kBadContent, std::move(rule));
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "4096", "4KiB", "256 MiB".
std::optional<std::int64_t> to_bytes(std::string_view text) {
  std::int64_t factor = 1;
  for (const std::string_view ending : {"KiB", "MiB", "GiB"}) {
    if (!text.ends_with(ending)) continue;
    factor = ending == "KiB" ? kKiB : ending == "MiB" ? kKiB * kKiB : kKiB * kKiB * kKiB;
    text.remove_suffix(ending.size());
    if (text.ends_with(' ')) text.remove_suffix(1);
    break;
  }
  const auto value = to_integer(text);
  if (!value || *value < 0 || *value > std::numeric_limits<std::int64_t>::max() / factor) {
    return std::nullopt;
  }
  return *value * factor;
}

std::string bytes_text(std::int64_t value) {
  constexpr std::string_view kEndings[] = {"", "KiB", "MiB", "GiB"};
  std::size_t ending = 0;
  while (value != 0 && value % kKiB == 0 && ending + 1 < std::size(kEndings)) {
    value /= kKiB;
    ++ending;
  }
  return fmt::format("{}{}", value, kEndings[ending]);
}

std::string range_text(std::string_view from, std::string_view to, std::string_view unit) {
  return fmt::format("{} to {}{}{}", from, to, unit.empty() ? "" : " ", unit);
}

constexpr std::size_t kMaxUrlBytes = 4096;

Result<void> store_text(std::string* target, std::string_view text, const Lengths& lengths) {
  if (text.size() < lengths.min || text.size() > lengths.max) {
    return wrong(fmt::format("must be {} to {} bytes long", lengths.min, lengths.max));
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return wrong("must not hold control characters");
  }
  *target = text;
  return {};
}

std::string length_text(const Lengths& lengths) {
  return range_text(fmt::format("{}", lengths.min), fmt::format("{}", lengths.max), "bytes");
}

}  // namespace

void Keys::add(Key key, std::string default_text, Set set) {
  MARTLET_ASSERT(is_key_name(key.name));
  MARTLET_ASSERT(find(key.name) == nullptr);
  MARTLET_ASSERT(!key.text.empty());
  key.required = !set(default_text);
  MARTLET_ASSERT(!key.required || default_text.empty());
  key.default_text = default_text;
  declared_.push_back({std::move(key), std::move(set), std::move(default_text), "default"});
}

Keys::Declared* Keys::find(std::string_view name) {
  for (Declared& declared : declared_) {
    if (declared.key.name == name) return &declared;
  }
  return nullptr;
}

std::vector<Key> Keys::describe() const {
  std::vector<Key> all;
  for (const Declared& declared : declared_) all.push_back(declared.key);
  return all;
}

void Keys::string(std::string name, std::string* target, Lengths lengths, std::string text) {
  add({std::move(name), "string", "", length_text(lengths), std::move(text)}, *target,
      [target, lengths](std::string_view value) { return store_text(target, value, lengths); });
}

void Keys::choice(std::string name, std::string* target, std::vector<std::string> choices,
                  std::string text) {
  const std::string bounds = fmt::format("{}", fmt::join(choices, ", "));
  add({std::move(name), "choice", "", bounds, std::move(text)}, *target,
      [target, choices = std::move(choices), bounds](std::string_view value) -> Result<void> {
        if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
          return wrong("must be one of " + bounds);
        }
        *target = value;
        return {};
      });
}

void Keys::secret(std::string name, std::string* target, Lengths lengths, std::string text) {
  MARTLET_ASSERT(target->empty());
  add({std::move(name), "secret", "", length_text(lengths), std::move(text), Show::kHidden},
      *target,
      [target, lengths](std::string_view value) { return store_text(target, value, lengths); });
}

void Keys::url(std::string name, std::string* target, std::string text) {
  add_url(std::move(name), target, {1, kMaxUrlBytes}, std::move(text));
}

void Keys::optional_url(std::string name, std::string* target, std::string text) {
  add_url(std::move(name), target, {0, kMaxUrlBytes}, std::move(text));
}

void Keys::add_url(std::string name, std::string* target, Lengths lengths, std::string text) {
  add({std::move(name), "url", "", length_text(lengths), std::move(text), Show::kMaskedUrl},
      *target,
      [target, lengths](std::string_view value) { return store_text(target, value, lengths); });
}

void Keys::path(std::string name, std::string* target, PathRule rule, std::string text) {
  const Lengths lengths{rule == PathRule::kAny ? 0U : 1U, 4096};
  const std::string bounds = rule == PathRule::kAny            ? ""
                             : rule == PathRule::kExistingFile ? "an existing file"
                                                               : "an existing directory";
  add({std::move(name), "path", "", bounds, std::move(text)}, *target,
      [target, lengths, rule, bounds](std::string_view value) -> Result<void> {
        std::error_code ignored;
        const std::filesystem::path path(value);
        const bool fits =
            rule == PathRule::kAny ||
            (rule == PathRule::kExistingFile ? std::filesystem::is_regular_file(path, ignored)
                                             : std::filesystem::is_directory(path, ignored));
        if (!fits) return wrong("must be " + bounds);
        return store_text(target, value, lengths);
      });
}

void Keys::boolean(std::string name, bool* target, std::string text) {
  add({std::move(name), "boolean", "", "true, false", std::move(text)}, *target ? "true" : "false",
      [target](std::string_view value) -> Result<void> {
        if (value != "true" && value != "false") return wrong("must be true or false");
        *target = value == "true";
        return {};
      });
}

void Keys::address(std::string name, Address* target, std::string text) {
  add_address(std::move(name), target, false, std::move(text));
}

void Keys::optional_address(std::string name, Address* target, std::string text) {
  add_address(std::move(name), target, true, std::move(text));
}

void Keys::add_address(std::string name, Address* target, bool optional, std::string text) {
  add({std::move(name), "address", "", optional ? "HOST:PORT or empty" : "HOST:PORT",
       std::move(text)},
      to_string(*target), [target, optional](std::string_view value) -> Result<void> {
        if (optional && value.empty()) {
          *target = {};
          return {};
        }
        auto address = parse_address(value);
        if (!address) return tl::unexpected(address.error());
        *target = std::move(*address);
        return {};
      });
}

void Keys::addresses(std::string name, std::vector<Address>* target, Lengths counts,
                     std::string text) {
  std::vector<std::string> defaults;
  for (const Address& address : *target) defaults.push_back(to_string(address));
  const std::string bounds =
      fmt::format("{} to {} times HOST:PORT, commas between", counts.min, counts.max);
  add({std::move(name), "addresses", "", bounds, std::move(text)},
      fmt::format("{}", fmt::join(defaults, ",")),
      [target, counts, bounds](std::string_view value) -> Result<void> {
        std::vector<Address> all;
        while (!value.empty()) {
          const std::size_t comma = std::min(value.find(','), value.size());
          const auto address = parse_address(value.substr(0, comma));
          if (!address) return wrong("must be " + bounds);
          all.push_back(*address);
          // A comma at the very end would be an address left out.
          if (comma + 1 == value.size()) return wrong("must be " + bounds);
          value.remove_prefix(std::min(comma + 1, value.size()));
        }
        if (all.size() < counts.min || all.size() > counts.max) return wrong("must be " + bounds);
        *target = std::move(all);
        return {};
      });
}

void Keys::list(std::string name, const std::string& one, Lengths counts, Store store,
                std::string text) {
  const std::string bounds =
      fmt::format("{} to {} times {}, commas between", counts.min, counts.max, one);
  add({std::move(name), "list", "", bounds, std::move(text)}, "",
      [counts, bounds, store = std::move(store)](std::string_view value) -> Result<void> {
        std::vector<std::string_view> all;
        while (!value.empty()) {
          const std::size_t comma = std::min(value.find(','), value.size());
          all.push_back(value.substr(0, comma));
          // A comma at the very end would be one left out.
          if (comma + 1 == value.size()) return wrong("must be " + bounds);
          value.remove_prefix(std::min(comma + 1, value.size()));
        }
        if (all.size() < counts.min || all.size() > counts.max || !store(all)) {
          return wrong("must be " + bounds);
        }
        return {};
      });
}

void Keys::duration(std::string name, Duration* target, Durations bounds, std::string text) {
  const bool in_ms = name.ends_with("_ms");
  MARTLET_ASSERT(in_ms || name.ends_with("_s"));
  const Duration step =
      in_ms ? Duration(std::chrono::milliseconds(1)) : Duration(std::chrono::seconds(1));
  MARTLET_ASSERT(*target % step == Duration(0));
  const Integers numbers{bounds.min / step, bounds.max / step, in_ms ? "ms" : "s"};
  add_integer(std::move(name), *target / step, numbers, std::move(text),
              [target, step](std::int64_t value) { *target = value * step; });
}

void Keys::add_integer(std::string name, std::int64_t value, Integers bounds, std::string text,
                       std::function<void(std::int64_t)> store) {
  const std::string range =
      range_text(fmt::format("{}", bounds.min), fmt::format("{}", bounds.max), "");
  const std::string rule =
      fmt::format("must be {}{}{}", range, bounds.unit.empty() ? "" : " ", bounds.unit);
  add({std::move(name), "integer", bounds.unit, range, std::move(text)}, fmt::format("{}", value),
      [bounds, rule, store = std::move(store)](std::string_view given) -> Result<void> {
        const auto number = to_integer(given);
        if (!number || *number < bounds.min || *number > bounds.max) return wrong(rule);
        store(*number);
        return {};
      });
}

void Keys::add_bytes(std::string name, std::int64_t value, Integers bounds, std::string text,
                     std::function<void(std::int64_t)> store) {
  const std::string range = range_text(bytes_text(bounds.min), bytes_text(bounds.max), "");
  add({std::move(name), "bytes", "bytes", range, std::move(text)}, bytes_text(value),
      [bounds, range, store = std::move(store)](std::string_view given) -> Result<void> {
        const auto number = to_bytes(given);
        if (!number || *number < bounds.min || *number > bounds.max) {
          return wrong("must be " + range + ", in bytes or with KiB, MiB, GiB");
        }
        store(*number);
        return {};
      });
}

}  // namespace martlet::config
