#include "sim/checker.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "wire/members_change.h"

namespace martlet::sim {
namespace {

constexpr std::size_t kMaxFindingsOfAKind = 5;
// Less than the time of a tail check, more than what a hint takes.
constexpr Duration kLiveTime = std::chrono::seconds(5);
const Generation kFirstGeneration(1);

// The seqs in which a user was a member: both ends included, the last one open or closed.
struct Span {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // 0: still
  bool has(std::uint64_t seq) const { return seq >= from && (to == 0 || seq <= to); }
};

// A conversation as the database has it, with what follows from it.
struct Truth {
  const std::vector<StoredMessage>* messages = nullptr;
  std::unordered_map<std::uint64_t, const StoredMessage*> by_seq;
  std::map<std::pair<ClientMsgId, UserId>, std::uint64_t> by_id;
  std::map<UserId, std::vector<Span>> members;  // groups only
};

std::string text_of(const ClientMsgId& id) {
  return base::to_hex({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

class Checker {
 public:
  explicit Checker(const History& history) : history_(history) {}

  std::vector<Finding> run() {
    for (const auto& [conversation, messages] : history_.store) learn(conversation, messages);
    if (history_.dead_entries > 0) {
      found(Breach::kDeadEntry, fmt::format("{} dead entries", history_.dead_entries));
    }
    for (const DeviceHistory& device : history_.devices) {
      for (const SentRecord& sent : device.sent) {
        if (sent.message_id.value() != 0) answered_[sent.message_id.value()] = sent.answered_at;
      }
    }
    if (!history_.settled) found(Breach::kUnsettled, history_.unsettled);
    for (const DeviceHistory& device : history_.devices) {
      check_sent(device);
      check_shown(device);
      check_told(device);
      if (history_.calm && device.stayed) check_live(device);
      if (!device.is_intruder && device.from_start) check_complete(device);
      for (const std::string& why : device.overdue) {
        found(Breach::kUnanswered,
              fmt::format("{}/{}: {}", device.user.str(), device.device.str(), why));
      }
    }
    for (const HistoryRead& read : history_.reads) check_read(read);
    return std::move(findings_);
  }

 private:
  void found(Breach breach, std::string detail) {
    if (++counts_[breach] <= kMaxFindingsOfAKind) findings_.push_back({breach, std::move(detail)});
  }

  // ---- the database alone: P2, P3, and who wrote what

  void learn(const ConversationId& conversation, const std::vector<StoredMessage>& messages) {
    Truth& truth = truths_[conversation];
    truth.messages = &messages;
    std::uint64_t expected = 1;
    MessageId last_id;
    for (const StoredMessage& message : messages) {
      if (message.seq.value() != expected) {
        found(Breach::kGap, fmt::format("{}: {} follows {}", conversation.str(),
                                        message.seq.value(), expected - 1));
      }
      expected = message.seq.value() + 1;
      if (message.message_id <= last_id) {
        found(Breach::kSwapped, fmt::format("{}#{}: its message id is not above the one before",
                                            conversation.str(), message.seq.value()));
      }
      last_id = message.message_id;
      truth.by_seq[message.seq.value()] = &message;
      if (message.tombstone) {
        found(Breach::kDoubled,
              fmt::format("{}#{}: put aside as a repeat", conversation.str(), message.seq.value()));
        continue;
      }
      const auto key = std::pair(message.id, message.sender);
      if (const auto [at, is_new] = truth.by_id.emplace(key, message.seq.value()); !is_new) {
        found(Breach::kDoubled, fmt::format("{}#{} and #{}: {}", conversation.str(), at->second,
                                            message.seq.value(), text_of(message.id)));
      }
      follow_members(conversation, truth, message);
    }
  }

  static bool is_member(const Truth& truth, const UserId& user, std::uint64_t seq) {
    const auto spans = truth.members.find(user);
    if (spans == truth.members.end()) return false;
    return std::any_of(spans->second.begin(), spans->second.end(),
                       [seq](const Span& span) { return span.has(seq); });
  }

  void follow_members(const ConversationId& conversation, Truth& truth,
                      const StoredMessage& message) {
    if (!conversation.is_group()) {
      if (!conversation.has_user(message.sender)) {
        found(Breach::kWrittenByOutsider, fmt::format("{}#{} by {}", conversation.str(),
                                                      message.seq.value(), message.sender.str()));
      }
      return;
    }
    const auto change = wire::parse_members_change(message.content);
    const bool joins = change && (change->action == MembersAction::kCreated ||
                                  change->action == MembersAction::kJoined);
    if (!joins && !is_member(truth, message.sender, message.seq.value())) {
      found(Breach::kWrittenByOutsider, fmt::format("{}#{} by {}", conversation.str(),
                                                    message.seq.value(), message.sender.str()));
    }
    if (change) apply(truth, message, *change);
  }

  static void apply(Truth& truth, const StoredMessage& message, const MembersChange& change) {
    const std::uint64_t seq = message.seq.value();
    const auto begin = [&](const UserId& user) {
      if (!is_member(truth, user, seq)) truth.members[user].push_back({seq, 0});
    };
    const auto end = [&](const UserId& user) {
      std::vector<Span>& spans = truth.members[user];
      if (!spans.empty() && spans.back().to == 0) spans.back().to = seq;
    };
    switch (change.action) {
      case MembersAction::kCreated:
        begin(message.sender);
        [[fallthrough]];
      case MembersAction::kInvited:
        for (const UserId& user : change.users) begin(user);
        break;
      case MembersAction::kJoined:
        begin(message.sender);
        break;
      case MembersAction::kLeft:
        end(message.sender);
        break;
      case MembersAction::kRemoved:
        for (const UserId& user : change.users) end(user);
        break;
      case MembersAction::kDisbanded:
        for (auto& [user, spans] : truth.members) end(user);
        break;
      case MembersAction::kRoleSet:
        break;
    }
  }

  bool may_see(const UserId& user, const ConversationId& conversation, const Truth& truth,
               std::uint64_t seq) const {
    if (!conversation.is_group()) return conversation.has_user(user);
    return is_member(truth, user, seq);
  }

  // ---- what was sent: P1, P3, P6

  void check_sent(const DeviceHistory& device) {
    std::map<ConversationId, std::pair<std::uint64_t, const SentRecord*>> last;
    for (const SentRecord& sent : device.sent) {
      const auto truth = truths_.find(sent.conversation);
      const auto seq = seq_in(truth, sent, device.user);
      if (device.is_intruder) {
        if (seq) found(Breach::kWrittenByOutsider, text_of(sent.id) + " by an intruder");
        continue;
      }
      check_outcome(device, sent, seq);
      const bool is_refused = sent.outcome == SentRecord::Outcome::kRefused;
      if (!seq || sent.is_change || is_refused || is_before_cut(history_, sent)) continue;
      auto& [before, record] = last[sent.conversation];
      if (*seq < before) {
        found(Breach::kSwapped,
              fmt::format("{}: {} at #{} was sent after {} at #{}", sent.conversation.str(),
                          text_of(sent.id), *seq, text_of(record->id), before));
      }
      before = *seq;
      record = &sent;
    }
  }

  std::optional<std::uint64_t> seq_in(std::map<ConversationId, Truth>::const_iterator truth,
                                      const SentRecord& sent, const UserId& user) const {
    if (truth == truths_.end()) return std::nullopt;
    const auto found = truth->second.by_id.find({sent.id, user});
    if (found == truth->second.by_id.end()) return std::nullopt;
    return found->second;
  }

  void check_outcome(const DeviceHistory& device, const SentRecord& sent,
                     const std::optional<std::uint64_t>& seq) {
    const std::string what = fmt::format("{} of {}/{} in {}", text_of(sent.id), device.user.str(),
                                         device.device.str(), sent.conversation.str());
    switch (sent.outcome) {
      case SentRecord::Outcome::kOpen:
        found(Breach::kUnanswered, what + " is open");
        break;
      case SentRecord::Outcome::kRefused:
        if (seq && !history_.two_owners) {
          found(Breach::kRefusedButThere,
                fmt::format("{}: refused ({}), and at #{}", what, error_name(sent.refusal), *seq));
        }
        break;
      case SentRecord::Outcome::kAcknowledged:
        if (!seq) {
          if (!may_be_gone(sent)) found(Breach::kLost, what + " was acknowledged");
        } else if (*seq != sent.seq.value() && !may_be_gone(sent)) {
          found(Breach::kUnequalSeq,
                fmt::format("{}: acknowledged as #{}, is #{}", what, sent.seq.value(), *seq));
        }
        break;
    }
  }

  // Only what was acknowledged as logged, before a power cut. Who asks for STORED afterwards
  // repeats it, and it has another place then.
  bool may_be_gone(const SentRecord& sent) const {
    return is_before_cut(history_, sent) && !sent.stored;
  }

  // ---- what was shown: P2, P3, P7

  // What SYNC and HISTORY told.
  void check_told(const DeviceHistory& device) {
    const std::string who = device.user.str() + "/" + device.device.str();
    for (const ShownRecord& pried : device.pried) {
      const auto truth = truths_.find(pried.conversation);
      if (truth != truths_.end() &&
          may_see(device.user, pried.conversation, truth->second, pried.seq.value())) {
        continue;
      }
      found(Breach::kShownToOutsider,
            fmt::format("{} read {}#{}", who, pried.conversation.str(), pried.seq.value()));
    }
    // Late ends let an answer be older than its question; what a power cut took is told to nobody.
    if (history_.ends_late || history_.power_cut) return;
    for (const auto& [conversation, seq] : device.untold) {
      const auto truth = truths_.find(conversation);
      if (truth == truths_.end()) continue;
      if (!may_see(device.user, conversation, truth->second, seq.value())) continue;
      found(Breach::kNotTold, fmt::format("{}: a SYNC did not tell of {}#{}, acknowledged before",
                                          who, conversation.str(), seq.value()));
    }
  }

  // What became void when the device was told so, by its place in `shown`.
  static std::vector<bool> void_ones(const DeviceHistory& device) {
    std::vector<bool> result(device.shown.size());
    for (const DroppedRecord& dropped : device.dropped) {
      for (std::size_t i = 0; i < dropped.shown_before; ++i) {
        const ShownRecord& shown = device.shown[i];
        if (shown.conversation == dropped.conversation && shown.seq >= dropped.from) {
          result[i] = true;
        }
      }
    }
    return result;
  }

  void check_shown(const DeviceHistory& device) {
    std::map<ConversationId, std::uint64_t> last;
    std::size_t drops = 0;
    const std::vector<bool> is_void = void_ones(device);
    for (std::size_t i = 0; i < device.shown.size(); ++i) {
      for (; drops < device.dropped.size() && device.dropped[drops].shown_before <= i; ++drops) {
        std::uint64_t& seq = last[device.dropped[drops].conversation];
        seq = std::min(seq, device.dropped[drops].from.value() - 1);
      }
      const ShownRecord& shown = device.shown[i];
      std::uint64_t& before = last[shown.conversation];
      check_order(device, shown, before);
      if (!is_void[i]) check_one(device, shown);
      before = std::max(before, shown.seq.value());
    }
  }

  static std::string name_of_shown(const DeviceHistory& device, const ShownRecord& shown) {
    return fmt::format("{}/{}: {}#{} {}", device.user.str(), device.device.str(),
                       shown.conversation.str(), shown.seq.value(), text_of(shown.id));
  }

  void check_order(const DeviceHistory& device, const ShownRecord& shown, std::uint64_t before) {
    if (shown.seq.value() > before) return;
    const std::string what = name_of_shown(device, shown);
    if (shown.seq.value() == before) return found(Breach::kDoubled, what + " was shown twice");
    found(Breach::kSwapped, fmt::format("{} was shown after #{}", what, before));
  }

  void check_one(const DeviceHistory& device, const ShownRecord& shown) {
    const std::string what = name_of_shown(device, shown);
    const auto truth = truths_.find(shown.conversation);
    if (device.is_intruder) return found(Breach::kShownToOutsider, what + " to an intruder");
    if (truth == truths_.end()) {
      return found(Breach::kLost, what + " was shown and is not stored");
    }
    const auto stored = truth->second.by_seq.find(shown.seq.value());
    if (stored == truth->second.by_seq.end()) {
      return found(Breach::kLost, what + " was shown and is not stored");
    }
    const bool same = stored->second->message_id == shown.message_id &&
                      stored->second->id == shown.id && stored->second->sender == shown.sender &&
                      stored->second->content == shown.content;
    if (!same) {
      found(Breach::kUnequalSeq,
            fmt::format("{}, in the database {}", what, text_of(stored->second->id)));
    }
    if (!may_see(device.user, shown.conversation, truth->second, shown.seq.value())) {
      found(Breach::kShownToOutsider, what);
    }
  }

  // ---- what is lacking: P4, P5

  // While nothing but clients came and went, who stayed gets everything at once.
  void check_live(const DeviceHistory& device) {
    for (const ShownRecord& shown : device.shown) {
      const auto sent = answered_.find(shown.message_id.value());
      if (sent == answered_.end() || shown.at <= sent->second + kLiveTime) continue;
      found(Breach::kMissedLive, fmt::format("{} came {} ms late", name_of_shown(device, shown),
                                             to_ms(shown.at - sent->second)));
    }
  }

  void check_complete(const DeviceHistory& device) {
    std::set<std::pair<ConversationId, std::uint64_t>> seen;
    for (const ShownRecord& shown : device.shown) {
      seen.emplace(shown.conversation, shown.message_id.value());
    }
    for (const auto& [conversation, truth] : truths_) {
      for (const StoredMessage& message : *truth.messages) {
        if (message.tombstone) continue;
        if (!may_see(device.user, conversation, truth, message.seq.value())) continue;
        if (seen.contains({conversation, message.message_id.value()})) continue;
        found(Breach::kNotDelivered,
              fmt::format("{}/{} lacks {}#{} {}", device.user.str(), device.device.str(),
                          conversation.str(), message.seq.value(), text_of(message.id)));
      }
    }
  }

  void check_read(const HistoryRead& read) {
    const auto truth = truths_.find(read.conversation);
    const std::string who = fmt::format("{} of {}", read.conversation.str(), read.user.str());
    std::vector<const StoredMessage*> expected;
    if (truth != truths_.end()) {
      for (const StoredMessage& message : *truth->second.messages) {
        if (may_see(read.user, read.conversation, truth->second, message.seq.value())) {
          expected.push_back(&message);
        }
      }
    }
    for (std::size_t i = 0; i < std::max(expected.size(), read.messages.size()); ++i) {
      const bool same = i < expected.size() && i < read.messages.size() &&
                        expected[i]->seq == read.messages[i].seq &&
                        expected[i]->message_id == read.messages[i].message_id &&
                        expected[i]->content == read.messages[i].content;
      if (same) continue;
      return found(Breach::kNotInHistory,
                   fmt::format("{}: {} told, {} stored; number {} is #{}, stored #{}", who,
                               read.messages.size(), expected.size(), i,
                               i < read.messages.size() ? read.messages[i].seq.value() : 0,
                               i < expected.size() ? expected[i]->seq.value() : 0));
    }
  }

  const History& history_;
  std::map<ConversationId, Truth> truths_;
  std::unordered_map<std::uint64_t, MonotonicTime> answered_;  // by message id
  std::map<Breach, std::size_t> counts_;
  std::vector<Finding> findings_;
};

}  // namespace

bool is_before_cut(const History& history, const SentRecord& sent) {
  return history.power_cut && sent.outcome == SentRecord::Outcome::kAcknowledged &&
         sent.at <= *history.power_cut && sent.first_generation <= kFirstGeneration;
}

std::string_view name_of(Breach breach) {
  switch (breach) {
    case Breach::kLost:
      return "lost";
    case Breach::kDoubled:
      return "doubled";
    case Breach::kGap:
      return "gap";
    case Breach::kUnequalSeq:
      return "unequal seq";
    case Breach::kSwapped:
      return "swapped";
    case Breach::kNotDelivered:
      return "not delivered";
    case Breach::kNotInHistory:
      return "not in history";
    case Breach::kNotTold:
      return "not told";
    case Breach::kMissedLive:
      return "missed live";
    case Breach::kUnanswered:
      return "unanswered";
    case Breach::kRefusedButThere:
      return "refused but there";
    case Breach::kShownToOutsider:
      return "shown to an outsider";
    case Breach::kWrittenByOutsider:
      return "written by an outsider";
    case Breach::kDeadEntry:
      return "dead entry";
    case Breach::kUnsettled:
      return "unsettled";
  }
  return "?";
}

std::string_view promise_of(Breach breach) {
  switch (breach) {
    case Breach::kLost:
    case Breach::kDeadEntry:
      return "P1";
    case Breach::kDoubled:
      return "P2";
    case Breach::kGap:
    case Breach::kUnequalSeq:
    case Breach::kSwapped:
      return "P3";
    case Breach::kNotDelivered:
    case Breach::kMissedLive:
    case Breach::kUnsettled:
      return "P4";
    case Breach::kNotTold:
    case Breach::kNotInHistory:
      return "P5";
    case Breach::kUnanswered:
    case Breach::kRefusedButThere:
      return "P6";
    case Breach::kShownToOutsider:
    case Breach::kWrittenByOutsider:
      return "P7";
  }
  return "?";
}

std::vector<Finding> check(const History& history) {
  return Checker(history).run();
}

}  // namespace martlet::sim
