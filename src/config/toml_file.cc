#include "config/toml_file.h"

#include <spdlog/fmt/fmt.h>
#include <toml++/toml.h>

#include <filesystem>
#include <optional>

namespace martlet::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;

std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

std::optional<std::string> value_text(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return scalar_text(node);
  std::string joined;
  for (const toml::node& item : *list) {
    const auto text = scalar_text(item);
    if (!text) return std::nullopt;
    if (!joined.empty()) joined += ',';
    joined += *text;
  }
  return joined;
}

Result<void> flatten(const toml::table& table, const std::string& prefix, const std::string& path,
                     std::vector<FileValue>& out) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(std::string_view(name));
    const std::string from = fmt::format("{}:{}", path, node.source().begin.line);
    if (const toml::table* inner = node.as_table()) {
      const auto done = flatten(*inner, key + ".", path, out);
      if (!done) return done;
      continue;
    }
    const auto text = value_text(node);
    if (!text) {
      return fail(
          ErrorCode::kBadContent,
          fmt::format("{}: key '{}' is no string, integer, boolean or list of them", from, key));
    }
    out.push_back({key, *text, from});
  }
  return {};
}

}  // namespace

Result<std::vector<FileValue>> read_toml(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error || size > kMaxFileBytes) {
    return fail(ErrorCode::kBadContent, fmt::format("configuration file '{}': {}", path,
                                                    error ? error.message() : "longer than 1 MiB"));
  }
  std::vector<FileValue> values;
  try {
    const toml::table table = toml::parse_file(path);
    const auto done = flatten(table, "", path, values);
    if (!done) return tl::unexpected(done.error());
  } catch (const toml::parse_error& problem) {
    return fail(ErrorCode::kBadContent,
                fmt::format("{}:{}: {}", path, problem.source().begin.line, problem.description()));
  }
  return values;
}

}  // namespace martlet::config
