#include "bus/subjects.h"

namespace martlet::bus::subject {
namespace {

std::string number(ShardId shard) {
  return std::to_string(shard.value());
}

}  // namespace

std::string in_user(ShardId shard, const UserId& recipient) {
  return "im.in." + number(shard) + ".u." + recipient.str();
}
std::string in_group(ShardId shard, const GroupId& recipient) {
  return "im.in." + number(shard) + ".g." + recipient.str();
}
std::string in_shard(ShardId shard) {
  return "im.in." + number(shard) + ".>";
}

std::string log(ShardId shard) {
  return "im.log." + number(shard);
}
std::string all_logs() {
  return "im.log.*";
}
std::string log_stream(ShardId shard) {
  return "IM_LOG_" + number(shard);
}

std::string bucket_stream(std::string_view bucket) {
  return "KV_" + std::string(bucket);
}
std::string bucket(std::string_view bucket) {
  return "$KV." + std::string(bucket) + ".";
}

std::string user(const UserId& user) {
  return "im.u." + user.str();
}
std::string group(const GroupId& group) {
  return "im.g." + group.str();
}
std::string edge(const EdgeId& edge) {
  return "im.e." + edge.str();
}

std::string watermark(ShardId shard) {
  return "im.wm." + number(shard);
}
std::string all_watermarks() {
  return "im.wm.*";
}
std::string owner(ShardId shard) {
  return "im.own." + number(shard);
}
std::string all_owners() {
  return "im.own.*";
}

std::string edge_beat(const EdgeId& edge) {
  return "im.hb.edge." + edge.str();
}
std::string all_edge_beats() {
  return "im.hb.edge.*";
}

std::string status(std::string_view kind) {
  return "im.status." + std::string(kind);
}
std::string all_statuses() {
  return "im.status.*";
}

std::string rpc_account() {
  return "im.rpc.account";
}
std::string rpc_read() {
  return "im.rpc.read";
}
std::string rpc_shard() {
  return "im.rpc.shard";
}
std::string rpc_cold() {
  return "im.rpc.cold";
}
std::string rpc_groups() {
  return "im.rpc.groups";
}
std::string rpc_admin() {
  return "im.rpc.admin";
}
std::string rpc_audit() {
  return "im.rpc.audit";
}
std::string rpc_trace() {
  return "im.rpc.trace";
}
std::string trace() {
  return "im.trace";
}
std::string_view persist_queue() {
  return "persist";
}
std::string inbox(std::string_view role, std::string_view token) {
  return "_INBOX." + std::string(role) + "." + std::string(token);
}
std::string rpc_moves() {
  return "im.rpc.moves";
}
std::string_view api_queue() {
  return "api";
}

}  // namespace martlet::bus::subject
