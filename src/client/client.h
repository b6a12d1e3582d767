#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/address_list.h"
#include "client/group_changes.h"
#include "client/link.h"
#include "client/reconnect_pace.h"
#include "client/send_queue.h"
#include "client/server_clock.h"
#include "client/sign_in.h"
#include "client/store.h"
#include "client/sync_engine.h"
#include "wire/bodies.h"

namespace martlet::client {

enum class State : std::uint8_t {
  kOff,         // before start() and after the end
  kConnecting,  // or waiting for the next attempt
  kSigningIn,
  kOnline,   // signed in; messages come and go
  kStopping  // says goodbye
};

// What a client tells its application, on the loop. Every call may call the client back.
class ClientListener {
 public:
  virtual ~ClientListener() = default;

  // kOnline: why names the edge. kConnecting: also for each attempt that failed.
  virtual void on_state(State, const std::string& /*why*/) {}
  // Each message once, in the order of its conversation; also those sent by this device.
  virtual void on_message(const Message&, Origin) {}
  // The server lost messages with seq >= from (its log lost power); their numbers are used again.
  virtual void on_dropped(const ConversationId&, Seq /*from*/) {}
  virtual void on_acked(const SendQueue::Acked&) {}
  virtual void on_stored(const SendQueue::Stored&) {}
  virtual void on_refused(const SendQueue::Refused&) {}
  // A change of a group that this device asked for; on_message brings it as well.
  virtual void on_changed(const GroupChanges::Done&) {}
  virtual void on_change_refused(const GroupChanges::Refused&) {}
  virtual void on_read(const wire::ReadEvent&) {}
  virtual void on_typing(const wire::TypingEvent&) {}
  // A READ of ours was taken, or refused finally.
  virtual void on_read_done(const ConversationId&, Seq, const std::optional<Error>&) {}
  virtual void on_news(const ConversationNews&) {}
  virtual void on_synced(bool /*behind*/) {}
  virtual void on_kicked(const wire::KickedEvent&) {}
  // The end: nothing more comes. The reason is kNone after stop().
  virtual void on_end(const Error&) {}
};

struct ClientOptions {
  AddressList addresses;
  UserId user;
  DeviceId device;
  Proof proof;           // for LOGIN; nothing: only the tokens of the store
  bool receives = true;  // false: only sends and asks; what comes stays unseen for the device
  // Asked before a connection: the edge to use, or none: the next one of addresses. Not asked for
  // the attempt after one that led to nobody. Calls back once, in time; a call that comes after the
  // client has ended does nothing.
  using Found = std::function<void(std::optional<net::Address>)>;
  std::function<void(const UserId&, Found)> find_edge = {};
  net::TlsClient* tls = nullptr;  // null: in the clear; outlives the client
};

struct HistoryAnswer {
  std::vector<Message> messages;
  std::vector<ConversationRange> withheld;
  bool more = false;
  std::optional<Duration> again_in;  // the newest may be missing: ask again then
};

// One device of one user, kept connected: signs in, receives, sends, repeats, catches up. Rules are
// in SyncEngine and SendQueue; this is the shell around them.
//
// Loop thread. Loop, random, store and listener must outlive it. If the store belongs to another
// user or device, it is emptied first.
class Client final : private Link::Owner {
 public:
  Client(event::Loop& loop, Random& random, Store& store, ClientOptions options,
         ClientListener& listener);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void start();
  // Says goodbye and ends; on_end comes later.
  void stop();

  // Queues a message; it survives a restart if the store does. Fails if the content is not good
  // (kBadContent, kBodyTooLarge) or the queue is full (kBusy). id: a UUIDv7 by server_time_ms();
  // made here if empty.
  Result<ClientMsgId> send(const UserId& to, BytesView content, Strength want,
                           std::optional<ClientMsgId> id = {});
  // To the other user of a one-to-one conversation, or to a group. kNotMember: not the user's.
  Result<ClientMsgId> send(const ConversationId& to, BytesView content, Strength want,
                           std::optional<ClientMsgId> id = {}, Follow follow = Follow::kByChance);
  // Asks for a change of a group; survives a restart as messages do, and is asked again until it
  // is answered. What depends on it waits for on_changed. Fails if it is not good, or kBusy.
  Result<ClientMsgId> change_group(const GroupId& group, const MembersChange& change,
                                   std::optional<ClientMsgId> id = {});
  // Once, if online: it is of no use later.
  void tell_typing(const ConversationId& to);
  // The cursor only grows; asked for again until the server has taken it.
  void mark_read(const ConversationId& conversation, Seq seq);
  using OnHistory = std::function<void(Result<HistoryAnswer>)>;
  // These wait until online, and are asked again if the connection is lost meanwhile. Answered with
  // the reason if refused or if the client ends; not at all if it is destroyed.
  void group_info(const wire::GroupInfo& query,
                  std::function<void(Result<wire::GroupInfoPage>)> on_page);
  void group_list(const wire::GroupList& query,
                  std::function<void(Result<wire::GroupListPage>)> on_page);
  void devices(std::function<void(Result<wire::DeviceList>)> on_list);
  void sign_out(const wire::SignOut& which, std::function<void(Result<wire::SignedOut>)> on_done);
  void history(const wire::History& query, OnHistory on_history);
  // A SYNC at once, or with the next connection.
  void sync_now();
  // Drops the connection, as if it had been lost.
  void reconnect();

