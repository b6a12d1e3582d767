#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/apply_plan.h"

namespace martlet::store {

// What changes of membership make of the rows of groups and memberships, several changes at once.
// First it is told what is stored of the groups and users concerned, then the changes in the order
// of the log. They were judged before they were logged; one that changes nothing is no error. Pure.
class GroupPlan {
 public:
  struct Group {
    bool created = false;  // by this plan
    std::string title;
    JoinPolicy join = JoinPolicy::kInvited;
    EarlierHistory earlier_history = EarlierHistory::kHidden;
    std::uint64_t members_at = 0;  // 0: no change
    std::int64_t more_members = 0;
    bool disbanded = false;      // by this plan: everybody's stay ends
    std::uint64_t position = 0;  // of the last change
  };
  // A row of memberships. to_seq 0: a member.
  struct Stay {
    std::int64_t group = 0;
    std::string user;
    std::uint64_t from_seq = 0;
    std::uint64_t joined_seq = 0;
    std::uint64_t joined_position = 0;
    std::uint64_t to_seq = 0;
    std::uint64_t ended_position = 0;
    GroupRole role = GroupRole::kMember;
  };

  void know_group(std::int64_t group, EarlierHistory earlier_history);
  void know_member(std::int64_t group, const std::string& user, std::uint64_t joined_seq,
                   GroupRole role);

  void apply(std::int64_t group, const ApplyPlan::GroupEntry& entry);

  const std::map<std::int64_t, Group>& groups() const { return groups_; }
  // Stays that began with this plan, ended or not.
  std::vector<Stay> begun() const;
  // Stored stays that ended or have another role. from_seq and joined_position are not set.
  std::vector<Stay> changed() const;

 private:
  struct Row {
    Stay stay;
    bool stored = false;
    bool changed = false;
  };
  struct Moment {
    std::int64_t group;
    std::uint64_t seq;
    std::uint64_t position;
  };
  void add(const Moment& moment, const std::string& user, GroupRole role);
  void end(const Moment& moment, const std::string& user);
  void set_role(std::int64_t group, const std::string& user, GroupRole role);
  void disband(const Moment& moment);
  Row* current(std::int64_t group, const std::string& user);

  std::map<std::int64_t, Group> groups_;
  std::vector<Row> rows_;
  std::map<std::pair<std::int64_t, std::string>, std::size_t> current_;  // index in rows_
};

}  // namespace martlet::store
