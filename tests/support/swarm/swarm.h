#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "support/swarm/config.h"
#include "support/swarm/member.h"
#include "support/swarm/registration.h"
#include "tools/input.h"

namespace martlet::swarm {

// All members, the sending plan, and the commands on standard input:
//   start [RATE]   send by the plan          stop    send no more
//   drain          stop, wait until every send is answered and every member has checked its tail
//   history        every member reads the whole history of its conversations into its journal
//   send USER DEVICE TO TEXT…      TO: a user, or g:GROUP
//   group USER DEVICE ACTION GROUP [ROLE] [MEMBER…]      create, invite, join, leave, remove,
//                  role (with ROLE: member, admin, owner), disband; in the journal as a message
//   reconnect
//   tick           print the sums            quit    say goodbye and end
// Each line of standard output is a JSON object with "status": ready (all members are online),
// sending, stopped, drained, history, tick, error, bye.
class Swarm {
 public:
  Swarm(event::Loop& loop, Config config);

  void start();

 private:
  enum class Wait { kReady, kGroups, kNothing, kAnswers, kChecks, kHistory, kEnd };

  void register_next();
  void start_members();
  void on_command(const std::string& line);
  void send_one(const std::string& arguments);
  void change_one(const std::string& arguments);
  void make_groups();
  void send_some_away(Duration passed);
  std::uint64_t next_place();
  void send_planned();
  Member* device_of(const std::string& user, const std::string& device);
  void send_some();
  Member* member_of(const UserId& user);
  Member* any_of(const std::vector<UserId>& users);
  std::string next_text(const Member& member);
  void poll();
  bool all(bool (Member::*is)() const) const;
  void print(const std::string& status, const std::string& text = {});

  event::Loop& loop_;
  Config config_;
  SystemRandom random_;
  SeededRandom plan_;
  Totals totals_;
  std::vector<std::unique_ptr<Member>> members_;
  std::deque<std::pair<UserId, net::Address>> to_register_;
  std::vector<std::unique_ptr<Registration>> registering_;
  std::size_t registered_out_ = 0;
  std::unique_ptr<tools::InputLines> commands_;
  Wait wait_ = Wait::kNothing;
  bool sending_ = false;
  double credit_ = 0;
  double leaves_ = 0;
  MonotonicTime last_send_{};
  std::uint64_t planned_ = 0;
  std::uint64_t numbered_ = 0;
  event::Timer send_timer_;
  event::Timer poll_timer_;
};

}  // namespace martlet::swarm
