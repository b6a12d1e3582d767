#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "client/client.h"
#include "client/http_routes.h"
#include "support/swarm/config.h"
#include "support/swarm/journal.h"

namespace martlet::swarm {

// Sums over all members.
struct Totals {
  std::uint64_t sent = 0;
  std::uint64_t acked = 0;
  std::uint64_t stored = 0;
  std::uint64_t refused = 0;
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
  std::uint64_t changes = 0;  // of groups, done
  std::uint64_t changes_refused = 0;
  std::vector<double> ack_ms;
};

// One device of the swarm: a client and its journal.
class Member final : public client::ClientListener {
 public:
  // Loop, random and totals must outlive it.
  Member(event::Loop& loop, Random& random, const MemberConfig& config, const std::string& journals,
         const std::string& password, const std::string& api, Totals& totals);

  void start() { client_->start(); }
  void stop();
  // Says goodbye, and starts again after this time; what is sent meanwhile waits.
  void go_away(Duration time);
  // Whoever is away starts now.
  void come_back();
  Result<ClientMsgId> send(const ConversationId& to, const std::string& text,
                           client::Strength want);
  // In the journal it is a message like others.
  Result<ClientMsgId> change(const GroupId& group, const MembersChange& change);

  // All sends are answered, and stored if that was asked for.
  bool is_answered() const { return client_->queue().empty() && client_->changes().empty(); }
  // From now on: a whole SYNC, and nothing lacking after it.
  void begin_check();
  bool is_checked() const;
  bool is_ready() const { return synced_ > 0; }
  bool has_ended() const { return ended_; }
  bool is_away() const { return away_ != Away::kNo; }
  // Every conversation that the user knows, from its first message to its last, into the journal.
  void read_history();
  bool has_read_history() const { return ended_ || has_read_history_; }

  const UserId& user() const { return user_; }
  const DeviceId& device() const { return device_; }
  client::Client& client() { return *client_; }

 private:
  void on_state(client::State state, const std::string& why) override;
  void on_message(const client::Message& message, client::Origin origin) override;
  void on_dropped(const ConversationId& conversation, Seq from) override;
  void on_acked(const client::SendQueue::Acked& acked) override;
  void on_stored(const client::SendQueue::Stored& stored) override;
  void on_refused(const client::SendQueue::Refused& refused) override;
  void on_changed(const client::GroupChanges::Done& done) override;
  void on_change_refused(const client::GroupChanges::Refused& refused) override;
  void on_news(const client::ConversationNews& news) override;
  void on_synced(bool behind) override;
  void on_end(const Error& error) override;

  enum class Away { kNo, kGoing, kGone };

  void read_next();
  void on_page(Result<client::HistoryAnswer> page);

  event::Loop& loop_;
  UserId user_;
  DeviceId device_;
  Totals& totals_;
  Journal journal_;
  std::unique_ptr<client::Store> store_;
  std::optional<client::HttpRoutes> routes_;
  std::unique_ptr<client::Client> client_;
  std::unordered_map<ClientMsgId, MonotonicTime> sent_at_;
  std::uint64_t synced_ = 0;  // SYNCs that were not behind
  std::uint64_t check_from_ = 0;
  bool checking_ = false;
  bool ended_ = false;
  Away away_ = Away::kNo;
  Duration away_for_{};
  event::Timer back_;
  std::set<ConversationId> known_;
  std::deque<ConversationId> to_read_;  // the first is being read
  Seq read_to_;
  event::Timer read_again_;
  bool has_read_history_ = false;
};

}  // namespace martlet::swarm
