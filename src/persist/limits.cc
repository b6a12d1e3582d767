#include "persist/limits.h"

namespace martlet::persist {
namespace {

std::uint64_t milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

std::vector<service::Limit> limits() {
  return {
      {"kFetchBytes", kFetchBytes, "bytes", "read from a log at once"},
      {"kMaxColdQuestions", kMaxColdQuestions, "questions",
       "of dispatchers that wait; more are answered BUSY"},
      {"kMaxItemsPerQuestion", kMaxItemsPerQuestion, "items", "of one question of a dispatcher"},
      {"kMaxColdQueries", kMaxColdQueries, "queries",
       "that answer such questions at once, each on a connection of its own"},
      {"kColdWait", milliseconds(kColdWait), "milliseconds",
       "a question waits for the watermark that it names"},
      {"kLookUpPeriod", milliseconds(kLookUpPeriod), "milliseconds",
       "between two looks at the ends of the logs"},
      {"kDatabaseQueue", kDatabaseQueue, "jobs", "that wait for a connection to the database"},
      {"kPurgePeriod", milliseconds(kPurgePeriod), "milliseconds", "between two purges of a log"},
      {"kTailConfirmation", milliseconds(kTailConfirmation), "milliseconds",
       "between the two looks after which a log's tail counts as lost"},
  };
}

}  // namespace martlet::persist
