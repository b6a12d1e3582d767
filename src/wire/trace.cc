#include "wire/trace.h"

#include "base/assert.h"
#include "base/hash.h"
#include "wire/bus_fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

static_assert(kHops.size() == static_cast<std::size_t>(busproto::HopKind::MAX));
static_assert(static_cast<int>(HopKind::kAnswerWaits) ==
              static_cast<int>(busproto::HopKind::AnswerWaits));

flatbuffers::Offset<busproto::Hop> put_hop(Builder& builder, const Hop& hop) {
  MARTLET_ASSERT(!hop.sender.empty() && !hop.client_msg_id.is_zero());
  const auto sender = builder.CreateSharedString(hop.sender.str());
  const auto conversation = hop.conversation.empty()
                                ? flatbuffers::Offset<flatbuffers::String>()
                                : builder.CreateSharedString(hop.conversation.str());
  const auto user = hop.user.empty() ? flatbuffers::Offset<flatbuffers::String>()
                                     : builder.CreateSharedString(hop.user.str());
  const proto::Uuid id = to_uuid(hop.client_msg_id);
  return busproto::CreateHop(builder, static_cast<busproto::HopKind>(hop.kind), sender, &id,
                             hop.time_us, conversation, hop.seq.value(), hop.message_id.value(),
                             hop.shard.value(), hop.number, static_cast<std::uint16_t>(hop.error),
                             hop.flagged, user);
}

Hop read_hop(const busproto::Hop& table, FieldReader& read) {
  Hop out;
  out.kind = static_cast<HopKind>(table.kind());
  out.sender = read.user(table.sender(), "sender");
  out.client_msg_id = read.msg_id(table.client_msg_id(), "client_msg_id");
  out.time_us = table.time_us();
  if (table.conversation() != nullptr) {
    out.conversation = read.conversation(table.conversation(), "conversation");
  }
  out.seq = read.seq(table.seq(), "seq");
  out.message_id = MessageId(table.message_id());
  out.shard = ShardId(table.shard());
  out.number = table.number();
  out.error = static_cast<ErrorCode>(table.error());
  out.flagged = table.flagged();
  if (table.user() != nullptr) out.user = read.user(table.user(), "user");
  return out;
}

bool is_known(busproto::HopKind kind) {
  return kind != busproto::HopKind::Unknown && kind <= busproto::HopKind::MAX;
}

}  // namespace

const HopName& hop_name(HopKind kind) {
  const auto place = static_cast<std::size_t>(kind) - 1;
  MARTLET_ASSERT(place < kHops.size() && kHops[place].kind == kind);
  return kHops[place];
}

bool is_sampled(const ClientMsgId& id, std::uint32_t permille) {
  return base::hash64(base::as_view(id.bytes.data(), id.bytes.size())) % 1000 < permille;
}

Bytes encode(const HopReport& report) {
  MARTLET_ASSERT(report.hops.size() <= kMaxHopsPerReport);
  Builder builder(4096);
  const auto service = put(builder, report.service);
  const auto name = put_some(builder, report.name);
  const auto instance = put(builder, report.instance);
  std::vector<flatbuffers::Offset<busproto::Hop>> hops;
  hops.reserve(report.hops.size());
  for (const Hop& hop : report.hops) hops.push_back(put_hop(builder, hop));
  return finish(builder, busproto::CreateHopReport(builder, service, name, instance, report.dropped,
                                                   builder.CreateVector(hops)));
}

// A kind of a newer version is left out: the others are good.
Result<HopReport> parse_hop_report(BytesView bytes) {
  const auto table = read_envelope<busproto::HopReport>(bytes, "HopReport");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  HopReport out;
  out.service = read.name_view((*table)->service(), "service");
  out.name = read.text((*table)->name(), "name", kMaxLabelBytes);
  out.instance = read.name_view((*table)->instance(), "instance");
  out.dropped = (*table)->dropped();
  const auto& hops = *(*table)->hops();
  if (hops.size() > kMaxHopsPerReport) {
    return fail(ErrorCode::kBadBody, "hops: are too many");
  }
  out.hops.reserve(hops.size());
  for (const auto* hop : hops) {
    if (is_known(hop->kind())) out.hops.push_back(read_hop(*hop, read));
    if (!read.ok()) break;
  }
  return read.result(std::move(out));
}

}  // namespace martlet::wire
