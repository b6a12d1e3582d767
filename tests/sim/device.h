#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "client/client.h"
#include "sim/history.h"
#include "sim/scheduler.h"

namespace martlet::sim {

// A device of a user with the real client library. Its memory survives the death of its process,
// and its history that of the world.
class Device final : private client::ClientListener {
 public:
  struct Given {
    UserId user;
    DeviceId device;
    std::string token;
    client::AddressList edges;
    Acknowledged& acknowledged;  // of all devices
  };
  // history outlives it.
  Device(Given given, DeviceHistory& history);
  ~Device() override;

  // Its process: started, killed, started again with what it remembers.
  void start();
  void kill();
  bool is_running() const { return process_ != nullptr; }
  bool has_ended() const { return ended_; }

  void send(const ConversationId& to, const std::string& text, client::Strength want);
  void change(const GroupId& group, const MembersChange& change);
  // Asks for the newest messages of a conversation, be it the user's or not.
  void pry(const ConversationId& conversation);
  client::Client& client() { return *process_->client; }

  // Nothing is on its way out or in.
  bool is_at_rest() const;
  // A whole SYNC since, and nothing lacking after it.
  void begin_check();
  bool is_checked() const;

  const UserId& user() const { return history_.user; }
  const LanePtr& lane() const { return process_->lane; }
  const DeviceHistory& history() const { return history_; }
  // Sums over all its processes.
  const client::SyncEngine::Counters& counters();
  std::uint64_t repeats();
  std::size_t logins() const { return logins_; }

 private:
  struct Process {
    LanePtr lane;
    std::unique_ptr<event::Loop> loop;
    SystemRandom random;
    std::unique_ptr<client::Client> client;
  };

  void on_state(client::State state, const std::string& why) override;
  void on_message(const client::Message& message, client::Origin origin) override;
  void on_dropped(const ConversationId& conversation, Seq from) override;
  void on_acked(const client::SendQueue::Acked& acked) override;
  void on_stored(const client::SendQueue::Stored& stored) override;
  void on_refused(const client::SendQueue::Refused& refused) override;
  void on_changed(const client::GroupChanges::Done& done) override;
  void on_change_refused(const client::GroupChanges::Refused& refused) override;
  void on_synced(bool behind) override;
  void on_end(const Error& error) override;
  SentRecord& note_sent(const ConversationId& to, const ClientMsgId& id);
  SentRecord* find(const ClientMsgId& id);
  void acknowledged(const client::Acknowledged& ack);
  void add_counters();
  void note_untold();

  const Given given_;
  DeviceHistory& history_;
  client::MemoryStore store_;
  std::unique_ptr<Process> process_;
  std::unordered_map<ClientMsgId, std::size_t> sent_;  // places in history_.sent
  client::SyncEngine::Counters counters_;
  std::uint64_t repeats_ = 0;
  std::size_t logins_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t check_from_ = 0;
  bool ended_ = false;
  Acknowledged asked_after_;  // what was acknowledged before the SYNC that is out was asked for
};

}  // namespace martlet::sim
