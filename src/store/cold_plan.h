#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/types.h"

// What answers to cold questions are made of, once the rows are known. Pure.
namespace martlet::store {

struct ColdHead {
  std::int64_t row_id = 0;
  Seq last_seq;
  // Groups only.
  bool is_group = false;  // has a row of groups
  Seq members_at;
  JoinPolicy join = JoinPolicy::kInvited;
  std::size_t members_count = 0;
};
using ColdHeads = std::unordered_map<std::string, ColdHead>;              // by conversation
using ColdRoles = std::unordered_map<std::int64_t, GroupMembers::Roles>;  // by row
using ColdUsers = std::unordered_map<std::string, std::int64_t>;          // user -> how many groups
using ColdStay = std::pair<std::string, std::string>;                     // user, group

struct ColdFacts {
  ColdHeads heads;  // of the conversations asked for that exist; no group without a message
  ColdUsers users;  // who exist, of those asked for
  std::set<ColdStay> frequent;  // newcomers who were in the group as often as one may
};

// Without members and messages; the latter have their places.
ColdAnswers cold_answers(const ColdQuestions& questions, const ShardStates& states,
                         const ColdFacts& facts);
// Which groups are answered with their members; the others, as far as they exist, are omitted.
std::vector<std::int64_t> choose_groups(const ColdQuestions& questions, const ColdHeads& heads,
                                        ColdAnswers& answers);
// One without a row of groups lost its creation to dead_entries: nobody is in it, its id is taken.
void add_members(const ColdQuestions& questions, const ColdHeads& heads, const ColdRoles& roles,
                 ColdAnswers& answers);

}  // namespace martlet::store
