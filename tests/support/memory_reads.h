#pragma once

#include "store/types.h"
#include "support/memory_tables.h"

// The questions of store/sync.cc, pages.cc, cold.cc and groups.cc, asked of tables in memory.
namespace martlet::test {

store::SyncRows sync_of_tables(const Tables& tables, const store::SyncRequest& request);

store::FetchRows fetch_of_tables(const Tables& tables, const store::FetchRequest& request);
store::HistoryRows history_of_tables(const Tables& tables, const store::HistoryRequest& request);
// As a row of store::StoredRow.
store::StoredRow stored_row(const ConversationTable& table, const MessageRow& message);

store::ColdAnswers cold_of_tables(const Tables& tables, const store::ColdQuestions& questions);

wire::GroupsAnswer memberships_of_tables(const Tables& tables,
                                         const wire::GroupsQuestion& question);
std::optional<wire::GroupInfoPage> group_info_of_tables(const Tables& tables,
                                                        const store::GroupInfoRequest& request);
wire::GroupListPage group_list_of_tables(const Tables& tables,
                                         const store::GroupListRequest& request);
// The groups that the user is in, by row, at most `most` of them.
std::vector<const ConversationTable*> groups_of(const Tables& tables, const std::string& user,
                                                std::size_t most);

}  // namespace martlet::test
