#include "config/load.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>

#include "config/help.h"
#include "config/mask.h"
#include "config/toml_file.h"
#include "config/tool_variables.h"

namespace martlet::config {
namespace {

constexpr std::string_view kPrefix = "MARTLET_";
constexpr std::string_view kFileEnding = "_file";
constexpr std::size_t kMaxSecretFileBytes = 64 * 1024;

struct Given {
  std::string key;
  std::string value;
  std::string from;  // where it was given, for error messages
};

tl::unexpected<Error> wrong(std::string line) {
  return fail(ErrorCode::kBadContent, std::move(line));
}

// How many letters must change to make one text of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> known_names(const Keys& keys) {
  std::vector<std::string> names{"config"};
  for (const auto& declared : keys.declared()) {
    names.push_back(declared.key.name);
    if (declared.key.show != Show::kPlain) {
      names.push_back(declared.key.name + std::string(kFileEnding));
    }
  }
  return names;
}

bool is_known(const Keys& keys, const std::string& name) {
  const auto names = known_names(keys);
  return std::find(names.begin(), names.end(), name) != names.end();
}

// ", did you mean 'edge.listen'?", with the names as the source spells them.
std::string suggestion(const Keys& keys, const std::string& name,
                       std::string (*spell)(std::string_view)) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& known : known_names(keys)) {
    const std::size_t d = distance(name, spell(known));
    if (d >= best_distance) continue;
    best_distance = d;
    best = spell(known);
  }
  return best.empty() ? "" : fmt::format(", did you mean '{}'?", best);
}

std::string as_key(std::string_view key) {
  return std::string(key);
}
std::string as_flag(std::string_view key) {
  return "--" + std::string(key);
}

Result<std::vector<Given>> from_flags(const Keys& keys, const std::vector<std::string>& arguments) {
  std::vector<Given> all;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with("--"))
      return wrong(fmt::format("what is '{}'? see --help", argument));
    const std::size_t equals = argument.find('=');
    const std::string flag = argument.substr(0, equals);
    const std::string key = flag.substr(2);
    if (!is_known(keys, key)) {
      return wrong(fmt::format("unknown flag '{}'{}", flag, suggestion(keys, flag, as_flag)));
    }
    const auto same = [&](const Given& given) { return given.key == key; };
    if (std::any_of(all.begin(), all.end(), same)) return wrong(flag + " is given twice");
    if (equals != std::string::npos) {
      all.push_back({key, argument.substr(equals + 1), flag});
    } else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) {
      all.push_back({key, arguments[++i], flag});
    } else {
      return wrong(flag + " needs a value");
    }
  }
  return all;
}

bool is_of_tool(std::string_view variable) {
  return std::find(std::begin(kToolVariables), std::end(kToolVariables), variable) !=
         std::end(kToolVariables);
}

Result<std::vector<Given>> from_environment(const Keys& keys,
                                            const std::vector<std::string>& environment) {
  const auto names = known_names(keys);
  std::vector<Given> all;
  for (const std::string& entry : environment) {
    if (!entry.starts_with(kPrefix)) continue;
    if (entry.starts_with("MARTLET_TEST_") || entry.starts_with("MARTLET_BUILD_")) continue;
    const std::size_t equals = std::min(entry.find('='), entry.size());
    const std::string variable = entry.substr(0, equals);
    if (is_of_tool(variable)) continue;
    const auto key = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return variable_of(name) == variable;
    });
    if (key == names.end()) {
      return wrong(fmt::format("unknown environment variable '{}'{}", variable,
                               suggestion(keys, variable, variable_of)));
    }
    all.push_back({*key, entry.substr(std::min(equals + 1, entry.size())), variable});
  }
  return all;
}

