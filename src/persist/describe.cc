#include "persist/describe.h"

#include "persist/limits.h"

namespace martlet::persist {

std::vector<service::Limit> limits() {
  return {
      {"kFetchBytes", kFetchBytes, "bytes", "read from a log at once"},
      {"kMaxColdQuestions", kMaxColdQuestions, "questions",
       "of dispatchers that wait; more are answered BUSY"},
      {"kMaxItemsPerQuestion", kMaxItemsPerQuestion, "items", "of one question of a dispatcher"},
      {"kMaxColdQueries", kMaxColdQueries, "queries",
       "that answer such questions at once, each on a connection of its own"},
      {"kColdWait", to_ms<std::uint64_t>(kColdWait), "ms",
       "a question waits for the watermark that it names"},
      {"kLookUpPeriod", to_ms<std::uint64_t>(kLookUpPeriod), "ms",
       "between two looks at the ends of the logs at most; less while a look takes less than half "
       "of it"},
      {"kDatabaseQueue", kDatabaseQueue, "jobs", "that wait for a connection to the database"},
      {"kPurgePeriod", to_ms<std::uint64_t>(kPurgePeriod), "ms", "between two purges of a log"},
      {"kTailConfirmation", to_ms<std::uint64_t>(kTailConfirmation), "ms",
       "between the two looks after which a log's tail counts as lost"},
  };
}

}  // namespace martlet::persist
