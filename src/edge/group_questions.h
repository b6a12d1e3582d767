#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "bus/bus.h"
#include "edge/limits.h"
#include "wire/rpc.h"

namespace martlet::edge {

// What the edge asks persist about membership: few questions at a time, the others wait their turn.
// Loop thread.
class GroupQuestions {
 public:
  using Answered = std::function<void(const Result<wire::GroupsAnswer>&)>;
  struct Options {
    std::size_t max_under_way = kMaxGroupQuestions;
    std::size_t max_waiting = kMaxGroupQuestionsWaiting;
    Duration timeout = std::chrono::milliseconds(kGroupQuestionTimeoutMs);
  };
  // The bus must outlive it; nothing is called after its end.
  GroupQuestions(bus::Bus& bus, Options options) : bus_(bus), options_(options) {}

  // Calls back once, also when nobody answers, with a refusal of persist as an error; at once
  // (kBusy) when too many wait.
  void ask(const wire::GroupsQuestion& question, Answered answered);
  std::uint64_t asked() const { return asked_; }

 private:
  struct Waiting {
    Bytes question;
    Answered answered;
  };
  void send(Waiting waiting);
  void on_reply(const Answered& answered, const Result<Bytes>& reply);

  bus::Bus& bus_;
  const Options options_;
  std::size_t under_way_ = 0;
  std::uint64_t asked_ = 0;
  std::deque<Waiting> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace martlet::edge
