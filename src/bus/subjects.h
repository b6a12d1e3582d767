#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/conversation.h"
#include "model/ids.h"

// Every subject of the broker is built and taken apart here and nowhere else. Ids carry no dots,
// spaces or wildcards (model/ids.h), so they are single tokens.
//
// An id stands for (app, id); the only app today is "main", which is left out.
namespace martlet::bus::subject {

// Edge -> owner of the shard. Schema: ClientFrame.
std::string in_user(ShardId shard, const UserId& recipient);    // im.in.<shard>.u.<uid>
std::string in_group(ShardId shard, const GroupId& recipient);  // im.in.<shard>.g.<gid>
std::string in_shard(ShardId shard);                            // im.in.<shard>.>

// The log of a shard: the one subject of stream IM_LOG_<shard>. Schema: logproto Batch.
std::string log(ShardId shard);         // im.log.<shard>
std::string all_logs();                 // im.log.*
std::string log_stream(ShardId shard);  // IM_LOG_<shard>

// A key-value bucket: its stream, and what comes before a key in the key's subject.
std::string bucket_stream(std::string_view bucket);  // KV_<bucket>
std::string bucket(std::string_view bucket);         // $KV.<bucket>.

// To the edges with sessions of a user, of members of a group: ToUser. To one edge: ToEdge.
std::string user(const UserId& user);     // im.u.<uid>
std::string group(const GroupId& group);  // im.g.<gid>
std::string edge(const EdgeId& edge);     // im.e.<edge>

// Watermarks from persist, announcements of the owner.
std::string watermark(ShardId shard);  // im.wm.<shard>
std::string all_watermarks();          // im.wm.*
std::string owner(ShardId shard);      // im.own.<shard>
std::string all_owners();              // im.own.*

// What edges and dispatchers did with messages that are followed. Schema: HopReport.
std::string trace();  // im.trace

// Heartbeats of edges for api and routing. Schema: EdgeBeat.
std::string edge_beat(const EdgeId& edge);  // im.hb.edge.<edge>
std::string all_edge_beats();               // im.hb.edge.*

// What a process of that kind says of itself. Schema: ServiceStatus.
std::string status(std::string_view kind);  // im.status.<kind>
std::string all_statuses();                 // im.status.*

// Request/reply, answered by any persist (queue group).
// im.rpc.account: ClientRequest -> ClientAnswer (REGISTER, LOGIN, REFRESH, DEVICES, SIGN_OUT)
std::string rpc_account();
// im.rpc.read: ClientRequest -> ClientAnswer (SYNC, FETCH, HISTORY, GROUP_INFO, GROUP_LIST)
std::string rpc_read();
std::string rpc_shard();   // im.rpc.shard: ShardQuestion -> ShardAnswer
std::string rpc_cold();    // im.rpc.cold: ColdQuestion -> ColdAnswer
std::string rpc_groups();  // im.rpc.groups: GroupsQuestion -> GroupsAnswer
// im.rpc.admin: AdminRequest -> AdminAnswer; im.rpc.audit: AuditQuestion -> AuditAnswer
std::string rpc_admin();
std::string rpc_audit();
std::string rpc_trace();           // im.rpc.trace: TraceQuestion -> TraceAnswer
std::string_view persist_queue();  // the queue group

// Where one connection gets its answers: _INBOX.<role>.<token>. The broker lets no role read
// another's (compose/nats-roles.conf).
std::string inbox(std::string_view role, std::string_view token);

// Request/reply, answered by any api (queue group).
std::string rpc_moves();       // im.rpc.moves: MovesQuestion -> MovesAnswer
std::string_view api_queue();  // the queue group

}  // namespace martlet::bus::subject
