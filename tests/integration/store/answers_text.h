#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/types.h"

// Answers of the store, each field of them, as text: two answers are the same if their texts are.
// What SQL leaves open (the order of rows without ORDER BY, row ids, the ids of tombstones) is left
// out.
namespace martlet::store {

std::string text(const ShardStates& states);
std::string text(const RaisedBase& raised);
std::string text(const ApplyResult& result);
std::string text(const SyncRows& rows);
std::string text(const FetchRows& rows);
std::string text(const HistoryRows& rows);
std::string text(const ColdAnswers& answers);
std::string text(const wire::GroupsAnswer& answer);
std::string text(const std::optional<wire::GroupInfoPage>& page);
std::string text(const wire::GroupListPage& page);
std::string text(bool value);
std::string text(std::size_t value);
std::string text(const std::optional<std::string>& value);
std::string text(std::vector<DeviceId> devices);
std::string text(const std::vector<DeviceRow>& devices);
std::string text(const RefreshResult& result);
std::string text(const LoginResult& result);
std::string text(const AdminDone& done);
std::string text(const std::vector<wire::AuditRow>& rows);

}  // namespace martlet::store
