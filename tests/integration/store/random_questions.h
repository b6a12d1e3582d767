#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "model_pair.h"
#include "random_log.h"

namespace martlet::store {

// Every question that the store answers, by chance.
class RandomQuestions {
 public:
  // About what the log has, stored or not.
  void ask(ModelPair& pair, const RandomLog& log, Random& random);

 private:
  void sync(ModelPair& pair, Random& random);
  void fetch(ModelPair& pair, const RandomLog& log, Random& random);
  void history(ModelPair& pair, const RandomLog& log, Random& random);
  void cold(ModelPair& pair, const RandomLog& log, Random& random);
  void groups(ModelPair& pair, Random& random);
  void group_pages(ModelPair& pair, Random& random);
  void devices(ModelPair& pair, Random& random);
  void administer(ModelPair& pair, Random& random, const UserId& who);

  std::map<std::string, std::vector<SyncVector>> tokens_;  // of syncs, by user
  std::vector<Bytes> refresh_tokens_;                      // used ones as well
  WallMs now_ms_ = 1'700'000'000'000;
};

}  // namespace martlet::store
