#include "metrics/registry.h"

#include <gtest/gtest.h>

#include <limits>

namespace martlet::metrics {
namespace {

enum class Colour { kRed, kBlue, kGreen };
const Label<Colour> kColours{"colour", {{Colour::kBlue, "blue"}, {Colour::kRed, "red"}}};

TEST(Registry, RendersACounterWithHelpAndType) {
  Registry registry;
  registry.counter({"frames_total", "frames", "Frames received."}).add(3);
  EXPECT_EQ(registry.render(),
            "# HELP frames_total Frames received.\n"
            "# TYPE frames_total counter\n"
            "frames_total 3\n");
}

TEST(Registry, RendersGaugesReadAtRenderTime) {
  Registry registry;
  double value = 1.5;
  registry.gauge_from({"load", "share", "Load."}, [&] { return value; });
  value = 2.25;
  EXPECT_NE(registry.render().find("\nload 2.25\n"), std::string::npos);
}

TEST(Registry, ReadsOneMetricByItsName) {
  Registry registry;
  registry.counter({"a_total", "frames", "A."}).add(3);
  registry.gauge_from({"b", "share", "B."}, [] { return 0.5; });
  registry.gauges<Colour>({"c", "none", "C."}, kColours).at(Colour::kRed).set(-2);
  registry.histogram({"d", "seconds", "D."}, Buckets::seconds());
  std::string read;
  for (const char* name : {"c", "a_total", "b", "d", "nobody"}) {
    registry.read(name, [&](std::string_view label, double value) {
      read += std::string(label) + "=" + std::to_string(value).substr(0, 4) + " ";
    });
  }
  EXPECT_EQ(read, "blue=0.00 red=-2.0 other=0.00 =3.00 =0.50 ");
}

TEST(Registry, RendersNumbersThatAreNotFinite) {
  Registry registry;
  registry.gauge_from({"a", "share", "A."}, [] { return std::numeric_limits<double>::infinity(); });
  registry.gauge_from({"b", "share", "B."},
                      [] { return std::numeric_limits<double>::quiet_NaN(); });
  const std::string text = registry.render();
  EXPECT_NE(text.find("\na +Inf\n"), std::string::npos);
  EXPECT_NE(text.find("\nb NaN\n"), std::string::npos);
}

TEST(Registry, HistogramBucketsAreCumulative) {
  Registry registry;
  Histogram& histogram =
      registry.histogram({"size_bytes", "bytes", "Sizes."}, Buckets::fixed({1, 10}));
  histogram.observe(0.5);
  histogram.observe(5.0);
  histogram.observe(50.0);
  EXPECT_EQ(registry.render(),
            "# HELP size_bytes Sizes.\n"
            "# TYPE size_bytes histogram\n"
            "size_bytes_bucket{le=\"1\"} 1\n"
            "size_bytes_bucket{le=\"10\"} 2\n"
            "size_bytes_bucket{le=\"+Inf\"} 3\n"
            "size_bytes_sum 55.5\n"
            "size_bytes_count 3\n");
}

TEST(Registry, AFamilyHasASeriesForEachValueOfItsLabel) {
  Registry registry;
  auto family = registry.counters<Colour>({"balls_total", "balls", "Balls."}, kColours);
  family.at(Colour::kRed).add(7);
  EXPECT_EQ(registry.render(),
            "# HELP balls_total Balls.\n"
            "# TYPE balls_total counter\n"
            "balls_total{colour=\"blue\"} 0\n"
            "balls_total{colour=\"red\"} 7\n"
            "balls_total{colour=\"other\"} 0\n");
}

TEST(Registry, AnUnlistedValueOfALabelCountsAsOther) {
  Registry registry;
  auto family = registry.gauges<Colour>({"balls", "balls", "Balls."}, kColours);
  family.at(Colour::kGreen).set(4);
  EXPECT_NE(registry.render().find("balls{colour=\"other\"} 4\n"), std::string::npos);
}

TEST(Registry, HistogramFamiliesCarryBothLabels) {
  Registry registry;
  auto family = registry.histograms<Colour>({"age_seconds", "seconds", "Ages."}, kColours,
                                            Buckets::fixed({1}));
  family.at(Colour::kBlue).observe(1.0);
  EXPECT_NE(registry.render().find("age_seconds_bucket{colour=\"blue\",le=\"1\"} 1\n"),
            std::string::npos);
}

TEST(Registry, EscapesHelpAndLabelValues) {
  Registry registry;
  registry.constant({"build_info", "none", "Line one.\nA \\ and a \"quote\"."},
                    {{"version", "a\\b\"c\nd"}, {"service", "edge"}});
  EXPECT_EQ(registry.render(),
            "# HELP build_info Line one.\\nA \\\\ and a \"quote\".\n"
            "# TYPE build_info gauge\n"
            "build_info{version=\"a\\\\b\\\"c\\nd\",service=\"edge\"} 1\n");
}

TEST(Registry, DescribesWhatWasRegisteredInOrder) {
  Registry registry;
  registry.gauge({"depth", "frames", "Depth."});
  registry.counters<Colour>({"balls_total", "balls", "Balls."}, kColours);
  const auto all = registry.describe();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].info.name, "depth");
  EXPECT_EQ(all[0].kind, Kind::kGauge);
  EXPECT_EQ(all[1].label, "colour");
  EXPECT_EQ(all[1].values, (std::vector<std::string>{"blue", "red", "other"}));
}

TEST(Registry, RefusesBadAndRepeatedNames) {
  EXPECT_DEATH(Registry().gauge({"Bad-Name", "x", "X."}), "");
  EXPECT_DEATH(Registry().gauge({"1st", "x", "X."}), "");
  EXPECT_DEATH(Registry().counter({"frames", "frames", "No _total."}), "");
  EXPECT_DEATH(
      {
        Registry registry;
        registry.gauge({"depth", "x", "X."});
        registry.gauge({"depth", "x", "X."});
      },
      "");
}

}  // namespace
}  // namespace martlet::metrics
