#include "metrics/registry.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "base/assert.h"

namespace martlet::metrics {
namespace {

bool is_valid_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string number(std::uint64_t value) {
  return fmt::format("{}", value);
}

std::string number(std::int64_t value) {
  return fmt::format("{}", value);
}

void line(std::string& out, std::string_view name, std::string_view labels,
          std::string_view value) {
  if (labels.empty()) {
    fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
  } else {
    fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
  }
}

// The format wants cumulative counts: each bucket includes those below it.
void render_histogram(std::string& out, const std::string& name, const std::string& labels,
                      const Histogram& histogram) {
  const std::string before = labels.empty() ? "" : labels + ",";
  const auto& bounds = histogram.bounds();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    total += histogram.in_bucket(i);
    const std::string bound = i < bounds.size() ? number(bounds[i]) : "+Inf";
    line(out, name + "_bucket", fmt::format("{}le=\"{}\"", before, bound), number(total));
  }
  line(out, name + "_sum", labels, number(histogram.sum()));
  line(out, name + "_count", labels, number(total));
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "";
}

Registry::Entry& Registry::entry_of(Info info, Kind kind, std::string label) {
  MARTLET_ASSERT(is_valid_name(info.name));
  MARTLET_ASSERT(label.empty() || is_valid_name(label));
  MARTLET_ASSERT(!info.unit.empty() && !info.help.empty());
  MARTLET_ASSERT((kind == Kind::kCounter) == std::string_view(info.name).ends_with("_total"));
  for (const Entry& entry : entries_) MARTLET_ASSERT(entry.descriptor.info.name != info.name);
  return entries_.emplace_back(Entry{{std::move(info), kind, std::move(label), {}}, {}});
}

std::string Registry::label_text(const std::string& key, const std::string& value) {
  return fmt::format("{}=\"{}\"", key, escaped(value, true));
}

Counter& Registry::counter(Info info) {
  Counter& counter = counters_.emplace_back();
  entry_of(std::move(info), Kind::kCounter, "").series.push_back({"", &counter});
  return counter;
}

Gauge& Registry::gauge(Info info) {
  Gauge& gauge = gauges_.emplace_back();
  entry_of(std::move(info), Kind::kGauge, "").series.push_back({"", &gauge});
  return gauge;
}

Histogram& Registry::histogram(Info info, const Buckets& buckets) {
  Histogram& histogram = histograms_.emplace_back(buckets);
  entry_of(std::move(info), Kind::kHistogram, "").series.push_back({"", &histogram});
  return histogram;
}

void Registry::counter_from(Info info, std::function<double()> read) {
  entry_of(std::move(info), Kind::kCounter, "").series.push_back({"", std::move(read)});
}

void Registry::gauge_from(Info info, std::function<double()> read) {
  entry_of(std::move(info), Kind::kGauge, "").series.push_back({"", std::move(read)});
}

void Registry::constant(Info info, std::vector<std::pair<std::string, std::string>> labels) {
  Entry& entry = entry_of(std::move(info), Kind::kGauge, "");
  std::string text;
  for (const auto& [key, value] : labels) {
    MARTLET_ASSERT(is_valid_name(key));
    if (!text.empty()) text += ',';
    text += label_text(key, value);
  }
  entry.series.push_back({std::move(text), std::function<double()>([] { return 1.0; })});
}

void Registry::render_series(std::string& out, const Entry& entry, const Series& series) {
  const std::string& name = entry.descriptor.info.name;
  if (const auto* const* counter = std::get_if<const Counter*>(&series.value)) {
    line(out, name, series.labels, number((*counter)->value()));
  } else if (const auto* const* gauge = std::get_if<const Gauge*>(&series.value)) {
    line(out, name, series.labels, number((*gauge)->value()));
  } else if (const auto* const* histogram = std::get_if<const Histogram*>(&series.value)) {
    render_histogram(out, name, series.labels, **histogram);
  } else {
    line(out, name, series.labels, number(std::get<std::function<double()>>(series.value)()));
  }
}

void Registry::read(std::string_view name,
                    const std::function<void(std::string_view label, double value)>& take) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.descriptor.info.name == name;
  });
  if (found == entries_.end()) return;
  const std::vector<std::string>& labels = found->descriptor.values;
  for (std::size_t i = 0; i < found->series.size(); ++i) {
    const std::string_view label = i < labels.size() ? std::string_view(labels[i]) : "";
    const Value& value = found->series[i].value;
    if (const auto* const* counter = std::get_if<const Counter*>(&value)) {
      take(label, static_cast<double>((*counter)->value()));
    } else if (const auto* const* gauge = std::get_if<const Gauge*>(&value)) {
      take(label, static_cast<double>((*gauge)->value()));
    } else if (const auto* read = std::get_if<std::function<double()>>(&value)) {
      take(label, (*read)());
    }
  }
}

std::string Registry::render() const {
  std::string out;
  for (const Entry& entry : entries_) {
    const Descriptor& d = entry.descriptor;
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", d.info.name,
                   escaped(d.info.help, false), d.info.name, kind_name(d.kind));
    for (const Series& series : entry.series) render_series(out, entry, series);
  }
  return out;
}

std::vector<Descriptor> Registry::describe() const {
  std::vector<Descriptor> all;
  all.reserve(entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.descriptor);
  return all;
}

}  // namespace martlet::metrics