  State state() const { return state_; }
  const UserId& user() const { return options_.user; }
  const SyncEngine& sync() const { return sync_; }
  const SendQueue& queue() const { return queue_; }
  const GroupChanges& changes() const { return changes_; }
  // The server's clock, as far as this device knows it.
  WallMs server_time_ms() const { return clock_.wall_ms(); }
  // How often the client came online.
  std::uint64_t logins() const { return logins_; }

 private:
  using OnReply = std::function<void(Result<BytesView>)>;
  // A question of the application.
  struct Waiting {
    wire::Command command;
    Bytes body;
    OnReply on_reply;
  };

  void on_link_up() override;
  void on_link_event(wire::Command command, BytesView body) override;
  void on_link_error(const wire::Refusal& refusal) override;
  void on_link_time(WallMs time_ms) override { clock_.told(time_ms); }
  void on_link_down(const std::string& why) override;

  void connect();
  void open_link();
  void try_next_address();
  void on_signed_in(SignIn::Result result, const Error& error, const wire::AuthOk& auth_ok);
  void on_renewed(SignIn::Result result, const Error& error, const wire::AuthOk& auth_ok);
  void schedule_renewal(std::uint32_t expires_in_s);
  void renew();
  void go_online(const wire::AuthOk& auth_ok);
  void wait_and_connect(Duration least);
  void drop_link();
  void finish(const Error& error);
  void set_state(State state, const std::string& why);

  void on_kicked(const wire::KickedEvent& event);
  void on_reconnect_event(const wire::ReconnectEvent& event);

  void pump();
  void run_sync_actions(std::vector<SyncEngine::Action> actions);
  void run_send_actions(std::vector<SendQueue::Action> actions);
  void run_change_actions(std::vector<GroupChanges::Action> actions);
  void do_send(const SendQueue::Send& send);
  void do_acked(const SendQueue::Acked& acked);
  void do_change(const GroupChanges::Ask& ask);
  void do_changed(const GroupChanges::Done& done);
  void show_own(const Acknowledged& ack, BytesView content);
  void do_show(const SyncEngine::Show& show);
  void ask_sync(const SyncEngine::AskSync& ask);
  void ask_fetch(const SyncEngine::AskFetch& ask);
  void ask(wire::Command command, Bytes body, OnReply on_reply);
  void ask_now(Waiting waiting);
  void send_reads();
  void on_send_answer(const ClientMsgId& id, const Answer& answer);
  void on_sync_answer(const Answer& answer);
  void on_fetch_answer(const Answer& answer);
  void on_change_answer(const ClientMsgId& id, const Answer& answer);
  void on_reply(const Waiting& waiting, const Answer& answer);
  void on_read_answer(const ConversationId& conversation, Seq seq, const Answer& answer);
  void arm_timer();

  event::Loop& loop_;
  Random& random_;
  Store& store_;
  ClientOptions options_;
  ClientListener& listener_;
  event::LoopClock own_clock_;
  ServerClock clock_{own_clock_};
  SyncEngine sync_;
  SendQueue queue_;
  GroupChanges changes_;

  State state_ = State::kOff;
  std::unique_ptr<Link> link_;
  std::unique_ptr<SignIn> sign_in_;
  ReconnectPace pace_;
  std::uint64_t logins_ = 0;
  std::optional<wire::KickReason> final_kick_;
  std::deque<MonotonicTime> given_up_auths_;  // when: those without an answer
  Duration told_to_wait_{};  // by the connection's last error, before the next connection
  bool moving_ = false;      // told to reconnect: at once, and where we were told
  bool is_sent_ = false;     // told where to
  bool is_found_ = false;    // find_edge named where this attempt goes
  bool use_list_ = false;    // what it named did not take us
  std::uint64_t searches_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  bool pumping_ = false;
  std::map<ConversationId, Seq> reads_;      // wanted
  std::map<ConversationId, Seq> reads_out_;  // asked
  std::deque<Waiting> waiting_;

  event::Timer connect_timer_;
  event::Timer core_timer_;
  event::Timer renew_timer_;
  event::Timer move_timer_;
  event::Timer stop_timer_;
  event::Timer read_timer_;
};

}  // namespace martlet::client
