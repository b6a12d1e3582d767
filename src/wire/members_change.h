#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "model/group.h"

// The content of a message that says how a group's membership changed (kind Members). Only our own
// services write it: clients ask for the change by a command.
namespace martlet::wire {

// The bytes of Entry.content and Message.content.
Bytes encode(const MembersChange& change);

// kBadBody, kBadId, kBadContent: not written by one of ours, or not of this kind.
Result<MembersChange> parse_members_change(BytesView content);

}  // namespace martlet::wire
