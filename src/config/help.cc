#include "config/help.h"

#include <spdlog/fmt/fmt.h>

#include "config/mask.h"

namespace martlet::config {
namespace {

std::string shown(const Key& key, const std::string& value) {
  if (key.show == Show::kHidden) return value.empty() ? "" : "***";
  return key.show == Show::kMaskedUrl ? mask_url(value) : value;
}

std::string quoted(const std::string& value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string::npos;
  return plain ? value : fmt::format("\"{}\"", value);
}

std::string facts(const Key& key) {
  std::string out = key.type;
  if (!key.unit.empty() && key.unit != key.type) out += ", " + key.unit;
  if (!key.bounds.empty()) out += ", " + key.bounds;
  if (key.required) return out + ", required";
  return out + fmt::format(", default {}", quoted(shown(key, key.default_text)));
}

}  // namespace

std::string variable_of(std::string_view key) {
  std::string out = "MARTLET_";
  for (const char c : key) {
    out += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string help(std::string_view program, const Keys& keys) {
  std::string out = fmt::format(
      "Usage: {} [--config FILE] [--KEY=VALUE ...]\n\n"
      "Each key may stand in the TOML file (dots are tables), in the environment (edge.listen is\n"
      "MARTLET_EDGE_LISTEN) or be a flag; flags win over the environment, that over the file. "
      "Keys\n"
      "with secrets also exist with _file behind the name: the file that holds the value.\n\n"
      "  --config FILE\n      the TOML file (or MARTLET_CONFIG)\n"
      "  --help, --version\n"
      "  --describe\n      keys, metrics, limits and error codes as JSON\n",
      program);
  for (const auto& declared : keys.declared()) {
    fmt::format_to(std::back_inserter(out), "  --{}\n      {}\n      ({})\n", declared.key.name,
                   declared.key.text, facts(declared.key));
  }
  return out;
}

std::string effective(const Keys& keys) {
  std::string out;
  for (const auto& declared : keys.declared()) {
    if (!out.empty()) out += ' ';
    out += declared.key.name + "=" + quoted(shown(declared.key, declared.value));
  }
  return out;
}

}  // namespace martlet::config
