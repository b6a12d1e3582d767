#include "persist/describe.h"

#include "auth/outside_token.h"
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
      {"kMaxOutsideTokenBytes", auth::kMaxOutsideTokenBytes, "bytes",
       "of a token of another service"},
      {"kMaxClaimDepth", auth::kMaxClaimDepth, "levels", "of objects and lists in such a token"},
      {"kClockLeeway", to_ms<std::uint64_t>(auth::kClockLeeway), "ms",
       "that the clock of that service may differ from ours"},
      {"kMaxOutsideKeys", auth::kMaxOutsideKeys, "keys", "of that service"},
      {"kMaxJwksBytes", auth::kMaxJwksBytes, "bytes", "of the file that has them"},
      {"kLeastSecretBytes", auth::kLeastSecretBytes, "bytes", "of a secret shared with it"},
      {"kMaxSecretBytes", auth::kMaxSecretBytes, "bytes", "of it at most"},
      {"kPurgePeriod", to_ms<std::uint64_t>(kPurgePeriod), "ms", "between two purges of a log"},
      {"kTailConfirmation", to_ms<std::uint64_t>(kTailConfirmation), "ms",
       "between the two looks after which a log's tail counts as lost"},
  };
}

}  // namespace martlet::persist
