#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "metrics/metric.h"

namespace martlet::metrics {

// What a metric is. Names are martlet_<module>_<thing>[_<unit>], counters end in _total.
struct Info {
  std::string name;
  std::string unit;  // frames, bytes, seconds …
  std::string help;  // one sentence
};

enum class Kind { kCounter, kGauge, kHistogram };
std::string_view kind_name(Kind kind);

struct Descriptor {
  Info info;
  Kind kind = Kind::kCounter;
  std::string label;                // empty: none
  std::vector<std::string> values;  // of the label
};

// The one label of a family: a closed enum, or a number with a small, fixed range. Free text (ids,
// addresses) never becomes a label, so that no peer can make the number of series grow.
template <class E>
struct Label {
  std::string key;
  std::vector<std::pair<E, std::string>> values;
};

// One metric for each value of a label. A value that the label does not list counts as "other".
template <class Metric, class E>
class Family {
 public:
  Metric& at(E value) const {
    const auto found = std::lower_bound(by_value_.begin(), by_value_.end(), value,
                                        [](const auto& item, E v) { return item.first < v; });
    if (found == by_value_.end() || found->first != value) return *other_;
    return *found->second;
  }

 private:
  friend class Registry;
  std::vector<std::pair<E, Metric*>> by_value_;  // ascending
  Metric* other_ = nullptr;
};

// All metrics of a process, in the order of their registration. A module registers its own once, in
// a struct with verbs:
//
//   struct EdgeMetrics {
//     explicit EdgeMetrics(metrics::Registry& registry);
//     void frame_received(Command command) { frames_.at(command).add(); }
//    private:
//     metrics::Family<metrics::Counter, Command> frames_;
//   };
//
// Registering and rendering happen on one thread, the loop's; counting on any. The registry
// outlives everything that counts. A bad or repeated name is a bug and asserts.
class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(Info info);
  Gauge& gauge(Info info);
  Histogram& histogram(Info info, const Buckets& buckets);

  // Read each time that the metrics are rendered. What the function uses must live as long as
  // somebody renders.
  void counter_from(Info info, std::function<double()> read);
  void gauge_from(Info info, std::function<double()> read);

  // Always 1, to carry texts fixed at start such as the version.
  void constant(Info info, std::vector<std::pair<std::string, std::string>> labels);

  template <class E>
  Family<Counter, E> counters(Info info, const Label<E>& label) {
    return family<Counter, E>(entry_of(std::move(info), Kind::kCounter, label.key), label,
                              [this] { return &counters_.emplace_back(); });
  }
  template <class E>
  Family<Gauge, E> gauges(Info info, const Label<E>& label) {
    return family<Gauge, E>(entry_of(std::move(info), Kind::kGauge, label.key), label,
                            [this] { return &gauges_.emplace_back(); });
  }
  template <class E>
  Family<Histogram, E> histograms(Info info, const Label<E>& label, const Buckets& buckets) {
    return family<Histogram, E>(entry_of(std::move(info), Kind::kHistogram, label.key), label,
                                [&] { return &histograms_.emplace_back(buckets); });
  }

  // The numbers of one metric, each with the value of its label (empty: none). Of a histogram, and
  // of a name that nobody registered: none.
  void read(std::string_view name,
            const std::function<void(std::string_view label, double value)>& take) const;
  // Prometheus text format 0.0.4.
  std::string render() const;
  std::vector<Descriptor> describe() const;

 private:
  using Value =
      std::variant<const Counter*, const Gauge*, const Histogram*, std::function<double()>>;
  struct Series {
    std::string labels;  // key="value", ready to print; empty: none
    Value value;
  };
  struct Entry {
    Descriptor descriptor;
    std::vector<Series> series;
  };

  Entry& entry_of(Info info, Kind kind, std::string label);
  static std::string label_text(const std::string& key, const std::string& value);
  static void render_series(std::string& out, const Entry& entry, const Series& series);

  template <class Metric, class E, class Make>
  Family<Metric, E> family(Entry& entry, const Label<E>& label, Make make) {
    Family<Metric, E> family;
    const auto add = [&](const std::string& name) {
      Metric* metric = make();
      entry.series.push_back({label_text(label.key, name), metric});
      entry.descriptor.values.push_back(name);
      return metric;
    };
    for (const auto& [value, name] : label.values) family.by_value_.emplace_back(value, add(name));
    std::sort(family.by_value_.begin(), family.by_value_.end());
    family.other_ = add("other");
    return family;
  }

  std::deque<Counter> counters_;
  std::deque<Gauge> gauges_;
  std::deque<Histogram> histograms_;
  std::deque<Entry> entries_;
};

}  // namespace martlet::metrics
