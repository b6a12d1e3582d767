#pragma once

#include <optional>

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// Who is in which group, as of one moment each. All block.

// All groups of the user, or those of the group's users that are in it.
pg::Result<wire::GroupsAnswer> find_memberships(pg::Connection& connection,
                                                const wire::GroupsQuestion& question);

// None: the user is not in that group.
pg::Result<std::optional<wire::GroupInfoPage>> group_info(pg::Connection& connection,
                                                          const GroupInfoRequest& request);

pg::Result<wire::GroupListPage> group_list(pg::Connection& connection,
                                           const GroupListRequest& request);

}  // namespace martlet::store