Result<std::vector<Given>> from_file(const Keys& keys, const std::string& path) {
  auto values = read_toml(path);
  if (!values) return tl::unexpected(values.error());
  std::vector<Given> all;
  for (FileValue& value : *values) {
    if (!is_known(keys, value.key) || value.key == "config") {
      return wrong(fmt::format("{}: unknown key '{}'{}", value.from, value.key,
                               suggestion(keys, value.key, as_key)));
    }
    all.push_back({std::move(value.key), std::move(value.value), std::move(value.from)});
  }
  return all;
}

Result<std::string> read_secret(const Given& given) {
  const auto refused = [&](std::string_view why) {
    return wrong(fmt::format("key '{}' = '{}' ({}): {}", given.key, given.value, given.from, why));
  };
  std::ifstream file(given.value, std::ios::binary);
  std::string text(kMaxSecretFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.is_open()) return refused("the file can't be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxSecretFileBytes) return refused("the file is longer than 64 KiB");
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::string shown(const Key& key, const std::string& value) {
  if (key.show == Show::kHidden) return "***";
  return key.show == Show::kMaskedUrl ? mask_url(value) : value;
}

Result<void> apply_one(Keys& keys, const Given& given) {
  Keys::Declared* declared = keys.find(given.key);
  std::string value = given.value;
  const bool is_in_file = declared == nullptr;
  if (is_in_file) {
    const std::string name = given.key.substr(0, given.key.size() - kFileEnding.size());
    declared = keys.find(name);
    auto secret = read_secret(given);
    if (!secret) return tl::unexpected(secret.error());
    value = std::move(*secret);
  }
  declared->file = is_in_file ? given.value : "";
  const auto done = declared->set(value);
  if (!done) {
    return wrong(fmt::format("key '{}' = '{}' ({}): {}", given.key, shown(declared->key, value),
                             given.from, done.error().detail));
  }
  declared->value = std::move(value);
  declared->from = given.from;
  return {};
}

// A key and its _file in one source: which one is meant?
Result<void> refuse_both(const std::vector<Given>& all) {
  for (const Given& one : all) {
    for (const Given& other : all) {
      if (one.key + std::string(kFileEnding) != other.key) continue;
      return wrong(fmt::format("{} and {} are both given", one.from, other.from));
    }
  }
  return {};
}

Result<void> apply(Keys& keys, const std::vector<Given>& all) {
  auto done = refuse_both(all);
  for (const Given& given : all) {
    if (!done) break;
    if (given.key != "config") done = apply_one(keys, given);
  }
  return done;
}

Result<void> require_all(const Keys& keys) {
  for (const auto& declared : keys.declared()) {
    if (!declared.key.required || declared.from != "default") continue;
    return wrong(fmt::format("key '{}' is needed: {} (--{}, {} or the configuration file)",
                             declared.key.name, declared.key.text, declared.key.name,
                             variable_of(declared.key.name)));
  }
  return {};
}

std::string config_path(const std::vector<Given>& environment, const std::vector<Given>& flags) {
  std::string path;
  for (const auto* source : {&environment, &flags}) {
    for (const Given& given : *source) {
      if (given.key == "config") path = given.value;
    }
  }
  return path;
}

}  // namespace

Sources process_sources(int argc, char** argv) {
  Sources sources;
  for (int i = 1; i < argc; ++i) sources.arguments.emplace_back(argv[i]);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    sources.environment.emplace_back(*entry);
  }
  return sources;
}

Result<void> load(Keys& keys, const Sources& sources) {
  const auto flags = from_flags(keys, sources.arguments);
  if (!flags) return tl::unexpected(flags.error());
  const auto environment = from_environment(keys, sources.environment);
  if (!environment) return tl::unexpected(environment.error());
  Result<std::vector<Given>> file;
  const std::string path = config_path(*environment, *flags);
  if (!path.empty()) file = from_file(keys, path);
  if (!file) return tl::unexpected(file.error());

  const std::vector<Given>* const in_order[] = {&*file, &*environment, &*flags};
  for (const auto* source : in_order) {
    const auto done = apply(keys, *source);
    if (!done) return done;
  }
  return require_all(keys);
}

}  // namespace martlet::config
