#include "wire/status.h"

#include <algorithm>
#include <cmath>

#include "wire/bus_fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

constexpr std::uint16_t kWholeProcess = 0xffff;

}  // namespace

Bytes encode(const ServiceStatus& status) {
  Builder builder(4096);
  std::vector<flatbuffers::Offset<busproto::StatusValue>> values;
  for (const StatusValue& value : status.values) {
    if (values.size() == kMaxStatusValues) break;
    // The same name of many shards is written once.
    const auto name = builder.CreateSharedString(value.name.data(), value.name.size());
    values.push_back(busproto::CreateStatusValue(builder, name, value.shard.value_or(kWholeProcess),
                                                 value.value));
  }
  const auto list = builder.CreateVector(values);
  const auto kind = put(builder, status.kind);
  const auto name = put(builder, status.name.substr(0, kMaxLabelBytes));
  const auto instance = put(builder, status.instance);
  const auto version = put(builder, status.version);
  const auto why = put_some(builder, status.why.substr(0, kMaxLabelBytes));
  return finish(builder, busproto::CreateServiceStatus(builder, kind, name, instance, version,
                                                       status.protocol, status.shards,
                                                       status.started_ms, status.now_ms,
                                                       status.ready, why, status.stopped, list));
}

Result<ServiceStatus> parse_service_status(BytesView bytes) {
  if (bytes.size() > kMaxStatusBytes) return fail(ErrorCode::kBadBody, "ServiceStatus is too long");
  const auto table = read_envelope<busproto::ServiceStatus>(bytes, "ServiceStatus");
  if (!table) return tl::unexpected<Error>(table.error());
  const busproto::ServiceStatus& status = **table;
  FieldReader read;
  const auto text = [&](const flatbuffers::String* field, const char* name) {
    return std::string(read.text(field, name, kMaxLabelBytes));
  };
  ServiceStatus out;
  out.kind = text(status.kind(), "kind");
  out.name = text(status.name(), "name");
  out.instance = text(status.instance(), "instance");
  if (out.instance.empty()) read.refuse(ErrorCode::kBadBody, "instance", "is empty");
  out.version = text(status.version(), "version");
  out.why = text(status.why(), "why");
  out.protocol = status.protocol();
  out.shards = status.shards();
  out.started_ms = status.started_ms();
  out.now_ms = status.now_ms();
  out.ready = status.ready();
  out.stopped = status.stopped();
  const auto* values = status.values();
  if (values != nullptr && values->size() > kMaxStatusValues) {
    read.refuse(ErrorCode::kBadBody, "values", "are too many");
  } else if (values != nullptr) {
    for (const auto* value : *values) {
      if (!std::isfinite(value->value())) read.refuse(ErrorCode::kBadBody, "value", "is no number");
      const std::uint16_t shard = value->shard();
      out.values.push_back({text(value->name(), "values.name"),
                            shard == kWholeProcess ? std::nullopt : std::optional(shard),
                            value->value()});
    }
  }
  return read.result(std::move(out));
}

}  // namespace martlet::wire
